"""What a run leaves of its cohort before it measures anything: who is in it, who is not and why, how it was scanned."""

import pandas as pd

from fusion.data.dicom.acquisition import COLUMNS
from fusion.flow import lost
from fusion.flow.work import Work
from fusion.store import write_csv


def write_cohort(work: Work) -> None:
    """cohort.csv and splits.csv.

    Where there is something to say also excluded.csv and eligibility.csv (cases that rules sent away, and their
    counts), notes.csv (what was decided in reading), acquisition.csv (DICOM headers) and lost.csv.
    """
    cases, checked, folder = work.cases, work.checked, work.folder
    write_csv(folder / "splits.csv", cases[["case", "patient", "set", "fold"]])
    write_csv(folder / "cohort.csv", cases)
    if not checked.flow.empty:
        write_csv(folder / "excluded.csv", checked.left)
        write_csv(folder / "eligibility.csv", checked.flow)
    here = set(cases["case"])
    if notes := [(case, note) for case, note in checked.notes if case in here]:
        write_csv(folder / "notes.csv", pd.DataFrame(notes, columns=["case", "note"]))
    if not (acquired := _acquired(work)).empty:
        write_csv(folder / "acquisition.csv", acquired)
    if work.lost:
        lost.write(folder, work.lost, checked.sets)


def enough(work: Work) -> None:
    """Stop before anything is fitted where more cases are lost than may be; else cohort.csv and splits.csv of the rest.

    Raises:
        CohortError: every fault of the lost cases.
    """
    work.enough()
    if work.lost:
        write_cohort(work)


def _acquired(work: Work) -> pd.DataFrame:
    """How each DICOM image was taken; with the scanner where the table names it."""
    cases = work.cases
    rows = {case: own.acquired for case, own in work.checked.seen.items() if own.acquired}
    here = cases[cases["case"].isin(rows)]
    if here.empty:
        return pd.DataFrame()
    table = pd.DataFrame([rows[case] for case in here["case"]]).reindex(columns=list(COLUMNS))
    named = here[["case", "scanner"] if "scanner" in here else ["case"]].reset_index(drop=True)
    return pd.concat([named, table], axis=1)
