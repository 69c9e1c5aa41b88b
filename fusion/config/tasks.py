"""Several sequences, several questions: where the slices of a case lie, and what is told from them."""

from typing import Annotated

from pydantic import Field, model_validator

from fusion.config.cohort_value import Level
from fusion.config.part import Count, Part

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Of a task, a sequence or a class: it names files and models, and `+`, `/` and `,` join names."""
Name = Annotated[str, Field(pattern=NAME)]


class Sequence(Part):
    """One sequence (or modality): the column with its slices, and how their grey values are brought to 0..255."""

    column: str
    """Column with the path of the slice (PNG, JPEG, DICOM) or of a volume (NIfTI, NRRD, MHA); an empty cell means that
    the case lacks the sequence."""
    mask: str | None = None
    """Column with the tumour's mask on the same grid. A volume needs one: its slice of largest tumour area is taken."""
    window: tuple[float, float] | None = None
    """Grey values that become 0 and 255; null leaves 8-bit pictures as they are and takes the 0.5 and 99.5 percentiles
    of any other slice."""

    @model_validator(mode="after")
    def _ordered(self) -> "Sequence":
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError("window must be [low, high] with low < high")
        return self


class Task(Part):
    """One question: which outcome values make which class. Cases with other values have no part in it."""

    classes: dict[str, Annotated[tuple[Level, ...], Field(min_length=1)]] = Field(min_length=2)
    """Outcome values by class; the order is that of tables and figures."""
    positive: str | None = None
    """The positive class of two; null with more, where every class is judged against all others."""
    images: dict[str, Count] | None = None
    """Rotated images by class in `paper_literal`; null for `literal.copies` of every slice."""

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        values = [str(value) for own in self.classes.values() for value in own]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"classes that do not share {', '.join(twice)}")
        if len(self.classes) == 2 and self.positive not in self.classes:
            raise ValueError(f"positive: one of {', '.join(self.classes)}, as there are two classes")
        if len(self.classes) > 2 and self.positive is not None:
            raise ValueError("no positive class, as there are more than two classes")
        if self.images is not None and set(self.images) != set(self.classes):
            raise ValueError("images for every class, or for none")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The classes; of two the negative first, so that label 1 is the event."""
        if self.positive is None:
            return tuple(self.classes)
        return tuple(sorted(self.classes, key=lambda name: name == self.positive))


class Literal(Part):
    """The leaking protocol of Kaba 2025, beside the honest one: rotate first, then split images at random."""

    copies: Count = 5
    """Rotated images a slice, where the task has no `images` of its own."""
    angles: tuple[float, float, float] = (-45.0, 45.0, 5.0)
    """Smallest and largest angle and the step between, in degrees; an image's angle is drawn from these."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Of the images that judge, drawn at random by class, whoever's they are."""
