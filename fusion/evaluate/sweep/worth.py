"""What the choice is worth: the chosen cells on cases that no choice has seen, beside the largest AUC of all cells."""

import numpy as np
import pandas as pd

from fusion.evaluate import calibration, classes, discrimination, metrics, patient_draws
from fusion.evaluate.round_parts import EVENT
from fusion.evaluate.sweep.cell import Cell
from fusion.evaluate.sweep.choice import Choice
from fusion.evaluate.sweep.scores import Scores, draw, mean_auc, repeats, sampled_auc

COLUMNS = (
    "model", "set", "rounds", "repeats", "candidates", "n", "events", "auc", "auc_low", "auc_high", "brier",
    "calibration_slope", "best_cell", "best_auc", "optimism",
)  # fmt: skip


def predictions(choice: Choice) -> pd.DataFrame:
    """chosen.csv: round, cell, then the chosen cell's predictions of the judging set in that round."""
    rows = [
        own.rows(choice.by, choice.judge, round_).assign(round=round_, cell=own.name)
        for round_, own in choice.chosen.items()
        if choice.judge is not None
    ]
    if not rows:
        return pd.DataFrame(columns=["round", "cell", "model", "set", "case", "fold", "probability", "event"])
    table = pd.concat(rows, ignore_index=True)
    return table[["round", "cell", *(name for name in table if name not in ("round", "cell"))]]


def worth(choice: Choice) -> pd.DataFrame:
    """chosen_metrics.csv: one row; none where no set can judge the choice.

    The chosen predictions of all rounds are pooled, or where rounds repeat each other the AUC is the mean over
    repeats. ``best_auc`` is the largest such AUC of a candidate, ``optimism`` what it is more. Intervals draw cases, or
    patients where there are rounds or tasks; the choice stays as it is, so that they say nothing of how it would have
    gone with other training cases.
    """
    if choice.judge is None or choice.table.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rounds = {name: own.scores(choice.by, choice.judge) for name, own in choice.chosen.items()}
    parts = repeats(scores[name] for name, scores in rounds.items() if name in scores)
    first = choice.candidates[0]
    low, high = _interval(parts, choice, first)
    areas = {own.name: mean_auc(repeats(own.scores(choice.by, choice.judge).values())) for own in choice.candidates}
    best = max(areas, key=lambda name: round(areas[name], 12))
    row = {
        "model": choice.by, "set": choice.judge, "rounds": len(rounds), "repeats": len(parts),
        "candidates": len(areas),
        "n": len({case for part in parts for case in part.case}), "events": _events(parts),
        "auc": mean_auc(parts), "auc_low": low, "auc_high": high, **_calibration(parts),
        "best_cell": best, "best_auc": areas[best], "optimism": areas[best] - mean_auc(parts),
    }  # fmt: skip
    return pd.DataFrame([row], columns=list(COLUMNS)).astype({"events": "Int64"})


def _interval(parts: list[Scores], choice: Choice, first: Cell) -> tuple[float, float]:
    """As metrics.csv has it: where one cell is chosen in every round, its own."""
    evaluate, tasks = first.run.evaluate, first.run.cohort.tasks
    if np.isnan(mean_auc(parts)):
        return discrimination.UNDEFINED
    if list(first.rounds) == [""] and not tasks:
        generator = metrics.stream(first.run.seed, choice.by, str(choice.judge))
        probability, label = parts[0].probability[:, 1], parts[0].label
        return discrimination.bootstrap_interval(
            probability, label, generator, evaluate.bootstrap, evaluate.confidence
        )  # fmt: skip
    model = choice.by if tasks else f"{EVENT}/{choice.by}"
    generator = metrics.stream(first.run.seed, model, str(choice.judge))
    drawn = draw(parts, first.patient, generator, evaluate.bootstrap)
    low, high = patient_draws.percentiles(sampled_auc(parts, drawn), evaluate.confidence)
    return float(low), float(high)


def _events(parts: list[Scores]) -> int | None:
    """Cases with the event, each once; unknown of more than two classes."""
    if not parts[0].binary:
        return None
    return len({case for part in parts for case in part.case[part.label == 1]})


def _calibration(parts: list[Scores]) -> dict[str, float]:
    """Brier score and slope, means over repeats; no slope without an event or where it has one class."""
    brier = float(np.mean([classes.brier(part.probability, part.label) for part in parts]))
    known = all(part.binary and len(np.unique(part.label)) == 2 for part in parts)
    slopes = [calibration.recalibrate(part.probability[:, 1], part.label).slope for part in parts] if known else []
    return {"brier": brier, "calibration_slope": float(np.mean(slopes)) if slopes else float("nan")}
