"""A model fitted again on other cases: the one seam through which resampling and permutation reach the pipeline.

What is refitted is everything from scaling and selection on. A trained network is not: its out-of-fold score stands as
it is, so whatever is measured here of a model that reads one leaves the network's own part out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.heads import Heads
from fusion.errors import Fault, HeadError
from fusion.heads.combine import SOURCES, predictors, radiomics_inputs, stacked
from fusion.heads.harmonise import harmonised
from fusion.heads.logistic import fusion_head, log_odds, probability, radiomics_head
from fusion.heads.parts import pairs
from fusion.types import Events, Vector

Train = Int[ndarray, " train"]
"""Positions in the cohort to fit on; a case may be there more than once, as bootstrap draws it."""
Apart = Int[ndarray, " apart"]
"""Positions in the cohort to score."""


@dataclass(frozen=True)
class Material:
    """What models are refitted from; rows of every table are those of ``cohort``.

    ``radiomics`` is by source, as ``combine.radiomics_inputs`` names them, and so is ``widths``, the columns of regions
    side by side; ``networks`` has a column a source with scores that stay as they are.
    """

    cohort: pd.DataFrame
    radiomics: Mapping[str, pd.DataFrame]
    widths: Mapping[str, tuple[int, ...]]
    networks: pd.DataFrame
    clinical: pd.DataFrame
    heads: Heads
    seed: int

    @property
    def events(self) -> Events:
        """1 where the positive class was observed."""
        return self.cohort["event"].to_numpy()

    @property
    def train(self) -> Int[ndarray, " _"]:
        """Positions of the training set."""
        return np.flatnonzero(self.cohort["set"] == "train")

    def with_events(self, events: Events) -> "Material":
        """The same with another outcome."""
        return replace(self, cohort=self.cohort.assign(event=events))


def material(
    tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame,
    heads: Heads, seed: int,
) -> Material:  # fmt: skip
    """Everything in the order of the cohort.

    Args:
        tables: radiomics by region, index case.
        scores: rows case, source, score, as in features/scores.parquet; those of radiomics are not read.
        clinical: encoded clinical predictors, index case.
        cohort: columns case, patient, set, fold, event.
        heads: selection, penalties.
        seed: of LASSO's folds.
    """
    cohort = cohort.reset_index(drop=True)
    radiomics = {source: table.loc[cohort["case"]] for source, table in radiomics_inputs(tables).items()}
    widths = {"+".join(tables) + "_RAD": tuple(table.shape[1] for table in tables.values())}
    wide = scores.pivot(index="case", columns="source", values="score").loc[cohort["case"]].reset_index(drop=True)
    networks = wide[[source for source in wide if source not in radiomics]]
    encoded = clinical.loc[cohort["case"]].reset_index(drop=True)
    return Material(cohort, radiomics, widths, networks, encoded, heads, seed)


def refittable(models: Sequence[str]) -> tuple[str, ...]:
    """Those of ``models`` that are more than a network's own score.

    >>> refittable(["Tumor_RAD", "Tumor_DL", "Combined"])
    ('Tumor_RAD', 'Combined')
    """
    return tuple(model for model in models if not model.endswith("_DL"))


def holds_network(model: str, known: Material) -> bool:
    """Whether a trained network's score, which is not refitted, enters ``model``."""
    return any(source in known.networks for source in SOURCES[model])


def fit_and_score(
    models: Sequence[str], train: Train, apart: Apart, known: Material
) -> dict[str, Float[ndarray, " apart"]]:  # fmt: skip
    """Probabilities of the cases ``apart`` by ``models`` fitted on the cases ``train``, as the run fits its final ones.

    A model of several predictors reads, of the cases it is fitted on, radiomics scores that are out-of-fold inside
    ``train``; a patient's copies share the patient's fold.

    Raises:
        HeadError: one class only among ``train``, or too few cases of a class for LASSO's folds.
    """
    outer = _scores(_sources(models, known), train, apart, known)
    stacks = [model for model in models if stacked(model)]
    inner = _out_of_fold(_sources(stacks, known), train, train, known) if stacks else pd.DataFrame()
    return {
        model: _fused(model, inner, train, outer, apart, known) if stacked(model) else _alone(model, outer)
        for model in models
    }


