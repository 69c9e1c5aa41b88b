"""A cohort's cells where a case has one image with a tumour mask, and an outcome of two values."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fusion.config.cohort import Cohort
from fusion.data.case import Files
from fusion.data.words import word
from fusion.errors import Fault

READER = "reader:"
"""What the name of a reader's column begins with in the rows of a cohort."""


@dataclass(frozen=True)
class OneImage:
    """What a table needs beside ids, sets and clinical columns: image, tumour, a binary outcome, readers' calls."""

    cohort: Cohort

    @property
    def columns(self) -> dict[str, str]:
        """Columns that must be there, by the config's field."""
        return {"image": self.cohort.image, "tumour": self.cohort.tumour, "outcome": self.cohort.outcome}

    @property
    def more_columns(self) -> dict[str, str]:
        """Further columns that must be there."""
        return {f"readers.{name}": column for name, column in self.cohort.readers.items()}

    def outcome(self, words: pd.DataFrame) -> pd.Series:
        """The column ``event``: 1 for the positive class."""
        return (words[self.cohort.outcome] == word(self.cohort.positive)).astype(int).rename("event")

    def extra(self, words: pd.DataFrame) -> dict[str, pd.Series]:
        """Readers' calls, coded as the event is; missing where a case was not read."""
        calls = {word(self.cohort.positive): 1, word(self.cohort.negative): 0}
        readers = self.cohort.readers.items()
        return {f"{READER}{name}": words[column].map(calls).astype("Int64") for name, column in readers}

    def outcome_faults(self, words: pd.DataFrame) -> list[Fault]:
        """Outcomes that are neither value, or all the same."""
        cohort, table = self.cohort, str(self.cohort.table)
        known = (word(cohort.positive), word(cohort.negative))
        faults = [
            Fault(f"{cohort.outcome} = {value!r}", f"{known[0]!r} or {known[1]!r}",
                  "mend the cell or set cohort.positive and cohort.negative", case, table)
            for case, value in zip(words[cohort.case], words[cohort.outcome], strict=True)
            if value not in known
        ]  # fmt: skip
        if not faults and words[cohort.outcome].nunique() < 2:
            found = f"one class only ({cohort.outcome} = {words[cohort.outcome].iloc[0]!r} in all {len(words)} rows)"
            faults.append(Fault(found, "cases of both classes", "add cases or set cohort.outcome", file=table))
        return faults

    def set_faults(self, words: pd.DataFrame, name: str) -> list[Fault]:
        """What the set ``name`` lacks to train on or to judge by.

        Args:
            words: the rows of that set.
            name: train, test or external.
        """
        classes = words[self.cohort.outcome].nunique()
        if classes > 1 or (classes == 0 and name != "train"):
            return []
        found = f"{'no case' if classes == 0 else 'one class only'} in set {name}"
        return [Fault(found, "cases of both classes", "mend the set column", file=str(self.cohort.table))]

    def cell_faults(self, words: pd.DataFrame) -> list[Fault]:
        """Unknown calls of readers, and paths that are not there."""
        return self._calls(words) + self._paths(words)

    def _calls(self, words: pd.DataFrame) -> list[Fault]:
        cohort = self.cohort
        known = (word(cohort.positive), word(cohort.negative))
        return [
            Fault(f"{column} = {value!r}", f"{known[0]!r}, {known[1]!r} or an empty cell, as reader {name}'s call",
                  f"mend the cell or cohort.readers.{name}", case, str(cohort.table))
            for name, column in cohort.readers.items()
            for case, value in zip(words[cohort.case], words[column], strict=True)
            if value not in (*known, "")
        ]  # fmt: skip

    def _paths(self, words: pd.DataFrame) -> list[Fault]:
        cohort = self.cohort
        return [
            Fault(f"no path in column {name}", "the path of a file", "fill the cell or delete the row", case,
                  str(cohort.table))
            for name in (cohort.image, cohort.tumour)
            for case in words[cohort.case][words[name] == ""]
        ]  # fmt: skip

    def files(self, words: pd.DataFrame) -> tuple[Files, ...]:
        """An entry for every row with an image and a mask."""
        return tuple(own for _, row in words.iterrows() if (own := self._files(row)) is not None)

    def _files(self, row: "pd.Series[str]") -> Files | None:
        cohort = self.cohort

        def path(column: str) -> Path | None:
            return cohort.table.parent / row[column] if row.get(column) else None

        optional = {role: path(getattr(cohort, role)) for role in ("external2", "second_reader", "repeat")}
        image, tumour = path(cohort.image), path(cohort.tumour)
        if image is None or tumour is None:
            return None
        return Files(row[cohort.case], image, tumour, **optional)
