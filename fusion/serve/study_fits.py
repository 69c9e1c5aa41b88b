"""Whether a case's slices are what a bundle reads: known sequences, and masks where the training slices had some."""

from collections import Counter
from collections.abc import Iterator

from fusion.config.run import Run
from fusion.data.study import Scan, Study
from fusion.errors import CohortError, Fault


def refuse_unfit(study: Study, run: Run) -> None:
    """Raises CohortError with every unknown, repeated or unmasked sequence of ``study``.

    Args:
        study: what is given.
        run: that the bundle was made of.
    """
    if faults := list(_faults(study, run)):
        raise CohortError(faults)


def _faults(study: Study, run: Run) -> Iterator[Fault]:
    known = ", ".join(run.used_sequences)
    if not study.scans:
        yield Fault("no slice", f"one of {known} at least", "give a slice with its sequence's name", study.case)
    for name, times in Counter(scan.sequence for scan in study.scans).items():
        if times > 1:
            yield Fault(f"{times} slices of sequence {name}", "one a sequence", "choose one", study.case)
    for scan in study.scans:
        if scan.sequence not in run.used_sequences:
            found = f"a slice of sequence {scan.sequence!r}, for which this bundle has no model"
            yield Fault(found, f"one of {known}", "name its sequence, or choose another bundle", study.case)
        else:
            yield from _mask(scan, run, study.case)


def _mask(scan: Scan, run: Run, case: str) -> Iterator[Fault]:
    """The square that networks see lies round the mask, so that it has to be there as it was in training."""
    wanted = run.cohort.sequences[scan.sequence].mask is not None
    if wanted and scan.mask is None:
        found = f"{scan.sequence} without the tumour's mask"
        yield Fault(found, "a mask, as the training slices had one", "draw the tumour", case)
    elif scan.mask is not None and not wanted:
        found = f"{scan.sequence} with a mask"
        yield Fault(found, "the slice alone, as the training slices had no mask", "leave the mask out", case)
