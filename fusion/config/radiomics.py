"""The radiomics section: which features of which images, and how grey values get there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_serializer, model_validator

from fusion.config.images import IMAGES, Kind, kind_of, lbp3d_names, wavelet_names
from fusion.config.names import fault
from fusion.config.part import Count, Part, Positive

Index = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0)]
Class = Literal["shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
Interpolator = Literal[
    "sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian", "sitkLabelGaussian",
    "sitkHammingWindowedSinc", "sitkCosineWindowedSinc", "sitkWelchWindowedSinc", "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
]  # fmt: skip


def _known(name: str) -> str:
    kind_of(name)
    return name


def _discrete(wavelet: str) -> str:
    import pywt

    if wavelet not in (known := pywt.wavelist(kind="discrete")):
        raise ValueError(f"one of PyWavelets' discrete wavelets ({', '.join(known)})")
    return wavelet


def _nan_as_word(value: object) -> object:
    return "nan" if value != value else value  # JSON and equality know no nan


class Preparation(Part):
    """What is measured, and what happens to image and region before any filter."""

    engine: Literal["fusion", "pyradiomics"] = "fusion"
    """`fusion` is this package's own engine; `pyradiomics` is PyRadiomics 3.0.1."""
    mode: Literal["exact", "ibsi"] = "exact"
    """`exact` gives PyRadiomics' numbers; `ibsi` follows the Image Biomarker Standardisation Initiative."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where texture matrices are counted; `cuda` gives the same numbers, and pays for large regions alone."""
    crop: Literal["exact", "shared"] = "exact"
    """`exact` filters each region in its own crop, as PyRadiomics; `shared` filters once for all regions of a case,
    which is faster and changes features of filters that see the crop's edge or its extremes."""
    images: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1)] = IMAGES
    """Image types by PyRadiomics' names; the default twenty give 1874 features."""
    classes: dict[Class, Annotated[tuple[str, ...], Field(min_length=1)] | None] = Field(
        default=dict.fromkeys(("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")), min_length=1
    )
    """Feature classes, each with the names of its features, or null for all that are not deprecated."""
    label: Count = 1
    """Value of the region in masks given to `fusion.radiomics.extract`; a run reads its masks by `cohort.label`."""
    spacing_mm: tuple[Size, Size, Size] | None = (1.0, 1.0, 1.0)
    """Voxel size after resampling, along (z, y, x); 0 keeps the native spacing along an axis, null the native grid."""
    interpolator: Interpolator = "sitkBSpline"
    """How grey values are interpolated, by SimpleITK's names; masks take the nearest neighbour."""
    pad_distance: Index = 5
    """Voxels round a region's bounding box that stay in its crop, so that filters see some surroundings."""
    pre_crop: bool = False
    """Crop to the bounding box and `pad_distance` even where nothing is resampled."""
    normalise: bool = False
    """Z-score the whole image before extraction, as PyRadiomics' `normalize`."""
    normalise_scale: Positive = 1.0
    """Factor on the z-scores."""
    remove_outliers: Positive | None = None
    """Clip the z-scores to this many standard deviations; null does not."""
    resegment_range: tuple[float] | tuple[float, float] | None = None
    """Keep voxels from this grey value on, or between these two, ends included; null keeps all."""
    resegment_mode: Literal["absolute", "relative", "sigma"] = "absolute"
    """`resegment_range` in grey values, in shares of the region's maximum, or in standard deviations from its mean."""
    resegment_shape: bool = False
    """Measure shape on the resegmented region, too."""
    outlier_sigma: Positive | None = None
    """IBSI only: drop voxels farther than this many standard deviations from the mean, after `resegment_range`."""
    round_intensities: bool = False
    """IBSI only: round interpolated grey values to whole numbers, as IBSI asks for HU."""
    minimum_dimensions: Annotated[int, Field(ge=1, le=3)] = 2
    """Axes along which a region must be longer than one voxel."""
    minimum_voxels: Count | None = None
    """A region must have more voxels than this, counted after resampling; null does not ask."""


