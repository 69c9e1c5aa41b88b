"""Odds ratios of the clinical variables, each alone and together: Shen 2026, Suppl. Table 3, as it should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.outliers_influence import variance_inflation_factor

from fusion.config.odds import ByP, Named, Odds
from fusion.evaluate.logistic_fit import Fit, fit
from fusion.evaluate.terms import Kinds, Term, terms, usable
from fusion.types import Events

COLUMNS = (
    "variable", "level", "reference", "n", "events", "n_reference", "events_reference", "or", "low", "high", "p",
    "p_variable", "method", "note", "sd", "or_per_sd", "low_per_sd", "high_per_sd",
)  # fmt: skip
"""Of both tables; the multivariable one ends with ``vif``."""
SIGNIFICANT = 0.05
EVENTS_PER_TERM = 10
"""Peduzzi 1996, doi:10.1016/S0895-4356(96)00236-3."""
INFLATED = 5.0
"""A variance inflated more than this is told (James 2021, An Introduction to Statistical Learning, 3.3.3)."""


@dataclass(frozen=True)
class OddsTables:
    """Both tables, and what they rest on: cases, events, variables and terms that entered, events a term."""

    univariable: pd.DataFrame
    multivariable: pd.DataFrame
    n: int
    events: int
    entered: tuple[str, ...]
    terms: int
    separated: tuple[str, ...]

    @property
    def events_per_term(self) -> float:
        """Cases of the smaller class for each coefficient of the multivariable model."""
        return min(self.events, self.n - self.events) / self.terms if self.terms else float("nan")

    @property
    def independent(self) -> list[str]:
        """Variables whose multivariable P is below 0.05."""
        rows = self.multivariable
        return list(dict.fromkeys(rows["variable"][rows["p_variable"] < SIGNIFICANT]))


def odds(rows: pd.DataFrame, clinical: Kinds, choice: Odds, confidence: float = 0.95) -> OddsTables:
    """Logistic regressions of the outcome on every variable alone, and on the chosen ones together.

    A number's odds ratio is for one unit; the columns ``_per_sd`` are for one SD of these cases. A variable of several
    levels enters whole, by its likelihood-ratio P. Levels keep their names, the first in the config is the reference.

    Args:
        rows: training cases alone, with the clinical columns and ``event``.
        clinical: the variables.
        choice: which enter together, and when Firth's likelihood is used.
        confidence: of the intervals.
    """
    events = rows["event"].to_numpy(int)
    columns = {name: terms(rows, name, kind) for name, kind in clinical.items()}
    alone = {name: _fitted([name], columns, events, choice, confidence) for name in clinical}
    univariable = pd.concat([_table(own, columns, [name]) for name, own in alone.items()], ignore_index=True)
    entered = _entered(choice, clinical, univariable, columns)
    together = _fitted(entered, columns, events, choice, confidence)
    multivariable = _table(together, columns, entered)
    multivariable["vif"] = _inflation(columns, entered, together)
    parted = {name for own in (*alone.values(), together) for name in own.separated}
    counted = sum(len(usable(columns[name])) for name in entered)
    return OddsTables(univariable, multivariable, len(rows), int(events.sum()), tuple(entered), counted,
                      tuple(sorted(parted)))  # fmt: skip


def _entered(choice: Odds, clinical: Kinds, univariable: pd.DataFrame, columns: Mapping[str, list[Term]]) -> list[str]:
    if isinstance(choice.variables, ByP):
        chosen = set(univariable["variable"][univariable["p_variable"] < choice.variables.below])
    else:
        chosen = set(choice.variables.names if isinstance(choice.variables, Named) else clinical)
    return [name for name in clinical if name in chosen and usable(columns[name])]


def _fitted(
    names: Sequence[str], columns: Mapping[str, list[Term]], events: Events, choice: Odds, confidence: float
) -> Fit:
    used = [term for name in names for term in usable(columns[name])]
    places = [[i for i, term in enumerate(used) if term.variable == name] for name in names]
    if not used:
        nothing = np.empty(0)
        return Fit(nothing, nothing, nothing, nothing, (float("nan"),) * len(names), "none", "no variable varies")
    design = np.column_stack([term.values for term in used])
    return fit(design, [term.name for term in used], events, choice.firth, confidence, places)


def _table(own: Fit, columns: Mapping[str, list[Term]], names: Sequence[str]) -> pd.DataFrame:
    """A row a term, also for those that were not in the design, with the reason."""
    found = iter(zip(own.coefficient, own.low, own.high, own.p, strict=True))
    rows = []
    for name, p_variable in zip(names, own.joint_p, strict=True):
        known = usable(columns[name])
        for term in columns[name]:
            rows.append(
                _row(term, next(found), p_variable, own) if term in known else _row(term, None, p_variable, own)
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n_reference": "Int64", "events_reference": "Int64"})


def _row(term: Term, found: tuple[float, ...] | None, p_variable: float, own: Fit) -> dict[str, object]:
    *ends, p = (float("nan"),) * 4 if found is None else found
    ratios = {name: float(np.exp(end)) for name, end in zip(("or", "low", "high"), ends, strict=True)}
    number = not term.reference
    scaled = {name: float(np.exp(end / term.sd)) if term.sd > 0 else np.nan
              for name, end in zip(("or", "low", "high"), ends, strict=True)} if number else ratios  # fmt: skip
    return {
        "variable": term.variable, "level": term.level, "reference": term.reference, "n": term.n,
        "events": term.events, "n_reference": term.n_reference, "events_reference": term.events_reference, **scaled,
        "p": p, "p_variable": p_variable, "method": own.method if found is not None else "none",
        "note": own.note if found is not None else _why_not(term), "sd": term.sd,
        **{f"{name}_per_sd": value if number else np.nan for name, value in ratios.items()},
    }  # fmt: skip


def _why_not(term: Term) -> str:
    if not term.reference:
        return "no estimate: all values are equal"
    return f"no estimate: no case is {term.reference if not term.n_reference else term.level}"


def _inflation(columns: Mapping[str, list[Term]], names: Sequence[str], own: Fit) -> list[float]:
    """Variance inflation of every row's term; nan for a term without estimate."""
    used = [term for name in names for term in usable(columns[name])]
    if own.note.startswith("no estimate") or not used:
        return [float("nan")] * sum(len(columns[name]) for name in names)
    design = np.column_stack([np.ones(len(used[0].values)), *(term.values for term in used)])
    values = iter([float(variance_inflation_factor(design, i + 1)) for i in range(len(used))])
    return [next(values) if term in used else float("nan") for name in names for term in columns[name]]
