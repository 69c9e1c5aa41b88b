"""The folder in which rings are refined: how its files are named, found again, and shown in two programs."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from fusion.data.image import SUFFIXES
from fusion.errors import CohortError, Fault
from fusion.store import write_text

WRITTEN = ".nii.gz"
SAVED = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha")
"""What ITK-SNAP and 3D Slicer save; after the first two Slicer may hang its own."""
EDITED = re.compile(r"_external2(?:_edited)?(?:\.nii(?:\.gz)?)?(?:\.seg\.nrrd|\.nii\.gz|\.nii|\.nrrd|\.mha)$")
"""What follows the case in the name of a ring's file."""
COLOURS = {"External2": (204, 108, 12), "Tumour": (58, 125, 196)}
"""Amber and blue, apart for every kind of colour vision, as in the report."""
ITK_SNAP, SLICER, README = "labels_itksnap.txt", "labels_slicer.ctbl", "README.txt"


def ring_file(folder: Path, case: str) -> Path:
    """Where the run writes the ring of ``case``."""
    return folder / f"{case}_external2{WRITTEN}"


def found_rings(folder: Path, cases: Collection[str]) -> dict[str, Path]:
    """The ring file of each case that has one in ``folder``: the one saved under another name, else the run's own.

    Args:
        folder: `regions` of a run; need not exist.
        cases: every case of the table, also those that were excluded or lost: their files are known.

    Raises:
        CohortError: all at once: two files saved under other names for one case, and volumes that no case is named
            by, as a typing error in a name would otherwise leave the automatic ring in use.
    """
    rings, faults = searched_rings(folder, cases)
    if faults:
        raise CohortError(faults)
    return rings


def searched_rings(folder: Path, cases: Collection[str]) -> tuple[dict[str, Path], list[Fault]]:
    """As ``found_rings``, with what it would refuse beside what it found, to tell it with other faults."""
    known = set(cases)
    of_case: dict[str, list[Path]] = {}
    faults: list[Fault] = []
    for path in _volumes(folder):
        case = EDITED.sub("", path.name)
        if case == path.name or case not in known:
            faults.append(_unknown(path, case))
        else:
            of_case.setdefault(case, []).append(path)
    chosen = {}
    for case, paths in of_case.items():
        saved = [path for path in paths if path != ring_file(folder, case)]
        if len(saved) > 1:
            found = f"{len(saved)} edited rings ({', '.join(path.name for path in saved)})"
            faults.append(Fault(found, "one", "delete those that do not count", case, str(folder)))
        chosen[case] = (saved or paths)[0]
    return chosen, faults


def rings_in(folder: Path) -> dict[str, Path]:
    """The ring file by case in a folder that ``found_rings`` has checked."""
    rings: dict[str, Path] = {}
    for path in _volumes(folder):
        case = EDITED.sub("", path.name)
        if case not in rings or rings[case] == ring_file(folder, case):
            rings[case] = path
    return rings


def _volumes(folder: Path) -> list[Path]:
    """Files in a format of masks; names with a leading dot are of writers at work."""
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
    )


def _unknown(path: Path, case: str) -> Fault:
    named = f"a ring of {case!r}, which is no case" if case != path.name else "a volume that is not named like a ring"
    expected = f"CASE_external2 or CASE_external2_edited, and one of {', '.join(SAVED)}"
    return Fault(named, expected, "rename the file, or move it out of the folder", file=str(path))


def write_labels(folder: Path, label: int) -> None:
    """Label colours for ITK-SNAP and 3D Slicer and how to edit, in ``folder``; files that are there stay.

    Args:
        folder: `regions` of a run.
        label: value of the ring in the files, ``cohort.label``; the tumour is shown with the value after it.
    """
    values = {label: "External2", label + 1: "Tumour"}
    texts = {ITK_SNAP: _itk_snap(values), SLICER: _slicer(values), README: _readme(label)}
    for name, text in texts.items():
        if not (folder / name).is_file():
            write_text(folder / name, text)


def _itk_snap(values: dict[int, str]) -> str:
    rows = [
        (0, "Clear Label", (0, 0, 0), "0  0  0"),
        *((n, name, COLOURS[name], "1  1  1") for n, name in values.items()),
    ]
    lines = [f'{n:5d} {r:5d} {g:4d} {b:4d} {shown:>12}    "{name}"' for n, name, (r, g, b), shown in rows]
    return _lines(["# ITK-SnAP Label Description File", "# IDX  -R-  -G-  -B-  -A-  VIS MSH  LABEL", *lines])


def _slicer(values: dict[int, str]) -> str:
    lines = [f"{n} {name} {' '.join(map(str, COLOURS[name]))} 255" for n, name in values.items()]
    return _lines([f"# Color table file {SLICER}", f"# {len(lines) + 1} values", "0 Background 0 0 0 0", *lines])


def _readme(label: int) -> str:
    return _lines([
        f"CASE_external2.nii.gz is the ring round the tumour of CASE: {label} inside, 0 elsewhere, on the grid of its",
        "image.",
        "",
        f"ITK-SNAP: open the image, open the ring as segmentation, import {ITK_SNAP} (Segmentation, Import Label",
        f"Descriptions), edit label {label}, save the segmentation in its place.",
        f"3D Slicer: add {SLICER} (as Color), the image, and the ring (as Segmentation, with this color table); edit;",
        "save the segmentation in this folder. Do not save the image here.",
        "",
        "Found again, and used by the next start of the run: CASE_external2.nii.gz itself, or one file a case that is",
        "named CASE_external2 or CASE_external2_edited and ends in .nii.gz, .nii, .nrrd, .seg.nrrd or .mha, also as 3D",
        "Slicer names it: CASE_external2.nii.gz.seg.nrrd. Of several segments in one file that named External2 counts.",
        "",
        "The ring must lie inside the image and not over the tumour. rings.csv tells which rings were edited, and how",
        "much (Dice). To go back to the automatic ring, delete the files of the case.",
    ])  # fmt: skip


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
