"""A cohort's cells where a case has slices of several sequences, and outcome values that tasks make classes of."""

from dataclasses import dataclass

import pandas as pd

from fusion.config.cohort import Cohort
from fusion.config.tasks import Sequence, Task
from fusion.data.study import Scan, Study
from fusion.data.words import word
from fusion.errors import Fault

HAS = "has_"
"""What the name of a sequence's column begins with in the rows of a cohort: 1 where the case has it."""


@dataclass(frozen=True)
class Sequences:
    """What a table needs beside ids, sets and clinical columns: slices of the sequences, and an outcome of classes."""

    cohort: Cohort
    names: tuple[str, ...]
    """Sequences in use."""
    tasks: dict[str, Task]
    """Tasks in use."""

    @property
    def columns(self) -> dict[str, str]:
        """Columns that must be there, by the config's field; those of sequences not in use need not."""
        used = {name: self.cohort.sequences[name] for name in self.names}
        masks = {own.mask: f"sequences.{name}.mask" for name, own in used.items() if own.mask is not None}
        images = {own.column: f"sequences.{name}.column" for name, own in used.items()}
        return {**{field: column for column, field in {**masks, **images}.items()}, "outcome": self.cohort.outcome}

    @property
    def more_columns(self) -> dict[str, str]:
        """Nothing further."""
        return {}

    def _of(self, name: str) -> Sequence:
        return self.cohort.sequences[name]

    def outcome(self, words: pd.DataFrame) -> pd.Series:
        """The column ``outcome``, as words."""
        return words[self.cohort.outcome].rename("outcome")

    def extra(self, words: pd.DataFrame) -> dict[str, pd.Series]:
        """Which sequences a case has."""
        return {f"{HAS}{name}": (words[self._of(name).column] != "").astype(int) for name in self.names}

    def outcome_faults(self, words: pd.DataFrame) -> list[Fault]:
        """Outcomes in no class of any task, in use or not (a typing error would drop the case); classes of nobody."""
        cohort = self.cohort
        known = sorted({value for task in cohort.tasks.values() for own in _values(task).values() for value in own})
        remedy = "mend the cell, add the value to a class of cohort.tasks, or delete the row"
        faults = [
            Fault(f"{cohort.outcome} = {value!r}", f"one of {', '.join(map(repr, known))}", remedy, case,
                  str(cohort.table))
            for case, value in zip(words[cohort.case], words[cohort.outcome], strict=True)
            if value not in known
        ]  # fmt: skip
        return faults or self._nobody(words, "the table")

    def set_faults(self, words: pd.DataFrame, name: str) -> list[Fault]:
        """Classes that the set ``name`` lacks; a set other than train may have no case at all.

        Args:
            words: the rows of that set.
            name: train, test or external.
        """
        return self._nobody(words, f"set {name}") if len(words) or name == "train" else []

    def _nobody(self, words: pd.DataFrame, where: str) -> list[Fault]:
        there = set(words[self.cohort.outcome])
        remedy = "add cases, merge the class with another in cohort.tasks, or leave the task out (tasks=...)"
        return [
            Fault(f"no case of class {name} ({', '.join(own)}) in {where}", f"every class of task {task}", remedy,
                  file=str(self.cohort.table))
            for task, classes in self.tasks.items()
            for name, own in _values(classes).items()
            if not there & set(own)
        ]  # fmt: skip

    def cell_faults(self, words: pd.DataFrame) -> list[Fault]:
        """Cases without any sequence, sequences that no case has, slices whose mask is missing."""
        return self._bare(words) + self._unused(words) + self._unmasked(words)

    def _bare(self, words: pd.DataFrame) -> list[Fault]:
        """A case may lack all sequences in use, but not all that the table has."""
        columns = [own.column for own in self.cohort.sequences.values() if own.column in words]
        bare = words[self.cohort.case][(words[columns] == "").all(axis=1)]
        found, remedy = f"no path in any of {', '.join(columns)}", "fill a cell or delete the row"
        return [Fault(found, "one sequence at least", remedy, case, str(self.cohort.table)) for case in bare]

    def _unused(self, words: pd.DataFrame) -> list[Fault]:
        table, remedy = str(self.cohort.table), "fill it, or leave the sequence out (sequences=...)"
        return [
            Fault(f"no path in column {self._of(name).column}", f"a case with sequence {name}", remedy, file=table)
            for name in self.names
            if (words[self._of(name).column] == "").all()
        ]

    def _unmasked(self, words: pd.DataFrame) -> list[Fault]:
        remedy = "fill the cell, empty the image's cell, or take the mask out of cohort.sequences"
        return [
            Fault(f"no path in column {own.mask}", f"the mask of {name} beside its slice", remedy, case,
                  str(self.cohort.table))
            for name in self.names
            if (own := self._of(name)).mask is not None
            for case in words[self.cohort.case][(words[own.column] != "") & (words[own.mask] == "")]
        ]  # fmt: skip

    def files(self, words: pd.DataFrame) -> tuple[Study, ...]:
        """An entry for every row, with the scans of the sequences in use that are there, mask and all."""
        return tuple(self._study(row) for _, row in words.iterrows())

    def _study(self, row: "pd.Series[str]") -> Study:
        scans = [scan for name in self.names if (scan := self._scan(row, name)) is not None]
        return Study(row[self.cohort.case], tuple(scans))

    def _scan(self, row: "pd.Series[str]", name: str) -> Scan | None:
        own, folder = self._of(name), self.cohort.table.parent
        if not row[own.column] or (own.mask is not None and not row[own.mask]):
            return None
        return Scan(name, folder / row[own.column], None if own.mask is None else folder / row[own.mask])


def _values(task: Task) -> dict[str, tuple[str, ...]]:
    """Outcome words by class."""
    return {name: tuple(map(word, own)) for name, own in task.classes.items()}
