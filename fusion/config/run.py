"""A run, field by field: frozen, ranges in the types, docstrings become the schema."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from fusion.config.cohort import Cohort
from fusion.config.compute import Compute
from fusion.config.evaluate import Evaluate
from fusion.config.heads import Heads
from fusion.config.network import Network
from fusion.config.part import Part
from fusion.config.radiomics import Radiomics
from fusion.config.roi import Roi
from fusion.config.split import Holdout, Split
from fusion.config.tasks import Literal, Task

MODELS = (
    "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD",
    "Tumor_DL", "External2_DL", "Tumor+External2_DL",
    "Tumor_RAD+DL", "External2_RAD+DL", "Tumor+External2_RAD+DL",
    "Clinical", "Combined",
)  # fmt: skip
"""The eleven models of Shen 2026, Table 1, in its order."""


FUSED = "fused"
"""Stands in a model's name for all sequences of the run."""
BESIDE = ("RAD", "RAD+DL", "Clinical", "Combined")
"""Models of a task that are no network."""


def _listed(value: object) -> object:
    """`tasks=a,b` on the command line is a list of two."""
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


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
    compute: Compute = Compute()
    """Where the work is done. Does not change a number."""
    may_lose: Annotated[int, Field(ge=0)] = 0
    """Cases that may fail, in reading, outlining or measuring, without stopping the run before it fits anything; the
    others keep the set and fold that they have without the loss."""
    cohort: Cohort
    tasks: Names | None = None
    """Tasks of `cohort.tasks` to answer; null for all."""
    sequences: Names | None = None
    """Sequences of `cohort.sequences` to use; null for all."""
    fused: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = ()
    """Sets of sequences that one network sees together, a branch each; a case's missing ones are left out of the sum.
    The first set stands for the networks in RAD+DL and Combined."""
    literal: Literal | None = None
    """Train every task and sequence a second time by the leaking protocol of Kaba 2025; null does not."""
    split: Split = Holdout()
    roi: Roi = Roi()
    radiomics: Radiomics = Radiomics()
    network: Network | None = Network()
    """null leaves the networks out: radiomics and clinical models only."""
    heads: Heads = Heads()
    evaluate: Evaluate = Evaluate()
    bundle: bool = True
    """Leave the deployable model in bundle/; false for runs that are only compared. Does not change a number."""

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
    def _tasks_and_sequences_exist(self) -> "Run":
        for field, known in (("tasks", self.cohort.tasks), ("sequences", self.cohort.sequences)):
            unknown = [name for name in getattr(self, field) or () if name not in known]
            if unknown:
                raise ValueError(f"{field} names {unknown}; cohort.{field} has {', '.join(known) or 'none'}")
        if unknown := sorted({name for own in self.fused for name in own if name not in self.used_sequences}):
            raise ValueError(f"fused names {unknown}; sequences in use are {', '.join(self.used_sequences) or 'none'}")
        if self.literal is not None and not self.cohort.tasks:
            raise ValueError(
                "literal is for cohort.tasks; of regions heads.stacking=paper_literal is the paper's reading"
            )
        return self

    @model_validator(mode="after")
    def _input_fits(self) -> "Run":
        """Slices go to networks of pictures, regions to the others."""
        if self.network is None:
            return self
        if (self.network.input.kind == "picture") != bool(self.cohort.sequences):
            wanted = "picture, for cohort.sequences" if self.cohort.sequences else "slices, slice_mean or volume"
            raise ValueError(f"network.input.kind is {self.network.input.kind}; {wanted}")
        if self.network.mixup and self.fused:
            raise ValueError(
                "network.mixup is for networks of one branch, as a mixed picture hides a missing one; set 0"
            )
        return self

    @model_validator(mode="after")
    def _heads_fit(self) -> "Run":
        """What heads of regions can do and those of tasks cannot."""
        if not self.cohort.tasks:
            return self
        if self.heads.stacking != "oof_score":
            raise ValueError(f"heads.stacking is {self.heads.stacking}; oof_score, the one for cohort.tasks")
        for name in ("icc", "harmonise"):
            if getattr(self.heads, name) is not None:
                raise ValueError(f"heads.{name} is for regions; null, with cohort.tasks")
        if taken := sorted({*self.cohort.sequences} & {FUSED, *BESIDE}):
            raise ValueError(f"cohort.sequences has {', '.join(taken)}, which is a model's name; name it otherwise")
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
    def used_tasks(self) -> dict[str, Task]:
        """The tasks to answer, in the cohort's order."""
        return {name: task for name, task in self.cohort.tasks.items() if self.tasks is None or name in self.tasks}

    @property
    def used_sequences(self) -> tuple[str, ...]:
        """The sequences in use, in the cohort's order."""
        return tuple(name for name in self.cohort.sequences if self.sequences is None or name in self.sequences)

    @property
    def views(self) -> dict[str, tuple[int, ...]]:
        """What a network of a task sees: numbers of ``used_sequences`` by name, single ones first.

        A set's name is its sequences joined by `+`, or `fused` where it holds all of them.
        """
        names = self.used_sequences
        found: dict[str, tuple[int, ...]] = {name: (number,) for number, name in enumerate(names)}
        for own in self.fused:
            numbers = tuple(sorted({names.index(name) for name in own}))
            found[FUSED if len(numbers) == len(names) else "+".join(names[n] for n in numbers)] = numbers
        return found

    @property
    def masked(self) -> bool:
        """Whether every sequence in use has a mask, so that there are 2-D radiomics."""
        return bool(self.cohort.sequences) and all(self.cohort.sequences[n].mask for n in self.used_sequences)

    def task_models(self, task: str) -> tuple[str, ...]:
        """A task's models without its name: networks by view, then radiomics, clinical and what combines them."""
        nets = tuple(self.views) if self.network is not None else ()
        joined = [name for name in nets if len(self.views[name]) > 1]
        makes = {
            "RAD": self.masked, "RAD+DL": self.masked and bool(joined), "Clinical": bool(self.predictors),
            "Combined": bool(self.predictors) and (self.masked or bool(joined)),
        }  # fmt: skip
        return (*nets, *(name for name in BESIDE if makes[name]))

    @property
    def models(self) -> tuple[str, ...]:
        """The models this run can make, in Table 1's order: no DL without networks, no Clinical without predictors.

        Combined without networks is the radiomics score of both regions with the clinical predictors. With tasks the
        models are TASK/SEQUENCE, and the others of ``task_models``.
        """
        if self.cohort.tasks:
            return tuple(f"{task}/{name}" for task in self.used_tasks for name in self.task_models(task))
        return tuple(
            name
            for name in MODELS
            if (self.network is not None or "DL" not in name)
            and (self.predictors or name not in ("Clinical", "Combined"))
        )
