"""Who belongs to the cohort: rules on columns of the table and on the measured tumour."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fusion.config.cohort_value import Level
from fusion.config.part import Part, Positive


class OneOf(Part):
    """The cell of a column holds one of some values."""

    kind: Literal["one_of"] = "one_of"
    column: str
    """Any column of the table, a clinical one or not."""
    values: Annotated[tuple[Level, ...], Field(min_length=1)]


class InRange(Part):
    """The number in a column lies below one limit or above another."""

    kind: Literal["number"] = "number"
    column: str
    """Any column of the table, a clinical one or not."""
    below: float | None = None
    """True of smaller numbers; the limit itself does not count."""
    above: float | None = None
    """True of larger numbers; the limit itself does not count."""

    @model_validator(mode="after")
    def _limited(self) -> "InRange":
        if self.below is None and self.above is None:
            raise ValueError("below, above or both")
        return self


class Missing(Part):
    """The cell of one of some columns is empty."""

    kind: Literal["missing"] = "missing"
    columns: Annotated[tuple[str, ...], Field(min_length=1)]


class Diameter(Part):
    """The largest diameter of the tumour's mask in any axial slice, measured from voxel edge to voxel edge."""

    kind: Literal["diameter"] = "diameter"
    below_mm: Positive | None = None
    """True of smaller tumours; the limit itself does not count."""
    above_mm: Positive | None = None
    """True of larger tumours; the limit itself does not count."""

    @model_validator(mode="after")
    def _limited(self) -> "Diameter":
        if self.below_mm is None and self.above_mm is None:
            raise ValueError("below_mm, above_mm or both")
        return self


Condition = Annotated[OneOf | InRange | Missing | Diameter, Field(discriminator="kind")]


class Rule(Part):
    """One box of the flow chart: a condition that a case must meet to stay (`include`) or to leave (`exclude`)."""

    name: Annotated[str, Field(min_length=1)]
    """As the flow chart tells it, such as `largest axial diameter < 10 mm`."""
    include: Condition | None = None
    exclude: Condition | None = None

    @model_validator(mode="after")
    def _one(self) -> "Rule":
        if (self.include is None) == (self.exclude is None):
            raise ValueError("include or exclude, one of them")
        return self

    @property
    def condition(self) -> OneOf | InRange | Missing | Diameter:
        """What is asked, of those that stay or of those that leave."""
        found = self.include or self.exclude
        assert found is not None
        return found

    @property
    def measured(self) -> bool:
        """Whether it asks for the mask."""
        return isinstance(self.condition, Diameter)


def measured_last(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules, if those that need masks come after those that need the table alone.

    Raises:
        ValueError: a rule on the table after one on the mask, or two of one name.
    """
    if [own.measured for own in rules] != sorted(own.measured for own in rules):
        raise ValueError("rules of kind diameter last: the others are applied before any mask is read")
    if len({own.name for own in rules}) < len(rules):
        raise ValueError("a name of its own for each rule")
    return rules
