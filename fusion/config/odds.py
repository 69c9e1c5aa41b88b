"""The tables of odds ratios: which variables enter together, and how they are fitted."""

from typing import Annotated, Literal

from pydantic import Field

from fusion.config.part import Fraction, Part


class ByP(Part):
    """Variables whose univariable P is below a limit, as Shen 2026 did: biased, since the outcome chose them."""

    kind: Literal["univariable_p"] = "univariable_p"
    below: Fraction = 0.05


class All(Part):
    """Every variable of `cohort.clinical`."""

    kind: Literal["all"] = "all"


class Named(Part):
    """Variables chosen beforehand."""

    kind: Literal["named"] = "named"
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns of `cohort.clinical`."""


class Odds(Part):
    """Univariable and multivariable logistic regression of the clinical variables, in the training set."""

    firth: Literal["never", "always", "separation"] = "separation"
    """Firth's penalised likelihood (1993): `separation` where maximum likelihood has no finite estimate, and said so;
    `never` leaves such rows empty."""
    variables: Annotated[ByP | All | Named, Field(discriminator="kind")] = ByP()
    """Which variables enter the multivariable model; none is dropped stepwise."""

    @property
    def names(self) -> tuple[str, ...]:
        """Variables named beforehand; none otherwise."""
        return self.variables.names if isinstance(self.variables, Named) else ()
