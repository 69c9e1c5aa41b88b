"""How a cohort is parted into those who are learned from and those who judge: one field, `split`, of several kinds."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from fusion.config.cohort_value import Level
from fusion.config.part import Count, Fraction, Part

Folds = Annotated[int, Field(ge=2, le=20)]
TestFraction = Annotated[float, Field(ge=0, lt=1)]


def _in_words(value: object) -> object:
    """YAML reads 2019-03-01 as a date."""
    return value.isoformat() if isinstance(value, date) else value


Moment = Annotated[str | int | float, BeforeValidator(_in_words)]
"""A date as 2019-03-01, or a number such as a year."""


class Holdout(Part):
    """One test set and folds in the rest, by patient, stratified by outcome; written to splits.csv."""

    kind: Literal["holdout"] = "holdout"
    test_fraction: TestFraction = 0.3
    """Share of patients kept for the test set; 0 for none. Ignored where the table has a `set` column."""
    folds: Folds = 5
    """Folds inside the training set."""
    file: Path | None = None
    """Read this splits.csv back instead of drawing a split."""


class Nested(Part):
    """Every patient is tested once: a round a fold of `outer`, and in each round folds of its own in the rest."""

    kind: Literal["nested"] = "nested"
    outer: Folds = 5
    """Rounds; each tests one part of the patients."""
    folds: Folds = 5
    """Folds inside the training set of a round: they choose thresholds, calibrate and stack."""


class Repeated(Part):
    """Cross-validation drawn again and again, without a test set: what a figure owes to the luck of the draw."""

    kind: Literal["repeated"] = "repeated"
    repeats: Annotated[int, Field(ge=2, le=100)] = 5
    """Rounds; each deals all patients into other folds. The first is what `test_fraction: 0` of a holdout gives."""
    folds: Folds = 5
    """Folds of a round."""


class LeaveOneScannerOut(Part):
    """A round a scanner: its patients are tested by models that saw only the others'."""

    kind: Literal["leave_one_scanner_out"] = "leave_one_scanner_out"
    column: str | None = None
    """Column of the cohort table with the scanner, the hospital or the like; null for `cohort.scanner`."""
    folds: Folds = 5
    """Folds inside the training set of a round, drawn without a look at the scanner."""
    fewest: Count = 2
    """Patients of every class that a scanner needs to be a round of its own."""
    pool_small: bool = False
    """Scanners with fewer are one round together, `others`; false refuses them."""


class Temporal(Part):
    """The newest patients are the test set.

    A patient counts by the newest case, and no earlier case of a tested patient is learned from: it is tested too.
    """

    kind: Literal["temporal"] = "temporal"
    column: str
    """Column of the cohort table with a date (2019-03-01) or a number such as a year."""
    since: Moment | None = None
    """First date or number of the test set; null for the newest `test_fraction`."""
    test_fraction: Fraction = 0.3
    """Share of patients in the test set, by their newest case, those of the same date all in or all out, at least this
    many. Ignored with `since`."""
    folds: Folds = 5
    """Folds inside the training set."""


class External(Part):
    """Cases with certain values in a column (another hospital's) are the external set; the rest is a holdout."""

    kind: Literal["external"] = "external"
    column: str
    """Column of the cohort table."""
    values: Annotated[tuple[Level, ...], Field(min_length=1)]
    """Values of the external cases."""
    test_fraction: TestFraction = 0.3
    """Share of the other patients kept for a test set; 0 for none. Ignored where the table has a `set` column."""
    folds: Folds = 5
    """Folds inside the training set."""


def _kind(value: Any) -> str:
    """A split without a kind is a holdout."""
    return value.get("kind", "holdout") if isinstance(value, dict) else getattr(value, "kind", "holdout")


Rounds = Nested | Repeated | LeaveOneScannerOut
"""Splits with several rounds, each with a training set of its own."""
Split = Annotated[
    Annotated[Holdout, Tag("holdout")]
    | Annotated[Nested, Tag("nested")]
    | Annotated[Repeated, Tag("repeated")]
    | Annotated[LeaveOneScannerOut, Tag("leave_one_scanner_out")]
    | Annotated[Temporal, Tag("temporal")]
    | Annotated[External, Tag("external")],
    Discriminator(_kind),
]


def file_of(split: Split) -> Path | None:
    """The file that the split is read from, if it is."""
    return split.file if isinstance(split, Holdout) else None


def without_file(split: Split) -> Split:
    """The same split without a file to read it from."""
    return split.model_copy(update={"file": None}) if isinstance(split, Holdout) else split
