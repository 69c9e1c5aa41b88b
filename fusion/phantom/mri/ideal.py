"""What an observer who knows every law and reads every latent without error would reach: the ceiling."""

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax
from scipy.stats import norm

from fusion.phantom.mri.law import BETWEEN_SD, CONTRASTS, LAWS
from fusion.phantom.mri.lesion import Lesion
from fusion.phantom.mri.plan import Plan

TASKS = {
    "benign-malignant": (("PA", "Warthin", "other benign"), ("MEC", "other malignant")),
    "PA-Warthin": (("PA",), ("Warthin",)),
    "Warthin-malignant": (("Warthin",), ("MEC", "other malignant")),
    "all": tuple((name,) for name in LAWS),
}
"""Kaba 2025's questions, as classes of histologies."""
READS = {**{name: (name,) for name in CONTRASTS}, "adc": ("adc",), "six": (*CONTRASTS, "adc")}
"""Latents that a sequence shows; the malignancy latent shows in every one."""


def ideal(plans: Sequence[Plan], informed: bool) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy and balanced accuracy, and for two classes AUC, of the Bayes posterior, by task and sequence.

    Args:
        plans: of the cohort, which gives the prior.
        informed: False where the label has no law, so that the posterior is the prior.
    """
    truth = np.array([plan.histology for plan in plans])
    found = {}
    for read, shown in READS.items():
        likelihood = _log([plan.lesion for plan in plans], shown) * informed
        found[read] = {task: _score(likelihood, truth, groups) for task, groups in TASKS.items()}
    return {task: {read: found[read][task] for read in READS} for task in TASKS}


def _log(lesions: Sequence[Lesion], shown: tuple[str, ...]) -> np.ndarray:
    """Log-likelihood of the latents shown, a row a tumour, a column a histology; within one they are independent."""
    mean = np.array([[*law.z, law.adc, law.malignancy] for law in LAWS.values()])
    sd = np.array([[BETWEEN_SD] * len(CONTRASTS) + [law.adc_sd, 1.0] for law in LAWS.values()])
    value = np.array([[*(own.z[name] for name in CONTRASTS), own.adc, own.malignancy] for own in lesions])
    at = [[*CONTRASTS, "adc"].index(name) for name in shown] + [len(CONTRASTS) + 1]
    return norm.logpdf(value[:, None, at], mean[None, :, at], sd[None, :, at]).sum(axis=2)


def _score(likelihood: np.ndarray, truth: np.ndarray, groups: tuple[tuple[str, ...], ...]) -> dict[str, float]:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    group = {name: number for number, own in enumerate(groups) for name in own}
    rows, names = np.isin(truth, list(group)), [name for name in LAWS if name in group]
    label = np.array([group[name] for name in truth[rows]])
    prior = np.log([(truth == name).sum() for name in names])
    columns = [list(LAWS).index(name) for name in names]
    posterior = softmax(likelihood[rows][:, columns] + prior, axis=1)
    member = np.array([[group[name] == number for number in range(len(groups))] for name in names])
    share = posterior @ member
    call = share.argmax(axis=1)
    found = {"accuracy": float((call == label).mean()), "balanced_accuracy": balanced_accuracy_score(label, call)}
    return {**found, "auc": float(roc_auc_score(label, share[:, 1]))} if len(groups) == 2 else found
