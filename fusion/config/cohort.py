"""The cohort of a run: its table, the names of its columns, the phantom that may stand in its place."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from fusion.config.cohort_value import Level
from fusion.config.dicom import Dicom
from fusion.config.eligibility import Rule, measured_last
from fusion.config.part import Fraction, Part, Positive
from fusion.config.tasks import Name, Sequence, Task

__all__ = ["Category", "Cohort", "Level", "MriPhantom", "Number", "Phantom"]


class Phantom(Part):
    """A synthetic cohort with a known answer, made where the cohort table does not exist yet."""

    kind: Literal["ct"] = "ct"
    cases: Annotated[int, Field(ge=8)] = 357
    """Number of cases."""
    prevalence: Fraction = 89 / 357
    """Share of malignant cases; the default is Shen 2026's 89 of 357."""
    preset: Literal["default", "strong", "null"] = "default"
    """`strong` has larger clinical odds ratios; `null` has no signal at all."""
    size: Literal["crop", "neck"] = "crop"
    """`crop` is 112x112x12 voxels round the tumour, `neck` the whole 512x512x24 field."""
    seed: Annotated[int, Field(ge=0)] = 0


class MriPhantom(Part):
    """A synthetic cohort of slices in six sequences with a known answer, made where the table does not exist yet."""

    kind: Literal["mri"] = "mri"
    cases: Annotated[int, Field(ge=10)] = 117
    """Number of tumours; the shares of the five histologies are Kaba 2025's."""
    preset: Literal["default", "null", "noise"] = "default"
    """`null` mixes the laws over tumours without their label, in pictures and clinical columns; `noise` does too, and
    its pictures are pure noise, unrelated to anything."""
    pixels: Annotated[int, Field(ge=32, le=512)] = 224
    """Rows and columns of a slice, which is 100 mm wide at any number."""
    seed: Annotated[int, Field(ge=0)] = 0


def _kind(value: Any) -> str:
    """A phantom without a kind is a CT."""
    return value.get("kind", "ct") if isinstance(value, dict) else getattr(value, "kind", "ct")


class Number(Part):
    """A clinical variable that is a number."""

    kind: Literal["number"] = "number"
    low: float | None = None
    """Smallest value that is not a typing error."""
    high: float | None = None
    """Largest value that is not a typing error."""


class Category(Part):
    """A clinical variable with named levels."""

    kind: Literal["category"] = "category"
    values: Annotated[tuple[Level, ...], Field(min_length=2)]
    """Every level that may occur; the first is the reference level."""


class Cohort(Part):
    """The case table and the names of its columns; paths in the table are relative to the table."""

    table: Path
    """CSV, Excel or Parquet; one row a case."""
    phantom: (
        Annotated[Annotated[Phantom, Tag("ct")] | Annotated[MriPhantom, Tag("mri")], Discriminator(_kind)] | None
    ) = None
    """Make this phantom beside `table` if the table does not exist."""
    case: str = "case"
    """Column with the unique id of a case."""
    patient: str = "patient"
    """Column with the patient; rows of one patient never part. Without it every case is a patient."""
    image: str = "ct"
    """Column with the path of the image (NIfTI, NRRD, MHA; folder or zip of a DICOM series, one of its files)."""
    tumour: str = "tumour"
    """Column with the path of the tumour mask (as the image; for a DICOM image also RTSTRUCT and SEG)."""
    sequences: dict[Name, Sequence] = Field(default={})
    """Sequences by name, for slices in place of `image` and `tumour`; together with `tasks`."""
    tasks: dict[Name, Task] = Field(default={})
    """Questions by name, for `sequences`; they replace `positive` and `negative`."""
    external2: str = "external2"
    """Optional column with the path of a hand-refined ring; an empty cell means the automatic ring."""
    second_reader: str = "tumour_reader2"
    """Optional column with a second reader's tumour mask, given for some cases."""
    repeat: str = "tumour_repeat"
    """Optional column with the first reader's mask drawn again, given for some cases."""
    label: Annotated[int, Field(ge=1)] = 1
    """Value of the tumour in the tumour mask, and of the ring in a hand-refined ring."""
    roi: str | None = None
    """Of masks with several named structures or segments (RTSTRUCT, DICOM SEG, 3D Slicer's .seg.nrrd): the tumour's
    name, `#` and its number, or a regular expression that one name holds. Without it the only one, or the one named
    like a tumour."""
    outcome: str = "malignant"
    """Column with the outcome."""
    positive: Level = 1
    """Outcome value of the positive class."""
    negative: Level = 0
    """Outcome value of the other class."""
    positive_name: str = "malignant"
    """Name of the positive class in every table and figure."""
    negative_name: str = "benign"
    """Name of the other class."""
    set: str = "set"
    """Optional column that fixes the set of a case: train, test or external."""
    scanner: str = "scanner"
    """Optional column with the scanner."""
    readers: dict[str, str] = Field(default={})
    """Readers by name and the column of each one's call, coded as the outcome is; an empty cell was not read."""
    clinical: dict[str, Annotated[Number | Category, Field(discriminator="kind")]] = Field(default={})
    """Clinical columns by name; `{kind: number}` or `{kind: category, values: [reference, other]}`."""
    eligibility: Annotated[tuple[Rule, ...], AfterValidator(measured_last)] = ()
    """Who belongs to the cohort, rule by rule in this order; a case leaves at the first rule that it does not meet, and
    the report's flow chart counts them. Outcome, clinical values and files of cases that left are not checked."""
    dicom: Dicom = Dicom()
    """How DICOM series and masks are read."""
    shuffle_outcome: bool = False
    """Canary: permute the outcome over patients' rows (seeded); every model must then score chance."""
    tolerance_mm: Positive = 1e-3
    """How far spacing and origin of image and mask may differ, in mm."""
    tolerance_direction: Positive = 1e-4
    """How far an entry of the direction matrices of image and mask may differ."""

    @model_validator(mode="after")
    def _tasks_with_sequences(self) -> "Cohort":
        if bool(self.sequences) != bool(self.tasks):
            raise ValueError("sequences and tasks together, or neither")
        if self.sequences and self.readers:
            raise ValueError("no readers, who call one event, with tasks")
        return self
