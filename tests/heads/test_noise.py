"""No outcome, no AUC: whatever is chosen in heads, noise scores chance where nothing was selected outside the fold."""

import numpy as np
import pytest
from joblib import Memory
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from fusion.config.heads import Heads
from fusion.heads.average import MeanLogOdds
from fusion.heads.logistic import log_odds, radiomics_head

CASES, EVENTS, FEATURES, FOLDS = 357, 89, 3748, 5
"""The papers' cohort, and its two regions' features."""
BOUND = 3
"""Standard errors of a mean over cohorts that count as chance; measured over the cohorts, since the AUC of a head
that was chosen spreads more (.04 to .07 a cohort) than that of any one score (.036, of 89 events in 357)."""
EVERYTHING = {"selector": {"kind": "all"}}
OPTIONS = {
    "default": {},
    "paper": {"preset": "paper"},
    "robust": {"preset": "robust"},
    "LASSO one_se": {"selector": {"kind": "lasso", "rule": "one_se"}},
    "elastic net": {"selector": {"kind": "elastic_net"}},
    "union of regions": {"regions": "union"},
    "mRMR": {"selector": {"kind": "mrmr"}},
    "stability": {"selector": {"kind": "stability", "samples": 40}},
    "ANOVA 20": {"selector": {"kind": "top_k"}},
    "Mann-Whitney, 10 events a variable": {
        "selector": {"kind": "top_k", "by": "mann_whitney"}, "events_per_variable": 10
    },
    "ridge on all": EVERYTHING,
    "quantile-normal ridge on all": {**EVERYTHING, "scale": "quantile_normal", "correlation": None, "c": 0.01},
    "ANOVA 64, no penalty": {**EVERYTHING, "prefilter": {"kind": "anova"}, "c": None},
    "Mann-Whitney 64, Spearman": {**EVERYTHING, "prefilter": {"kind": "mann_whitney"}, "correlation_of": "spearman"},
    "elastic net on LASSO's": {"learner": {"kind": "elastic_net"}},
    "elastic net on all": {**EVERYTHING, "learner": {"kind": "elastic_net"}},
    "gradient boosting": {**EVERYTHING, "learner": {"kind": "gradient_boosting"}},
    "random forest": {**EVERYTHING, "learner": {"kind": "random_forest", "trees": 50}},
}  # fmt: skip


@pytest.mark.slow
def test_every_choice_scores_chance_on_noise(tmp_path):
    seeds = 20
    with threadpool_limits(1):
        aucs = []
        for seed in range(seeds):
            aucs.append(cohort(seed, Memory(tmp_path, verbose=0)))
            means = dict(zip(OPTIONS, np.mean(aucs, axis=0).round(3).tolist(), strict=True))
            print(f"mean AUC over {seed + 1} cohorts of noise:", means, flush=True)
    errors = dict(zip(OPTIONS, np.std(aucs, axis=0, ddof=1) / seeds**0.5, strict=True))
    assert max(errors.values()) < 0.02
    assert {name: mean for name, mean in means.items() if abs(mean - 0.5) > BOUND * errors[name]} == {}


def cohort(seed: int, memory: Memory) -> list[float]:
    """Mean AUC over the folds of one made-up cohort, an option each."""
    rng = np.random.default_rng(seed)
    table, event = rng.normal(size=(CASES, FEATURES)), rng.permutation(np.arange(CASES) < EVENTS).astype(int)
    aucs = []
    for fit, apart in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(table, event):
        heads = [remembered(name, seed, memory).fit(table[fit], event[fit]) for name in OPTIONS]
        aucs.append([roc_auc_score(event[apart], log_odds(head, table[apart])) for head in heads])
        memory.clear(warn=False)
    return np.mean(aucs, axis=0).tolist()


def remembered(name: str, seed: int, memory: Memory):
    """The option's head; a selection that two options share is made once."""
    head = radiomics_head(Heads(lasso_folds=5, **OPTIONS[name]), seed, widths=(FEATURES // 2, FEATURES // 2))
    for own in head.heads if isinstance(head, MeanLogOdds) else (head,):
        own.set_params(memory=memory)
    return head
