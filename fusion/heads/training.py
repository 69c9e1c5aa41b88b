"""What one question's final heads are fitted on: the whole training set, in the order of the run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray

from fusion.config.heads import Heads
from fusion.heads.classes import by_class
from fusion.heads.combine import DEEP, SOURCES, predictors, radiomics_inputs
from fusion.heads.parts import FINAL, parts
from fusion.heads.task import known_sources, reading, scored_cases
from fusion.heads.task_radiomics import RAD, side_by_side


@dataclass(frozen=True)
class Predictors:
    """What a model reads of the training cases, in the order of their rows."""

    table: pd.DataFrame
    labels: Int[ndarray, " case"]
    patients: ndarray
    scores: tuple[tuple[str, int], ...]
    """Of the first columns, source and number of the judged class; the others are clinical."""


@dataclass(frozen=True)
class Training:
    """Cases of all sets with what is known of them; ``of_regions`` and ``of_task`` make it.

    Args:
        rows: case, patient, set, fold, label (number of the class), in the order that heads are fitted in.
        classes: in the order of ``label``; of two the second is the positive one.
        radiomics: tables by source, index case.
        widths: by source, columns of what stands side by side in its table.
        scores: rows case, source, score, of several classes with class.
        clinical: encoded clinical predictors, index case.
        sources: scores that each model reads.
        networks: models that are a network's score and nothing else.
        heads: the recipe.
        seed: of LASSO's folds.
    """

    rows: pd.DataFrame
    classes: tuple[str, ...]
    radiomics: Mapping[str, pd.DataFrame]
    widths: Mapping[str, tuple[int, ...]]
    scores: pd.DataFrame
    clinical: pd.DataFrame
    sources: Mapping[str, tuple[str, ...]]
    networks: Collection[str]
    heads: Heads
    seed: int

    @classmethod
    def of_regions(
        cls, tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame,
        heads: Heads, seed: int, classes: tuple[str, ...],
    ) -> "Training":  # fmt: skip
        """Of tumour and ring.

        Args:
            tables: radiomics by region, after ``heads.icc``, index case.
            scores: features/scores.parquet.
            clinical: encoded.
            cohort: case, patient, set, fold, event.
            heads: the run's.
            seed: the run's.
            classes: names of event 0 and 1.
        """
        widths = {"+".join(tables) + "_RAD": tuple(table.shape[1] for table in tables.values())}
        rows, sources = cohort.assign(label=cohort["event"]), known_sources(SOURCES, scores)
        return cls(rows, classes, radiomics_inputs(tables), widths, scores, clinical, sources, DEEP, heads, seed)

    @classmethod
    def of_task(
        cls, tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame, rows: pd.DataFrame,
        heads: Heads, seed: int, classes: tuple[str, ...], views: Mapping[str, tuple[int, ...]],
    ) -> "Training":  # fmt: skip
        """Of one task.

        Args:
            tables: radiomics by sequence, index case; may be none.
            scores: the task's rows of features/task_scores.parquet.
            clinical: encoded.
            rows: case, patient, set, fold, label, as ``task_rows`` gives them.
            heads: the run's.
            seed: the run's.
            classes: in the order of ``label``.
            views: what each network sees.
        """
        own = rows.sort_values("case", ignore_index=True)
        joined = {RAD: side_by_side(tables, own)} if tables else {}
        widths = {RAD: tuple(table.shape[1] for table in tables.values())}
        sources = known_sources(reading(views), scores)
        return cls(own, classes, joined, widths, scores, clinical, sources, tuple(views), heads, seed)

    def scored(self, sources: tuple[str, ...]) -> pd.DataFrame:
        """The cases that have a score of each of ``sources``."""
        return scored_cases(self.rows, self.scores, "a model", sources)

    def columns(self, model: str) -> tuple[tuple[str, int], ...]:
        """Source and number of the judged class of every score that ``model`` reads."""
        every = range(1 if len(self.classes) == 2 else len(self.classes))
        return tuple((source, number) for source in self.sources[model] for number in every)

    def predictors(self, model: str) -> Predictors:
        """What ``model`` reads of the training cases that have it."""
        scores = self.columns(model)
        names = {model: tuple(self._column(*own) for own in scores)}
        rows = self.scored(self.sources[model])
        fit, _ = parts(rows, FINAL)
        table = predictors(model, self._wide, self.clinical, names).loc[rows["case"]][fit]
        known = scores[: sum(name in self._wide for name in names[model])]
        return Predictors(table, rows["label"].to_numpy()[fit], rows["patient"].to_numpy()[fit], known)

    def known(self, case: str, sources: tuple[str, ...]) -> dict[str, ndarray]:
        """A case's scores by source, of those it has."""
        found = {}
        for source in sources:
            own = [self._column(source, number) for number in range(self._judged)]
            values = self._wide.reindex(index=[case], columns=own).to_numpy(float)[0]
            if not np.isnan(values).any():
                found[source] = values
        return found

    @property
    def _judged(self) -> int:
        return 1 if len(self.classes) == 2 else len(self.classes)

    @cached_property
    def _wide(self) -> pd.DataFrame:
        """Scores by case, a column a source and judged class."""
        scores = self.scores if len(self.classes) == 2 else by_class(self.scores)
        return scores.pivot(index="case", columns="source", values="score")

    def _column(self, source: str, number: int) -> str:
        return source if len(self.classes) == 2 else f"{source}:{self.classes[number]}"
