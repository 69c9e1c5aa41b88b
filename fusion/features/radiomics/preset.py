"""Which columns a radiomics table has, and in which order."""

from fusion.config.names import DEPRECATED as DEPRECATED
from fusion.config.names import FEATURES as FEATURES
from fusion.config.names import SHAPE as SHAPE
from fusion.config.radiomics import Class, Radiomics


def columns(radiomics: Radiomics) -> tuple[str, ...]:
    """PyRadiomics' names of every feature of the preset: 14 + 93 an image type; 1874 with all twenty.

    Shape comes first; then, image by image, the other classes in the order of ``radiomics.classes``.

    >>> len(columns(Radiomics())), columns(Radiomics())[-1]
    (1874, 'lbp-3D-k_ngtdm_Strength')
    """
    shape = [name for kind in SHAPE if kind in radiomics.classes for name in _named("original", kind, radiomics)]
    others = [kind for kind in radiomics.classes if kind not in SHAPE]
    return (*shape, *[name for image in radiomics.images for kind in others for name in _named(image, kind, radiomics)])


def features(radiomics: Radiomics, kind: Class) -> tuple[str, ...]:
    """Names of the features of a class in the table's order: those asked for, or all that are not deprecated.

    >>> features(Radiomics(classes={"glcm": ("MCC", "Contrast")}), "glcm")
    ('MCC', 'Contrast')
    """
    return radiomics.classes[kind] or FEATURES[kind]


def _named(image: str, kind: Class, radiomics: Radiomics) -> list[str]:
    return [f"{image}_{kind}_{name}" for name in features(radiomics, kind)]
