"""A run's perturbed masks: drawn once from seed, case and reading, kept as files, read as a second reader's are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fusion.config.harmonise import Perturb
from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.data.image import write_mask
from fusion.errors import Fault
from fusion.flow.attempt import Attempt, failures
from fusion.flow.work import Work
from fusion.progress import each
from fusion.roi.perturb import hand, perturbed_tumour

FOLDER = "readings"
"""In the run folder."""


def mask_path(folder: Path, case: str, reading: int) -> Path:
    """Where a run keeps a perturbed mask; readings count from 1."""
    return folder / FOLDER / f"{case}_perturbed{reading}.nii.gz"


def write_masks(work: Work, files: Sequence[Files], choice: Perturb) -> list[Fault]:
    """readings/<case>_perturbed<reading>.nii.gz of every case in ``files``; what is there already stays.

    Returns:
        Why masks could not be drawn, once all others are.
    """
    numbers = range(1, choice.readings + 1)
    missing = [own for own in files if not all(mask_path(work.folder, own.case, n).is_file() for n in numbers)]
    verb = Attempt(partial(_write, run=work.run, folder=work.folder, choice=choice))
    failed = failures(each(verb, missing, "perturbed masks", work.run.jobs))
    return [fault for own in failed.values() for fault in own]


def _write(files: Files, run: Run, folder: Path, choice: Perturb) -> None:
    case = load(files, run.cohort, run.roi.resample_mask)
    for reading in range(1, choice.readings + 1):
        path = mask_path(folder, case.name, reading)
        if not path.is_file():
            mask = perturbed_tumour(case, choice, hand(run.seed, case.name, reading), run.roi.minimum_voxels)
            write_mask(path, mask, case.geometry, run.cohort.label)
