"""The cases of the radiomics benchmark as files: image and both regions as NIfTI, settings as JSON.

python experiments/benchmarks/pair/cases.py OUT [--shared ../shared] [--only NAME ...]

Ends with one line of JSON: the cases made, and why others were not.
"""

import importlib.util
import json
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
import typer

from fusion import phantom
from fusion.config import load
from fusion.config.cohort import Phantom
from fusion.config.radiomics import Radiomics
from fusion.config.roi import Ring, Roi
from fusion.data.case import Case
from fusion.data.case import load as load_case
from fusion.data.cohort import read
from fusion.data.image import Geometry, read_image, read_labels, to_sitk, write_mask
from fusion.phantom.field import Field, Grid
from fusion.roi.region import regions
from fusion.types import Spacing

ROOT = Path(__file__).parents[3]
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
NATIVE, NATIVE_MM = (134, 512, 512), (3.0, 0.977, 0.977)
PRESET = Radiomics()
HU = Roi()
NO_HU = Roi(external2=Ring(hu_range=None))
THICK = Roi(external2=Ring(hu_range=None, thickness_mm=6.0))
"""PET voxels are 4 to 5.5 mm wide: a ring of 2 mm would hold none."""


@dataclass(frozen=True)
class Sample:
    """A case, what it is in words, how its ring is made and how it is measured."""

    about: str
    case: Case
    roi: Roi = HU
    radiomics: Radiomics = PRESET


def lesion23(size: tuple[int, int, int] = NATIVE, seed: int = 23) -> Sample:
    """A slightly irregular ball of 23 mm in the middle of a synthetic CT: soft tissue in an elliptic body, air around.

    Args:
        size: voxels along (z, y, x).
        seed: of every field and of the noise.
    """
    rng = np.random.default_rng(seed)
    grid = Grid(*[(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(size, NATIVE_MM, strict=True)])
    reach_mm = max(float(axis.max()) for axis in (grid.z, grid.y, grid.x))
    tissue = 40 + 18 * Field.draw(rng, (3.0, 3.0, 3.0), reach_mm).on(grid)
    inner = 70 + 25 * Field.draw(rng, (1.5, 1.5, 1.5), reach_mm).on(grid)
    edge_mm = 10.9 + 0.7 * Field.draw(rng, (5.0, 5.0, 5.0), reach_mm).on(grid)
    radius_mm = np.sqrt(grid.z[:, None, None] ** 2 + grid.y[:, None] ** 2 + grid.x**2)
    tumour = radius_mm < edge_mm
    body = np.hypot(grid.y[:, None] / 130, grid.x / 190) < 1
    hu = np.where(tumour, inner, np.where(body, tissue, np.float32(-1000)))
    hu += 12 * rng.standard_normal(size, dtype=np.float32)
    about = "23-mm lesion, synthetic CT, native 512x512x134"
    return Sample(about, _case("lesion23", np.rint(hu), tumour, NATIVE_MM))


def phantom_ct() -> Sample:
    """The first case of the default phantom cohort."""
    plan = phantom.plan_cohort(Phantom())[0]
    scan = phantom.render(plan, "crop")
    return Sample("phantom tumour, CT 112x112x12", _case("phantom", scan.hu, scan.tumour, scan.spacing_mm))


def sts(shared: Path, patient: str, modality: str) -> Sample:
    """A sarcoma of the IBSI validation set; the ring is cut at HU on CT alone, and is 6 mm thick on PET."""
    folder = shared / "data/sts/nifti" / patient
    roi = {"CT": HU, "PET": THICK}.get(modality, NO_HU)
    own = _from_files(patient, folder / f"{modality}_image.nii.gz", folder / f"{modality}_mask.nii.gz")
    return Sample(f"{patient}, sarcoma, {modality.removeprefix('MR_')}", own, roi)


def ibsi_ct(shared: Path) -> Sample:
    """IBSI's CT phantom, a lung tumour, straight from its archive."""
    parts = [f"ibsi/ibsi_1_ct_radiomics_phantom/nifti/{part}.nii.gz" for part in ("image/phantom", "mask/mask")]
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(shared / "data/dicom_edge_cases/dicom_edge_cases.tar.gz") as tar:
            for part in parts:
                tar.extract(part, name, filter="data")
        return Sample("IBSI CT phantom", _from_files("ibsi", *[Path(name) / part for part in parts]))


def lidc(shared: Path) -> Sample:
    """The first nodule of the LIDC-IDRI patches, with the regions and the bins of configs/lidc.yaml."""
    source = shared / "data/lidc_nodules"
    spec = importlib.util.spec_from_file_location("lidc_build", ROOT / "experiments/lidc/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as name:
        own = Path(name)
        (own / "lidc_nodules.tar.gz").symlink_to((source / "lidc_nodules.tar.gz").resolve())
        pd.read_csv(source / "labels.csv", dtype=str).head(1).to_csv(own / "labels.csv", index=False)
        table = module.build(own, own)
        run = load(ROOT / "configs/lidc.yaml", [f"cohort.table={table}"])
        case = load_case(read(run.cohort, run.seed).files[0], run.cohort, run.roi.resample_mask)
    return Sample(f"lung nodule {case.name}", case, run.roi, run.radiomics)


def makers(shared: Path) -> dict[str, Callable[[], Sample]]:
    """Every case by name."""
    return {
        "lesion23": lesion23,
        "phantom": phantom_ct,
        "sts001": partial(sts, shared, "STS_001", "CT"),
        "sts001_t1": partial(sts, shared, "STS_001", "MR_T1"),
        "sts001_pet": partial(sts, shared, "STS_001", "PET"),
        "sts008": partial(sts, shared, "STS_008", "CT"),
        "ibsi_ct": partial(ibsi_ct, shared),
        "lidc": partial(lidc, shared),
    }


def write(sample: Sample, folder: Path) -> None:
    """``folder``/image.nii, one .nii a region, and case.json with ``about`` and the settings."""
    folder.mkdir(parents=True)
    grey = to_sitk(sample.case.image.astype(np.float32), sample.case.geometry)
    sitk.WriteImage(grey, str(folder / "image.nii"), useCompression=False)
    for region, mask in regions(sample.case, sample.roi).items():
        write_mask(folder / f"{region}.nii", mask, sample.case.geometry)
    settings = sample.radiomics.model_dump(mode="json")
    (folder / "case.json").write_text(json.dumps({"about": sample.about, "radiomics": settings}), encoding="utf-8")


def _case(name: str, image: Any, tumour: Any, spacing_mm: Spacing) -> Case:
    return Case(
        name, image.astype(np.float32), tumour, None, Geometry(image.shape, spacing_mm, (0.0, 0.0, 0.0), UPRIGHT)
    )


def _from_files(name: str, image: Path, mask: Path) -> Case:
    grey = read_image(image)
    return Case(name, grey.values, read_labels(mask).values > 0, None, grey.geometry)


def main(out: Path, shared: Path = Path("../shared"), only: Annotated[list[str] | None, typer.Option()] = None) -> None:
    """Write the cases to OUT, one folder each."""
    absent = {}
    names = only or list(makers(shared))
    for name in names:
        if name not in ("lesion23", "phantom") and not (shared / "data").is_dir():
            absent[name] = f"no {shared / 'data'}"
        else:
            write(makers(shared)[name](), out / name)
    print(json.dumps({"cases": [name for name in names if name not in absent], "absent": absent}))


if __name__ == "__main__":
    typer.run(main)