def out_of_fold(models: Sequence[str], members: Train, known: Material) -> dict[str, Float[ndarray, " _"]]:
    """Probabilities of all training cases, each by heads that learned from ``members`` outside its fold.

    With all training cases as ``members`` these are the run's own train_oof predictions.

    Raises:
        HeadError: as ``fit_and_score``, in any fold.
    """
    train, fold = known.train, known.cohort["fold"].to_numpy()
    found = {model: np.full(len(train), np.nan) for model in models}
    inner = _inner(_sources([model for model in models if stacked(model)], known), members, known)
    for own in np.unique(fold[train]):
        apart, fit = fold[train] == own, members[fold[members] != own]
        outer = _scores(_sources(models, known), fit, train[apart], known)
        for model in models:
            found[model][apart] = (
                _fused(model, inner[int(own)].loc[fit].reset_index(drop=True), fit, outer, train[apart], known)
                if stacked(model)
                else _alone(model, outer)
            )
    return found


def _inner(sources: Sequence[str], members: Train, known: Material) -> dict[int, pd.DataFrame]:
    """By fold, what a regression that judges it may learn from: scores of ``members``, indexed by their positions.

    Without pairs of folds that may be left out (``parts.pairs``) these are plain out-of-fold scores, as in the run.
    """
    fold, cases = known.cohort["fold"].to_numpy(), np.unique(members)
    every = pairs(known.cohort, known.heads.fewest) if sources else []
    if not every:
        plain = _out_of_fold(sources, members, cases, known).set_axis(cases)
        return dict.fromkeys((int(own) for own in np.unique(fold[known.train])), plain)
    made: dict[int, list[pd.DataFrame]] = {}
    for pair in every:
        apart = cases[np.isin(fold[cases], pair)]
        scores = _scores(sources, members[~np.isin(fold[members], pair)], apart, known).set_axis(apart)
        for judged, other in (pair, pair[::-1]):
            made.setdefault(judged, []).append(scores[fold[apart] == other])
    return {judged: pd.concat(rows) for judged, rows in made.items()}


def _sources(models: Sequence[str], known: Material) -> list[str]:
    """Scores that the models read, of those there are."""
    there = {*known.radiomics, *known.networks}
    return list(dict.fromkeys(source for model in models for source in SOURCES[model] if source in there))


def _scores(sources: Sequence[str], train: Train, apart: Apart, known: Material) -> pd.DataFrame:
    """Log-odds of the cases ``apart``, a column a source."""
    _both_classes(known.events[train])
    columns = {
        source: _radiomics(source, train, apart, known)
        if source in known.radiomics
        else known.networks[source].to_numpy()[apart]
        for source in sources
    }
    return pd.DataFrame(columns, index=range(len(apart)))


def _radiomics(source: str, train: Train, apart: Apart, known: Material) -> Float[ndarray, " apart"]:
    """The pipeline as ``combine`` fits it; harmonisation learns from each case once, however often it was drawn."""
    learned = np.isin(np.arange(len(known.cohort)), train)
    table = harmonised(known.radiomics[source], known.cohort, learned, known.heads.harmonise).to_numpy()
    head = radiomics_head(known.heads, known.seed, widths=known.widths.get(source))
    return log_odds(head.fit(table[train], known.events[train]), table[apart])


def _out_of_fold(sources: Sequence[str], members: Train, wanted: Apart, known: Material) -> pd.DataFrame:
    """Log-odds of the cases ``wanted``, each by heads fitted on the ``members`` outside its fold."""
    fold = known.cohort["fold"].to_numpy()
    made = pd.DataFrame(np.nan, index=range(len(wanted)), columns=list(sources))
    for own in np.unique(fold[wanted]):
        place = np.flatnonzero(fold[wanted] == own)
        made.iloc[place] = _scores(sources, members[fold[members] != own], wanted[place], known).to_numpy()
    return made


def _alone(model: str, scores: pd.DataFrame) -> Vector:
    return probability(scores[SOURCES[model][0]].to_numpy())


def _fused(
    model: str, inner: pd.DataFrame, train: Train, outer: pd.DataFrame, apart: Apart, known: Material
) -> Float[ndarray, " apart"]:  # fmt: skip
    events = known.events[train]
    _both_classes(events)
    fit, ask = (
        predictors(model, scores.reindex(range(len(own))), known.clinical.iloc[own].reset_index(drop=True))
        for scores, own in ((inner, train), (outer, apart))
    )
    return probability(log_odds(fusion_head(known.heads).fit(fit.to_numpy(), events), ask.to_numpy()))


def _both_classes(events: Int[ndarray, " train"]) -> None:
    if len(np.unique(events)) < 2:
        found = f"{len(events)} cases of one class"
        raise HeadError(Fault(found, "cases of both classes to fit on", "add cases, or lower split.folds"))