class PerImage(Part):
    """What may differ from one kind of image to another: binning, texture, filter."""

    bin_width: Positive = 25.0
    """Grey-level bin width (HU for CT)."""
    bin_count: Count | None = None
    """Number of bins between a region's extremes; where given, `bin_width` is not used."""
    voxel_shift: int = 0
    """Added to grey values before Energy, Total Energy and Root Mean Squared are taken."""
    distances: Annotated[tuple[Count, ...], Field(min_length=1)] = (1,)
    """Distances in voxels at which two voxels are neighbours (infinity norm), for GLCM, GLDM and NGTDM."""
    symmetrical_glcm: bool = True
    """Count a pair of grey levels in both orders."""
    weighting: Literal["infinity", "euclidean", "manhattan", "no_weighting"] | None = None
    """Norm that weights the angles' GLCM and GLRLM before they are summed (`no_weighting`: all alike); null measures
    each angle and takes the mean."""
    gldm_alpha: Index = 0
    """Largest difference in grey level at which a neighbour is dependent."""
    force_2d: bool = False
    """Texture and wavelets within slices only."""
    force_2d_dimension: Annotated[int, Field(ge=0, le=2)] = 0
    """The axis of (z, y, x) across which slices lie for `force_2d` and for LBP2D."""
    wavelet: Annotated[str, AfterValidator(_discrete)] = "coif1"
    """Wavelet by PyWavelets' name."""
    wavelet_start_level: Index = 0
    """Decompositions that are passed over before the first that is measured."""
    wavelet_levels: Count = 1
    """Decompositions that are measured."""
    gradient_use_spacing: bool = True
    """Gradient per mm instead of per voxel."""
    lbp3d_levels: Count = 2
    """Levels of spherical harmonics of LBP3D."""
    lbp3d_radius: Positive = 1.0
    """Radius of LBP3D's sphere, in voxels."""
    lbp3d_subdivision: Index = 1
    """Subdivisions of the icosahedron on which LBP3D samples."""
    lbp2d_radius: Positive = 1.0
    """Radius of LBP2D's circle, in voxels."""
    lbp2d_samples: Count = 8
    """Samples on LBP2D's circle."""
    lbp2d_method: Literal["default", "ror", "uniform", "var"] = "uniform"
    """Kind of pattern, by scikit-image's names."""


FILTERS = {field: kind for field in PerImage.model_fields for kind in ("wavelet", "gradient", "lbp3d", "lbp2d")
           if field.startswith(kind)}  # fmt: skip
"""Settings of one filter, and the kind of image it makes; every other setting of ``PerImage`` fits every kind."""


UNKNOWN_TO_PYRADIOMICS = ("engine", "mode", "device", "crop", "round_intensities", "outlier_sigma")
"""Settings that a parameter file of PyRadiomics does not describe."""


class Override(PerImage):
    """Settings that differ for one kind of image; only those that are given count."""

    @property
    def given(self) -> dict[str, Any]:
        """The settings that are given, by name."""
        return {name: getattr(self, name) for name in PerImage.model_fields if name in self.model_fields_set}

    def __eq__(self, other: object) -> bool:
        """Whether the same settings are given with the same values."""
        return isinstance(other, Override) and self.given == other.given

    @model_serializer(mode="wrap")
    def _only_given(self, handler: Any) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


