"""Heads on vectors that no outcome had a part in: which there are, one of them fitted, what all of them found."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from fusion.config.harmonise import Combat
from fusion.config.heads import Heads
from fusion.heads import kept as files
from fusion.heads.harmonise import harmonised
from fusion.heads.logistic import log_odds, radiomics_head
from fusion.heads.parts import FINAL, Fitted, folds, in_order, kept, pairs, parts, without, word
from fusion.heads.path import lasso_path
from fusion.progress import each

Head = tuple[str, tuple[int, ...]]
"""A head by its source and what it is not fitted on: one fold (``FINAL``: other sets than training), or two."""


@dataclass(frozen=True)
class Vectors:
    """A table a source, and how heads are fitted on it.

    Args:
        inputs: by source, rows as in ``cohort``, index case.
        cohort: columns case, set, fold, event; for ``harmonise`` the scanner's.
        heads: selection and penalty.
        seed: of LASSO's folds.
        names: by source, the model that is its score alone.
        twice: sources that regressions read, which want heads that saw neither of two folds.
        widths: by source, the columns of regions that stand side by side in its table.
        harmonise: aligns scanners, learned from the cases that a head is fitted on.
        fill: a head begins by filling empty cells with its training cases' medians.
    """

    inputs: Mapping[str, pd.DataFrame]
    cohort: pd.DataFrame
    heads: Heads
    seed: int
    names: Mapping[str, str]
    twice: Collection[str]
    widths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    harmonise: Combat | None = None
    fill: bool = False

    @property
    def single(self) -> list[Head]:
        """Heads that did not see one fold, and the final ones."""
        return [(source, (fold,)) for source in self.inputs for fold in folds(self.cohort)]

    @property
    def apart(self) -> list[Head]:
        """Heads that saw neither of two folds."""
        every = pairs(self.cohort, self.heads.fewest)
        return [(source, pair) for source in self.inputs if source in self.twice for pair in every]

    def of_fold(self, fold: int) -> list[Head]:
        """A share of all heads: each of them belongs to one fold, or to ``FINAL``.

        Of two folds the lower one has the head where their sum is odd, so that all have as many, or one more.
        """
        two = [(source, pair) for source, pair in self.apart if fold == (min(pair) if sum(pair) % 2 else max(pair))]
        return [(source, own) for source, own in self.single if own == (fold,)] + two

    def fit(self, head: Head) -> Fitted:
        """Rows case, source, set, fold, score of the cases that the head is not fitted on, and what it kept.

        Of two folds the rows are case, source, fold, without, score: each fold's serve the judge of the other one.
        """
        source, left_out = head
        fit, apart = parts(self.cohort, left_out[0]) if len(left_out) == 1 else without(self.cohort, left_out)
        own, table = fitted_head(source, fit, self.inputs, self.cohort, self.heads, self.seed, self.widths,
                                 self.harmonise, self.fill)  # fmt: skip
        rows = self.cohort.loc[apart].assign(source=source, score=log_odds_of(own, table, apart))
        if len(left_out) == 2:
            rows["without"] = rows["fold"].map(dict(zip(left_out, left_out[::-1], strict=True)))
            return Fitted(rows[["case", "source", "fold", "without", "score"]], pd.DataFrame())
        (fold,), model, features = left_out, self.names[source], list(table.columns)
        paths = dict(zip(("errors", "path"), lasso_path(own, model, features), strict=True)) if fold == FINAL else {}
        return Fitted(rows[["case", "source", "set", "fold", "score"]], kept(own, model, fold, features), **paths)

    def joined(self, fitted: Mapping[Head, Fitted]) -> Fitted:
        """Everything that all heads found, in their order; ``inner`` from those of two folds."""
        whole, two = in_order(fitted, self.single), self.apart
        return replace(whole, inner=pd.concat([fitted[head].rows for head in two], ignore_index=True)) if two else whole

    def made_of(self, source: str) -> str:
        """Names all that the heads of ``source`` learn from."""
        table = self.inputs[source]
        settings = (self.heads, self.seed, self.names[source], self.widths.get(source), self.harmonise, self.fill)
        digest = hashlib.sha256(repr((*settings, list(table.columns))).encode())
        digest.update(self.cohort.to_csv(index=False).encode())
        digest.update(np.ascontiguousarray(table.to_numpy()).data)
        return digest.hexdigest()


def scores(vectors: Vectors, jobs: int, title: str, keep: Path | None = None) -> Fitted:
    """What all heads found.

    Args:
        vectors: what they learn from.
        jobs: worker processes; does not change a number.
        title: of the progress.
        keep: folder in which a head that was fitted before, perhaps elsewhere, is found, and others are left.

    Raises:
        HeadError: nothing varies, or too few cases of a class for LASSO's folds.
    """
    every = [*vectors.single, *vectors.apart]
    if keep is None:
        return vectors.joined(_fitted(vectors.fit, every, jobs, title))
    _write(vectors, every, jobs, title, keep)
    names = {source: vectors.made_of(source) for source in vectors.inputs}
    return vectors.joined({head: files.read(_stem(keep, head), names[head[0]]) for head in every})


def write_fold(vectors: Vectors, fold: int, title: str, keep: Path) -> None:
    """Fit a fold's share of the heads that is not in ``keep`` yet, in this process; raises as ``scores``."""
    _write(vectors, vectors.of_fold(fold), 1, title, keep)


