"""What a reader of a radiomics table has to know about how it was made."""

from importlib.metadata import version

from fusion.config.radiomics import Radiomics

CROPS = {
    "exact": "each region by itself, as PyRadiomics",
    "shared": "all regions of a case together; filters that see the crop's edge or extremes differ from PyRadiomics",
}


def metadata(radiomics: Radiomics) -> dict[str, str]:
    """Engine and version, mode, crop rule, padding, input type, and every setting as JSON.

    >>> metadata(Radiomics())["padding"]
    '5 voxels round the bounding box, after resampling'
    """
    return {
        "engine": f"{radiomics.engine} {version(radiomics.engine)}",
        "mode": radiomics.mode,
        "crop": f"{radiomics.crop}: {CROPS[radiomics.crop]}",
        "padding": _padding(radiomics),
        "input_type": "float32",
        "settings": radiomics.model_dump_json(),
    }


def _padding(radiomics: Radiomics) -> str:
    voxels = f"{radiomics.pad_distance} voxels round the bounding box"
    if radiomics.spacing_mm is not None:
        return f"{voxels}, after resampling"
    return voxels if radiomics.pre_crop else "the whole image"