class Radiomics(PerImage, Preparation):
    """The radiomics preset: 14 shape features + 93 an image type."""

    per_image: dict[Kind, Override] = Field(default={})
    """Binning, texture and filter settings that differ for a kind of image, e.g. `{log: {bin_width: 5}}`."""
    kernel_radius: Count = 1
    """Half the width of the neighbourhood behind a voxel of a feature map, in voxels."""
    masked_kernel: bool = True
    """Use only the region's voxels of a neighbourhood."""
    initial_value: Annotated[float | Literal["nan"], BeforeValidator(_nan_as_word)] = 0.0
    """Value of a feature map outside the region; nan is written as a word."""
    parameters: Path | None = None
    """Take every setting that PyRadiomics knows from this parameter file of it; what was read replaces the path."""

    def for_kind(self, kind: Kind) -> dict[str, Any]:
        """Every setting of ``PerImage`` as it holds for images of ``kind``.

        >>> Radiomics(per_image={"log": {"bin_width": 5}}).for_kind("log")["bin_width"]
        5.0
        """
        given = self.per_image[kind].given if kind in self.per_image else {}
        return {name: given.get(name, getattr(self, name)) for name in PerImage.model_fields}

    @field_validator("classes")
    @classmethod
    def _features_exist(cls, classes: dict[Class, tuple[str, ...] | None]) -> dict[Class, tuple[str, ...] | None]:
        faults = []
        for kind, chosen in classes.items():
            faults += [why for name in chosen or () if (why := fault(kind, name))]
            if len(set(chosen or ())) < len(chosen or ()):
                faults.append(f"{kind} names a feature twice")
        if faults:
            raise ValueError("; ".join(faults))
        return classes

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("parameters"), str | Path):
            return given
        from fusion.config.parameters import read_parameters  # which builds this class

        own = {name: given[name] for name in UNKNOWN_TO_PYRADIOMICS if name in given}
        if twice := sorted(given.keys() - own.keys() - {"parameters"}):
            raise ValueError(f"parameters describes {', '.join(twice)}, too: give either the file or the settings")
        read = read_parameters(Path(given["parameters"])).model_dump(exclude={"parameters"})
        return {**read, **own}

    @model_validator(mode="after")
    def _possible(self) -> "Radiomics":
        if faults := list(_impossible(self)):
            raise ValueError("; ".join(faults))
        return self


def _impossible(own: Radiomics) -> Iterator[str]:
    """Every combination of settings that has no meaning, in words."""
    if own.engine == "pyradiomics" and own.mode == "ibsi":
        yield "mode=ibsi needs engine=fusion: PyRadiomics has definitions of its own"
    if own.engine == "pyradiomics" and own.device != "cpu":
        yield "device=cuda needs engine=fusion: PyRadiomics has no such path"
    if own.engine == "pyradiomics" and own.crop == "shared":
        yield "crop=shared needs engine=fusion: PyRadiomics crops every region by itself"
    if own.mode != "ibsi" and (
        given := [name for name in ("outlier_sigma", "round_intensities") if getattr(own, name)]
    ):
        yield f"{', '.join(given)} needs mode=ibsi: PyRadiomics does not do it"
    if "shape2D" in own.classes and not own.force_2d:
        yield "classes.shape2D needs force_2d=true"
    if own.resegment_range and own.resegment_range != tuple(sorted(own.resegment_range)):
        yield "resegment_range must be [low] or [low, high] with low <= high"
    if twice := sorted({name for name in own.images if own.images.count(name) > 1}):
        yield f"images names {', '.join(twice)} twice"
    for kind, override in own.per_image.items():
        for name in override.given:
            if FILTERS.get(name, kind) != kind:
                yield f"per_image.{kind}.{name} does nothing: it is a setting of {FILTERS[name]} images"
    for filtered, made in (("wavelet", made_by_wavelet(own)), ("lbp3d", made_by_lbp3d(own))):
        if missing := [name for name in own.images if kind_of(name) == filtered and name not in made]:
            yield f"no filter makes {', '.join(missing)}; these settings give {', '.join(made)}"


def made_by_wavelet(radiomics: Radiomics) -> tuple[str, ...]:
    """Names of the images that the wavelet filter gives with its settings."""
    settings = radiomics.for_kind("wavelet")
    return wavelet_names(settings["wavelet_levels"], axes=2 if settings["force_2d"] else 3)


def made_by_lbp3d(radiomics: Radiomics) -> tuple[str, ...]:
    """Names of the images that LBP3D gives with its settings."""
    return lbp3d_names(radiomics.for_kind("lbp3d")["lbp3d_levels"])