def fold_there(vectors: Vectors, fold: int, keep: Path) -> bool:
    """Whether ``keep`` has a fold's share of the heads."""
    return not _missing(vectors, vectors.of_fold(fold), keep)


def fitted_head(
    source: str, fit: np.ndarray, inputs: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int,
    widths: Mapping[str, tuple[int, ...]], harmonise: Combat | None, fill: bool,
) -> tuple[Any, pd.DataFrame]:  # fmt: skip
    """The head fitted on the cases ``fit``, and the table that it reads."""
    table = harmonised(inputs[source], cohort, fit, harmonise)
    head = radiomics_head(heads, seed, widths.get(source), fill)
    return head.fit(table.to_numpy()[fit], cohort["event"].to_numpy()[fit]), table


def log_odds_of(head: Any, table: pd.DataFrame, apart: np.ndarray) -> Float[np.ndarray, " case"]:
    """The head's log-odds of the cases ``apart``, which may be none."""
    return log_odds(head, table.to_numpy()[apart]) if apart.any() else np.empty(0)


def _fitted(verb: Any, heads: list[Head], jobs: int, title: str) -> dict[Head, Any]:
    """What ``verb`` makes of each head, those of two folds last."""
    single, apart = ([head for head in heads if len(head[1]) == many] for many in (1, 2))
    return dict(each(verb, single, title, jobs)) | dict(each(verb, apart, f"{title}, two folds apart", jobs))


def _write(vectors: Vectors, heads: list[Head], jobs: int, title: str, keep: Path) -> None:
    missing = _missing(vectors, heads, keep)
    _fitted(partial(_write_one, vectors=vectors, made_of=missing, keep=keep), list(missing), jobs, title)


def _missing(vectors: Vectors, heads: list[Head], keep: Path) -> dict[Head, str]:
    """Heads that ``keep`` lacks, with the name of what they learn from."""
    names = {source: vectors.made_of(source) for source in vectors.inputs}
    return {head: names[head[0]] for head in heads if not files.there(_stem(keep, head), names[head[0]])}


def _write_one(head: Head, vectors: Vectors, made_of: Mapping[Head, str], keep: Path) -> None:
    files.write(_stem(keep, head), vectors.fit(head), made_of[head])


def _stem(keep: Path, head: Head) -> Path:
    """Such as SOURCE/fold_0, SOURCE/fold_final or SOURCE/folds_0_1."""
    source, left_out = head
    return keep / source / "_".join(["fold" if len(left_out) == 1 else "folds", *map(word, left_out)])
