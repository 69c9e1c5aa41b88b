"""A run, field by field: frozen, ranges in the types, docstrings become the schema."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from fusion.config.cohort import Cohort, Split
from fusion.config.evaluate import Evaluate
from fusion.config.heads import Heads
from fusion.config.network import Network
from fusion.config.part import Part
from fusion.config.radiomics import Radiomics
from fusion.config.roi import Roi

MODELS = (
    "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD",
    "Tumor_DL", "External2_DL", "Tumor+External2_DL",
    "Tumor_RAD+DL", "External2_RAD+DL", "Tumor+External2_RAD+DL",
    "Clinical", "Combined",
)  # fmt: skip
"""The eleven models of Shen 2026, Table 1, in its order."""


class Run(Part):
    """Everything that decides the numbers of a run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Names the run folder."""
    output: Path | None = None
    """The run folder; default runs/NAME."""
    cache: Path | None = None
    """Folder that keeps each case's radiomics by content, shared between runs; default inside the run folder."""
    seed: Annotated[int, Field(ge=0)] = 0
    jobs: Annotated[int, Field(ge=0)] = 0
    """Worker processes; 0 for every core. Does not change a number."""
    cohort: Cohort
    split: Split = Split()
    roi: Roi = Roi()
    radiomics: Radiomics = Radiomics()
    network: Network | None = Network()
    """null leaves the networks out: radiomics and clinical models only."""
    heads: Heads = Heads()
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _clinical_predictors_exist(self) -> "Run":
        unknown = [name for name in self.heads.clinical or () if name not in self.cohort.clinical]
        if unknown:
            raise ValueError(f"heads.clinical names {unknown}, which cohort.clinical does not describe")
        return self

    @model_validator(mode="after")
    def _variables_of_the_odds_exist(self) -> "Run":
        unknown = [name for name in self.evaluate.odds.names if name not in self.cohort.clinical]
        if unknown:
            raise ValueError(f"evaluate.odds.variables names {unknown}, which cohort.clinical does not describe")
        return self

    @model_validator(mode="after")
    def _compared_models_exist(self) -> "Run":
        compared = self.evaluate.reclassification
        unknown = [name for name in (compared.old, compared.new) if name not in MODELS]
        if unknown:
            raise ValueError(f"evaluate.reclassification names {unknown}; models are {', '.join(MODELS)}")
        return self

    @model_validator(mode="after")
    def _readers_are_no_models(self) -> "Run":
        both = [name for name in self.cohort.readers if name in MODELS]
        if both:
            raise ValueError(f"cohort.readers has {both}, which is a model's name; name the reader otherwise")
        return self

    @model_validator(mode="after")
    def _validated_models_are_made(self) -> "Run":
        asked = self.evaluate.validation.models if self.evaluate.validation is not None else None
        if absent := [name for name in asked or () if name not in self.models]:
            raise ValueError(f"evaluate.validation.models names {absent}, which this run does not make")
        return self

    @model_validator(mode="after")
    def _one_label(self) -> "Run":
        if self.radiomics.label not in (1, self.cohort.label):
            raise ValueError(f"radiomics.label is {self.radiomics.label}; a run reads its masks by cohort.label, "
                             f"which is {self.cohort.label}")  # fmt: skip
        return self

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.output or Path("runs") / self.name

    @property
    def predictors(self) -> tuple[str, ...]:
        """Clinical predictors in use."""
        return tuple(self.cohort.clinical) if self.heads.clinical is None else self.heads.clinical

    @property
    def models(self) -> tuple[str, ...]:
        """The models this run can make, in Table 1's order: no DL without networks, no Clinical without predictors.

        Combined without networks is the radiomics score of both regions with the clinical predictors.
        """
        return tuple(
            name
            for name in MODELS
            if (self.network is not None or "DL" not in name)
            and (self.predictors or name not in ("Clinical", "Combined"))
        )
