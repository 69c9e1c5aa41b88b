"""What is left of a table that was answered: predictions.csv, and every row's files in one archive."""

import shutil
import zipfile
from pathlib import Path

import pandas as pd

from fusion.serve.service import CohortAnswer
from fusion.store import whole, write_csv

PREDICTIONS, ARCHIVE = "predictions.csv", "answers.zip"


def write(done: CohortAnswer, folder: Path) -> None:
    """Write predictions.csv, with the table's own names of cases, and answers.zip, with folders row1, row2, ..."""
    write_csv(folder / PREDICTIONS, predictions(done))
    inside = sorted(path for path in folder.glob("row*/*") if path.is_file())
    with whole(folder / ARCHIVE) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as zipped:
        for path in inside:
            zipped.write(path, str(path.relative_to(folder)))
    for own in folder.glob("row*"):
        shutil.rmtree(own)


def predictions(done: CohortAnswer) -> pd.DataFrame:
    """A row a case and model, as `fusion predict` writes them, and the number of the case's row."""
    from fusion.serve import cohort_predict  # which loads what answers; a server that starts need not wait for it

    rows = [
        {"row": row.name, **told, "case": row.case}
        for row in done.rows
        if row.name in done.answers
        for told in cohort_predict.rows_of(done.answers[row.name])
    ]
    table = cohort_predict.as_table(rows)
    return table[["row", *(name for name in table if name != "row")]] if rows else table
