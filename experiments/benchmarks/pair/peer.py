"""Another radiomics package on one case, one thread, with its settings nearest to the preset of 1874 features.

Runs in an environment that holds the package and not this project: VENV/bin/python peer.py PACKAGE CASE
Ends with one line of JSON: CPU seconds, wall seconds, and features of both regions together. What a package can only
read from files, it reads within the time.
"""

import contextlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REGIONS = ("tumour", "external2")


def flash_radiomics(case: Path) -> Callable[[], int]:
    """PyRadiomics' settings under PyRadiomics' names; LBP3D is asked for, whether it comes or not."""
    import SimpleITK as sitk
    from flash_radiomics import RadiomicsFeatureExtractor  # type: ignore[import-not-found]

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    names = ("Original", "Wavelet", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP3D")
    images: dict[str, dict[str, list[float]]] = {**{name: {} for name in names}, "LoG": {"sigma": [1.0, 2.0, 3.0]}}
    classes: dict[str, list[str]] = {
        name: [] for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
    }
    setting = {"resampledPixelSpacing": [1, 1, 1], "binWidth": 25, "padDistance": 5, "additionalInfo": False}
    own = {"setting": setting, "imageType": images, "featureClass": classes}
    image = sitk.ReadImage(str(case / "image.nii"))
    masks = [sitk.ReadImage(str(case / f"{region}.nii")) for region in REGIONS]

    def run() -> int:
        extractor = RadiomicsFeatureExtractor(own, backend="cpu", num_threads=1)
        with tempfile.TemporaryDirectory() as folder:
            paths = [f"{folder}/{region}.h5" for region in REGIONS]
            return sum(
                len(extractor.execute(image, mask, label=1, output_hdf5_path=path))
                for mask, path in zip(masks, paths, strict=True)
            )

    return run


def mirp(case: Path) -> Callable[[], int]:
    """The preset's families on the original, LoG, coif1 wavelets and the four functions of grey value.

    Without its own crop it filters the whole image at 1 mm, in gigabytes; 16 mm hold its widest filter.
    """
    from mirp import extract_features  # type: ignore[import-not-found]

    families = ["statistical", "glcm", "glrlm", "glszm", "ngtdm", "ngldm"]
    functions = [f"pyradiomics_{name}" for name in ("square", "square_root", "logarithm", "exponential")]
    settings: dict[str, Any] = {
        "new_spacing": 1.0, "spline_order": 3, "crop_around_roi": True, "crop_distance": 16.0, "ibsi_compliant": False,
        "base_feature_families": ["morphological", *families],
        "base_discretisation_method": "fixed_bin_size_pyradiomics", "base_discretisation_bin_width": 25.0,
        "response_map_feature_families": families,
        "response_map_discretisation_method": "fixed_bin_size_pyradiomics",
        "response_map_discretisation_bin_width": 25.0,
        "filter_kernels": ["laplacian_of_gaussian", "separable_wavelet", *functions],
        "laplacian_of_gaussian_sigma": [1.0, 2.0, 3.0],
        "separable_wavelet_families": "coif1", "separable_wavelet_set": "all",
        "separable_wavelet_rotation_invariance": False,
    }  # fmt: skip
    image = str(case / "image.nii")

    def run() -> int:
        tables = [extract_features(image=image, mask=str(case / f"{region}.nii"), **settings) for region in REGIONS]
        return sum(table.shape[1] for found in tables for table in found)

    return run


def nyxus(case: Path) -> Callable[[], int]:
    """All 3-D features of the original image; it has no resampling and no filtered images."""
    from nyxus import Nyxus3D  # type: ignore[import-not-found]

    def run() -> int:
        measure = Nyxus3D(["*3D_ALL*"], n_feature_calc_threads=1)
        paths = [str(case / f"{region}.nii") for region in REGIONS]
        table = measure.featurize_files([str(case / "image.nii")] * len(paths), paths, False)
        return int(table.select_dtypes("number").drop(columns="ROI_label", errors="ignore").size)

    return run


PEERS = {"flash-radiomics": flash_radiomics, "mirp": mirp, "nyxus": nyxus}


def main(peer: str, case: Path) -> None:
    """Measure CASE with PEER and print one line of JSON."""
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(sys.stderr):
        run = PEERS[peer](case)
        cpu, wall = time.process_time(), time.perf_counter()
        features = run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "features": features}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
