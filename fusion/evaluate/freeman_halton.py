"""Fisher's exact test for tables of any shape: Freeman & Halton 1951, doi:10.1093/biomet/38.1-2.141."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import gammaln
from scipy.stats import random_table

Counts = Int[ndarray, "group level"]
TIES = 1e-7
"""Tables this little more likely than the one seen count as equally likely, as in R's fisher.test."""
LIMIT = 4_000_000
"""Partial tables beyond which tables are drawn instead of listed."""
DRAWS = 100_000


@dataclass(frozen=True)
class ExactP:
    """P of a table given its margins; ``error`` is the standard error where it was drawn, 0 where it is exact."""

    p: float
    error: float
    draws: int


def exact_p(counts: Counts, seed: int = 0) -> ExactP:
    """Probability, given both margins, of all tables that are no likelier than ``counts``.

    Exact where the tables can be listed; else from ``DRAWS`` random tables with these margins (Patefield 1981,
    doi:10.2307/2346669), as (hits + 1) / (draws + 1).

    >>> round(exact_p(np.array([[3, 1], [1, 3]])).p, 4)
    0.4857
    """
    table = _plain(counts)
    if min(table.shape) < 2:
        return ExactP(1.0, 0.0, 0)
    return _listed(table) if _size(table) <= LIMIT else _drawn(table, seed)


def _plain(counts: Counts) -> Int[ndarray, "row column"]:
    """Without empty rows and columns, fewer rows than columns, the rarest column first."""
    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    table = table.T if table.shape[0] > table.shape[1] else table
    return table[:, np.argsort(table.sum(axis=0), kind="stable")]


def _size(table: Counts) -> float:
    """Upper bound on the partial tables to be listed: all columns but two, and their states times the next."""
    rows, totals = table.shape[0], table.sum(axis=0)

    def ways(total: int) -> float:
        return float(np.exp(gammaln(total + rows) - gammaln(total + 1) - gammaln(rows)))

    before = float(np.prod([ways(int(total)) for total in totals[:-2]]))
    return max(before, ways(int(totals[:-2].sum())) * ways(int(totals[-2])) / 10)


def _listed(table: Counts) -> ExactP:
    """The first columns are listed by what they leave of each row; for each such state the last two are listed."""
    margins, totals = table.sum(axis=1), table.sum(axis=0)
    constant = gammaln(margins + 1).sum() + gammaln(totals + 1).sum() - gammaln(table.sum() + 1)
    limit = -gammaln(table + 1).sum() + np.log1p(TIES)
    hits = 0.0
    penultimate = _columns(int(totals[-2]), margins)
    for left, before in _states(totals[:-2], margins):
        last = left - penultimate
        fits = (last >= 0).all(axis=1)
        after = np.sort(-gammaln(penultimate[fits] + 1).sum(axis=1) - gammaln(last[fits] + 1).sum(axis=1))
        cumulated = np.concatenate([[0.0], np.cumsum(np.exp(after - after[-1]))])
        reach = np.searchsorted(after, limit - before, side="right")
        hits += float(np.sum(np.exp(before + after[-1] + constant) * cumulated[reach]))
    return ExactP(min(hits, 1.0), 0.0, 0)


def _states(totals: Int[ndarray, " column"], margins: Int[ndarray, " row"]) -> list[tuple[ndarray, ndarray]]:
    """What columns with these totals may leave of the rows, with -sum log(cell!) of each way to leave it."""
    left, before = margins[None, :], np.zeros(1)
    for total in totals:
        column = _columns(int(total), margins)
        left = (left[:, None, :] - column).reshape(-1, len(margins))
        before = (before[:, None] - gammaln(column + 1).sum(axis=1)).ravel()
        left, before = left[fits := (left >= 0).all(axis=1)], before[fits]
    states, place = np.unique(left, axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(place.ravel()))[:-1]
    return list(zip(states, np.split(before[order], ends), strict=True))


def _columns(total: int, margins: Int[ndarray, " row"]) -> Int[ndarray, "way row"]:
    """Every column of counts that sums to ``total`` and fits into the rows."""
    first = np.array(list(product(*(range(min(total, int(row)) + 1) for row in margins[:-1]))))
    last = total - first.sum(axis=1)
    fits = (last >= 0) & (last <= margins[-1])
    return np.column_stack([first, last])[fits]


def _drawn(table: Counts, seed: int) -> ExactP:
    tables = random_table(table.sum(axis=1), table.sum(axis=0)).rvs(DRAWS, random_state=np.random.default_rng(seed))
    weight: Float[ndarray, " draw"] = -gammaln(tables + 1).sum(axis=(1, 2))
    hits = int((weight <= -gammaln(table + 1).sum() + np.log1p(TIES)).sum())
    p = (hits + 1) / (DRAWS + 1)
    return ExactP(p, float(np.sqrt(p * (1 - p) / DRAWS)), DRAWS)
