"""What to be careful about in the tables of odds ratios, in plain words."""

import pandas as pd

from fusion.config.odds import ByP
from fusion.evaluate.odds import EVENTS_PER_TERM, INFLATED, OddsTables
from fusion.report.cohort_table import repeated
from fusion.report.results import Results
from fusion.report.words import number


def cautions(found: OddsTables, train: pd.DataFrame, results: Results) -> list[str]:
    """Sentences on screening, events, separation, inflation, missing estimates, repeated patients; only what is so."""
    return [*_screened(found, results), *_few_events(found), *_separation(found, results), *_inflated(found),
            *_without_estimate(found), *repeated(train)]  # fmt: skip


def _screened(found: OddsTables, results: Results) -> list[str]:
    if not isinstance(results.run.evaluate.odds.variables, ByP) or not found.entered:
        return []
    return [
        "The multivariable model's variables were chosen by their univariable P in the same cases, as Shen 2026 did: "
        "odds ratios are then too far from 1, intervals too narrow, and a variable that matters beside others may be "
        "missed (Sun 1996, doi:10.1016/0895-4356(96)00025-X; Heinze 2018, doi:10.1002/bimj.201700067). Name them "
        "beforehand with evaluate.odds.variables."
    ]


def _few_events(found: OddsTables) -> list[str]:
    if not found.terms or found.events_per_term >= EVENTS_PER_TERM:
        return []
    smaller = min(found.events, found.n - found.events)
    return [
        f"{number(found.events_per_term, 1)} events per coefficient in the multivariable model (smaller class: "
        f"{smaller} cases; coefficients: {found.terms}); fewer than {EVENTS_PER_TERM} make odds ratios unstable "
        "(Peduzzi 1996)."
    ]


def _separation(found: OddsTables, results: Results) -> list[str]:
    if not found.separated:
        return []
    firth = results.run.evaluate.odds.firth != "never"
    done = "Firth's penalised likelihood is used there" if firth else "no numbers are given (evaluate.odds.firth=never)"
    names = results.run.cohort
    return [
        f"Separation at {', '.join(found.separated)}: {names.positive_name} and {names.negative_name} cases part so "
        f"cleanly there that maximum likelihood has no finite estimate; {done}. A very wide interval says that the "
        "size of the ratio is not known, though its direction may be."
    ]


def _inflated(found: OddsTables) -> list[str]:
    high = found.multivariable[found.multivariable["vif"] > INFLATED]
    if high.empty:
        return []
    each = ", ".join(f"{row['variable']} ({row['level']}) {number(row['vif'], 1)}" for _, row in high.iterrows())
    return [
        f"Variables that say much the same (variance inflation above {INFLATED:g}): {each}; their ratios trade places."
    ]


def _without_estimate(found: OddsTables) -> list[str]:
    """Terms that their own values leave without estimate, then what leaves the whole multivariable model without."""
    rows = found.univariable[found.univariable["note"].str.startswith("no estimate")]
    each = [f"{row['variable']} ({row['level']}), {row['note']}." for _, row in rows.iterrows()]
    together = set(found.multivariable["note"]) - set(rows["note"])
    return each + [f"Multivariable model, {note}." for note in sorted(together) if note.startswith("no estimate")]
