"""The stages of slices: the cohort's pictures cut once, and their 2-D radiomics."""

from functools import partial

import pandas as pd

from fusion.config.run import Run
from fusion.data.study import Study
from fusion.features.slices import slice_features
from fusion.flow.attempt import Attempt, Failed, failures
from fusion.flow.folder import told
from fusion.flow.work import Work
from fusion.progress import each
from fusion.roi.cut_slice import Piece, look, stack
from fusion.roi.slice import Slices
from fusion.store import write_csv, write_parquet

FILE = "checkpoints/slices.npz"


def write_slices(work: Work) -> Work:
    """checkpoints/slices.npz: every case's slices as the networks see them, with their masks."""
    if (work.folder / FILE).is_file():
        return work
    with told(work.folder, "slices"):
        found = dict(each(Attempt(partial(_cut, run=work.run)), work.studies, "slices", work.run.jobs))
        work = work.without(failures(found.items()), "slices")
        if not work.over:
            pieces = [piece for own in work.studies if not isinstance(piece := found[own], Failed)]
            stack(work.studies, pieces, work.run.used_sequences).save(work.folder / FILE)
        return work


def read_slices(work: Work) -> Slices:
    """What ``write_slices`` wrote."""
    return Slices.load(work.folder / FILE)


def write_radiomics(work: Work) -> None:
    """features/radiomics_SEQUENCE.parquet and features/radiomics_warnings.csv, where all sequences have masks."""
    run, folder = work.run, work.folder / "features"
    paths = {name: folder / f"radiomics_{name}.parquet" for name in run.used_sequences}
    if not run.masked or all(path.is_file() for path in paths.values()):
        return
    with told(work.folder, "radiomics"):
        found = slice_features(read_slices(work), run, run.cache or folder / "cases")
        rows = [
            {"case": case, "region": name, "warning": warning}
            for name, table in found.items()
            for case, warning in table.warnings.items()
            if warning
        ]
        write_csv(folder / "radiomics_warnings.csv", pd.DataFrame(rows, columns=["case", "region", "warning"]))
        for name, path in paths.items():
            write_parquet(path, found[name].values, found[name].metadata)


def read_radiomics(work: Work) -> dict[str, pd.DataFrame]:
    """What ``write_radiomics`` wrote, by sequence."""
    return {n: pd.read_parquet(work.folder / f"features/radiomics_{n}.parquet") for n in work.run.used_sequences}


def _cut(study: Study, run: Run) -> dict[str, Piece]:
    return look(study, run.cohort, run.roi.slice)
