"""The rounds of a split, judged together: each case by models that never saw it, at thresholds that it did not choose.

Where every case is tested once (outer folds, scanners) the test cases of all rounds are one table: AUC, calibration and
DeLong's test are those of that table, and the mean of the rounds' own AUCs stands beside them, as ranks across rounds
also compare models (Airola 2011, doi:10.1016/j.csda.2010.11.018). Each round's calls use the threshold of its own
training folds.

Where the draw is repeated every case has a probability in each repeat. Their mean over repeats would be judged as an
ensemble, which nobody trained and nobody will deploy, and which does better than one model; so each repeat is judged by
itself and the figures are averaged. Repeats share all patients and are no more data: an interval draws patients and
takes the mean over repeats inside every sample, and so does the test of two models.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from fusion.evaluate import class_ranks, classes, discrimination, metrics, patient_draws, task_pairs, task_row, tasks
from fusion.evaluate.judged import Judged
from fusion.evaluate.round_parts import Asked, joined, judged, placed

MEAN = "auc_rounds"
"""The column with the mean of the rounds' own AUCs."""
Tables = Mapping[str, pd.DataFrame]


def pooled_predictions(tables: Tables, asked: Asked) -> pd.DataFrame:
    """The judging set's rows of every round, with a column more: ``round``."""
    found = [table[table["set"] == asked.set].assign(round=name) for name, table in tables.items()]
    return pd.concat(found, ignore_index=True)


def pooled_metrics(tables: Tables, cohort: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """One row a model, columns as a single run's and ``MEAN``; what each means over rounds says this file's head.

    ``n`` counts cases once. ``threshold`` is the mean of the rounds', and of repeats that of all their folds: the calls
    of a fold there are made at the threshold of the other folds, as the repeat has no other cases to choose it in.

    Args:
        tables: checked predictions of each round, by its name; models, or with tasks TASK/VIEW.
        cohort: columns case and patient.
        asked: tasks, kind of rounds, rules.

    Raises:
        RunError: as ``judged.judge``.
    """
    rounds = [judged(table, cohort, asked) for table in tables.values()]
    models = dict.fromkeys(part.model for parts in rounds for part in parts)
    by_round = [[part for parts in rounds for part in parts if part.model == model] for model in models]
    pooled = by_round if asked.repeated else [[joined(parts)] for parts in by_round]
    rows = [task_row.mean_row(parts, asked.evaluate, asked.seed) for parts in pooled]
    means = [float(np.mean([_auc(part) for part in parts])) for parts in by_round]
    result = pd.DataFrame(rows).assign(**{MEAN: means}).join(_compared(pooled, asked))
    if asked.tasks:
        return result[[*tasks.COLUMNS, MEAN]].astype({"events": "Int64", "delong_cases": "Int64"})
    return result.assign(model=result["view"])[[*metrics.COLUMNS, MEAN]]


def _auc(own: Judged) -> float:
    """Of the event, or the mean of one against the rest; nan where a class has no case."""
    return float(_areas(own, np.ones((len(own.label), 1)))[0])


def _areas(own: Judged, weights: classes.Weights) -> classes.PerSample:
    if own.binary:
        return class_ranks.weighted_auc(own.probability[:, 1], own.label == 1, weights)
    return class_ranks.one_vs_rest(own.probability, own.label, weights).mean(axis=1)


def _compared(pooled: Sequence[Sequence[Judged]], asked: Asked) -> pd.DataFrame:
    """delong_p, delong_p_holm, delong_cases: DeLong's test where every case is judged once, else by drawn patients."""
    firsts = [parts[0] for parts in pooled]
    if not asked.repeated:
        return task_pairs.compared(firsts)
    found = []
    for parts in pooled:
        group = {other[0].view: other for other in pooled if other[0].task == parts[0].task}
        against = group[task_pairs.reference(list(group))]
        p, cases = (np.nan, np.nan) if against is parts or not parts[0].binary else paired(parts, against, asked)
        found.append({"task": parts[0].task, "delong_p": p, "delong_cases": cases})
    rows = pd.DataFrame(found)
    holm = rows.groupby("task")["delong_p"].transform(lambda p: discrimination.holm(p.to_numpy(float)))
    return rows.assign(delong_p_holm=holm).drop(columns="task")


def paired(first: Sequence[Judged], second: Sequence[Judged], asked: Asked) -> tuple[float, float]:
    """Two-sided p of two models' mean AUCs over the repeats, and the number of cases that both have.

    The difference over its standard deviation in samples of patients, against the normal distribution: DeLong's
    variance is that of one ranking, not of a mean over dependent ones. Unknown (nan) where a class has one patient.

    Args:
        first: a model in each repeat, cases by name.
        second: another, in the same repeats.
        asked: samples and seed.
    """
    shared, one, two = np.intersect1d(first[0].case, second[0].case, return_indices=True)
    firsts, seconds = [placed(own, one) for own in first], [placed(own, two) for own in second]
    own = firsts[0]
    if pd.Series(own.label).groupby(own.patient).min().value_counts().reindex([0, 1], fill_value=0).min() < 2:
        return float("nan"), float(len(shared))
    generator = metrics.stream(asked.seed, own.model, own.set, "paired")
    drawn = patient_draws.weights(own.patient, own.label, generator, asked.evaluate.bootstrap)
    weights = np.concatenate([np.ones((len(shared), 1)), drawn], axis=1)
    apart = np.mean([_areas(a, weights) - _areas(b, weights) for a, b in zip(firsts, seconds, strict=True)], axis=0)
    difference, error = float(apart[0]), float(np.nanstd(apart[1:], ddof=1))
    if difference == 0:
        return 1.0, float(len(shared))
    return float(2 * norm.sf(abs(difference) / error)) if error > 0 else float("nan"), float(len(shared))
