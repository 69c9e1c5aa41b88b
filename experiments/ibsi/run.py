"""IBSI 1, feature by feature: the value under `radiomics.mode: ibsi`, the consensus value, its tolerance, the verdict.

python experiments/ibsi/run.py [--phantoms ARCHIVE] [--reference FOLDER] [--readme FILE]
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry, read_image, read_labels
from fusion.errors import CohortError, Fault, FusionError
from fusion.features.radiomics.engine import measure
from fusion.features.radiomics.preset import columns
from fusion.store import write_text
from fusion.types import Mask, Volume

PHANTOMS = Path("../shared/data/dicom_edge_cases/dicom_edge_cases.tar.gz")
REFERENCE = Path("../shared/reference")
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- what run.py measured -->\n", "<!-- end -->\n"
CT: dict[str, Any] = {"interpolator": "sitkLinear", "round_intensities": True}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "digital_phantom": {"spacing_mm": None, "bin_width": 1},
    "ct_config_A": CT | {"spacing_mm": None, "resegment_range": (-500, 400), "force_2d": True},
    "ct_config_B": CT | {"spacing_mm": (0, 2, 2), "resegment_range": (-500, 400), "bin_count": 32, "force_2d": True},
    "ct_config_C": CT | {"spacing_mm": (2, 2, 2), "resegment_range": (-1000, 400)},
    "ct_config_D": CT | {"spacing_mm": (2, 2, 2), "outlier_sigma": 3, "bin_count": 32},
    "ct_config_E": CT | {"spacing_mm": (2, 2, 2), "interpolator": "sitkBSpline", "resegment_range": (-1000, 400),
                         "outlier_sigma": 3, "bin_count": 32},
}  # fmt: skip
"""Settings by the name that the reference values give a configuration; bins are 25 HU wide unless they are counted."""


def compare(phantoms: Path, reference: Path) -> pd.DataFrame:
    """Every feature that the preset shares with IBSI 1, in every configuration, sorted by both.

    Args:
        phantoms: archive with IBSI's digital and CT phantom as NIfTI.
        reference: folder with ibsi1_reference_values.csv and pyradiomics_to_ibsi_map.csv.

    Raises:
        CohortError: a file is missing.
    """
    names, consensus = _consensus(reference)
    rows = []
    for configuration, settings in CONFIGURATIONS.items():
        radiomics = Radiomics(mode="ibsi", images=("original",), **settings)
        image, mask, geometry = _phantom(phantoms, "digital" if configuration == "digital_phantom" else "ct_radiomics")
        found = measure(image, {"roi": mask}, geometry, radiomics).features["roi"]
        values = dict(zip(columns(radiomics), found, strict=True))
        for name, tag in sorted(names.items()):
            expected, tolerance = consensus[configuration, _in_slices(tag) if radiomics.force_2d else tag]
            value = float(values[f"original_{name}"])
            rows.append((configuration, name, value, expected, tolerance, within(value, expected, tolerance)))
    return pd.DataFrame(rows, columns=["configuration", "feature", "value", "reference", "tolerance", "within"])


def within(value: float, reference: float, tolerance: float) -> bool:
    """IBSI's verdict; without a tolerance, the reference is met when it is ``value`` in three significant digits.

    >>> within(-0.3546, -0.355, 0), within(2.6, 2.5, 0.1), within(2.61, 2.5, 0.1)
    (True, True, False)
    """
    if tolerance == 0:
        return float(f"{value:.3g}") == reference
    return abs(value - reference) <= tolerance * (1 + 1e-9)


def render(table: pd.DataFrame) -> str:
    """The table as Markdown: how many agree in each configuration, then every row."""
    agree = table.groupby("configuration", sort=False)["within"].agg(["sum", "size"])
    counts = [f"| {name} | {row['sum']} of {row['size']} |" for name, row in agree.iterrows()]
    rows = [
        f"| {row.feature} | {row.configuration} | {row.value:.6g} | {row.reference:.6g} | {row.tolerance:.6g} |"
        f" {'within' if row.within else '**outside**'} |"
        for row in table.itertuples()
    ]
    head = ["", "| configuration | features within tolerance |", "| --- | --- |", *counts, ""]
    body = ["| feature | configuration | value | reference | tolerance | verdict |", "| --- " * 6 + "|", *rows, ""]
    return "\n".join([*head, *body, ""])


def _consensus(folder: Path) -> tuple[dict[str, str], dict[tuple[str, str], tuple[float, float]]]:
    """IBSI's tag of each feature, and (value, tolerance) of each configuration and tag."""
    files = [folder / "pyradiomics_to_ibsi_map.csv", folder / "ibsi1_reference_values.csv"]
    if absent := [Fault("no such file", "IBSI's reference values", "pass --reference", file=str(file))
                  for file in files if not file.is_file()]:  # fmt: skip
        raise CohortError(absent)
    names, values = map(pd.read_csv, files)
    keys, numbers = (
        zip(values["config"], values["feature"], strict=True),
        zip(values["value"], values["tolerance"], strict=True),
    )
    return dict(zip(*names.to_numpy().T, strict=True)), dict(zip(keys, numbers, strict=True))


def _in_slices(tag: str) -> str:
    """The tag of a 3-D texture for slices whose matrices are added up, which is what `force_2d` does."""
    return tag.replace("_3D", "_2_5D")


def _phantom(archive: Path, name: str) -> tuple[Volume, Mask, Geometry]:
    if not archive.is_file():
        raise CohortError(
            Fault("no such file", "the archive with IBSI's phantoms", "pass --phantoms", file=str(archive))
        )
    with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as folder:
        paths = []
        for part in ("image/phantom", "mask/mask"):
            tar.extract(f"ibsi/ibsi_1_{name}_phantom/nifti/{part}.nii.gz", folder, filter="data")
            paths.append(Path(folder) / f"ibsi/ibsi_1_{name}_phantom/nifti/{part}.nii.gz")
        image, labels = read_image(paths[0]), read_labels(paths[1])
    return image.values, labels.values > 0, image.geometry


def main(phantoms: Path = PHANTOMS, reference: Path = REFERENCE, readme: Path = README) -> None:
    """Write the table into README.md, print how many features agree; fails where one does not."""
    try:
        table = compare(phantoms, reference)
    except FusionError as error:
        sys.exit(str(error))
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    write_text(readme, before + BEGIN + render(table) + END + rest.partition(END)[2])
    print(json.dumps({name: int(own.sum()) for name, own in table.groupby("configuration", sort=False)["within"]}))
    if not table["within"].all():
        sys.exit("some features are outside their tolerance: search README.md for **outside**")


if __name__ == "__main__":
    typer.run(main)
