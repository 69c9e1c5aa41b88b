"""Which columns a radiomics table has, and in which order."""

from functools import cache

from fusion.config.run import Radiomics

CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""18 + 24 + 16 + 16 + 14 + 5 = 93 features an image type; shape adds 14, on the mask alone."""


def columns(radiomics: Radiomics) -> tuple[str, ...]:
    """PyRadiomics' names of every feature of the preset: 14 + 93 an image type; 1874 with all twenty.

    >>> from fusion.config.run import Radiomics
    >>> len(columns(Radiomics())), columns(Radiomics())[-1]
    (1874, 'lbp-3D-k_ngtdm_Strength')
    """
    shape = [f"original_shape_{name}" for name in _names("shape")]
    rest = [f"{image}_{kind}_{name}" for image in radiomics.images for kind in CLASSES for name in _names(kind)]
    return tuple(shape + rest)


@cache
def _names(kind: str) -> tuple[str, ...]:
    """Names of a feature class without those that PyRadiomics marks deprecated."""
    from radiomics.featureextractor import getFeatureClasses

    features = getFeatureClasses()[kind].getFeatureNames()
    return tuple(sorted(name for name, deprecated in features.items() if not deprecated))
