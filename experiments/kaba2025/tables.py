"""The tables of experiments/kaba2025/README.md from its figures."""

from collections.abc import Callable, Iterable

import numpy as np

Values = dict[str, list[float]]
"""One model's figures by name, a value a seed."""
Figures = dict[str, dict[str, dict[str, Values]]]
"""By arm, protocol and model."""
BANDS = {
    "benign-malignant": (0.75, 0.85), "PA-Warthin": (0.85, 0.95), "Warthin-malignant": (0.75, 0.85),
    "all": (0.60, 0.70),
}  # fmt: skip
"""Where the phantom's design puts the honest accuracy; where it names one number, that and .05 to both sides."""
NOT_NETWORKS = ("RAD", "RAD+DL", "Clinical", "Combined")


def figshare(figures: Figures) -> str:
    """A row an arm and model, with intervals."""
    rows = [
        [arm, _view(model), f"{values['n'][0]:.0f}", _interval(values, "auc"), _interval(values, "accuracy")]
        for arm, protocols in figures.items()
        for model, values in protocols["honest"].items()
    ]
    return _table(["folds", "model", "slices", "macro AUC (95% interval)", "accuracy (95% interval)"], rows)


def bands(figures: Figures) -> str:
    """A row a model, the mean over seeds honest and literal; then a row a task, the mean over its networks."""
    (protocols,) = figures.values()
    rows = [[model, *_both(protocols, model), ""] for model in protocols["honest"]]
    return _table([*_HEAD, "designed band"], [*rows, *_tasks(protocols)])


def noise(figures: Figures) -> str:
    """A row a model, the mean over seeds honest and literal."""
    (protocols,) = figures.values()
    return _table(_HEAD, [[model, *_both(protocols, model)] for model in protocols["honest"]])


def recipes(figures: Figures) -> str:
    """A row a network, accuracy and AUC by both recipes, means over seeds; then the means over all networks."""
    arms = {arm: protocols["honest"] for arm, protocols in figures.items()}
    models = [model for model in next(iter(arms.values())) if _view(model) not in NOT_NETWORKS]
    head = ["network", *(f"{arm}: {name}" for name in ("accuracy", "AUC") for arm in arms)]
    rows = [
        [model, *(_mean(own[model][name]) for name in ("accuracy", "auc") for own in arms.values())] for model in models
    ]
    means = [
        f"**{_mean([float(np.mean(own[model][name])) for model in models])}**"
        for name in ("accuracy", "auc")
        for own in arms.values()
    ]
    return _table(head, [*rows, ["**mean**", *means]])


TABLES: dict[str, Callable[[Figures], str]] = {
    "figshare": figshare, "bands": bands, "noise": noise, "recipes": recipes,
}  # fmt: skip
_HEAD = ["model", "honest: accuracy (range over seeds)", "AUC", "literal: accuracy", "AUC", "the leak adds"]


def _tasks(protocols: dict[str, dict[str, Values]]) -> list[list[str]]:
    rows = []
    for task in dict.fromkeys(model.partition("/")[0] for model in protocols["honest"]):
        networks = [model for model in protocols["honest"] if _network(model, task)]
        mean = {
            protocol: {task: {name: np.mean([models[m][name] for m in networks if m in models], axis=0).tolist()
                              for name in ("accuracy", "auc")}}
            for protocol, models in protocols.items()
        }  # fmt: skip
        low, high = BANDS.get(task, (np.nan, np.nan))
        found = np.mean(mean["honest"][task]["accuracy"])
        side = "inside" if low <= found <= high else f"{_points(found - (low if found < low else high))}"
        rows.append([f"**{task}**, its networks", *_both(mean, task), f"{_mean([low])}-{_mean([high])}: {side}"])
    return rows


def _network(model: str, task: str) -> bool:
    return model.startswith(f"{task}/") and _view(model) not in NOT_NETWORKS


def _both(protocols: dict[str, dict[str, Values]], model: str) -> list[str]:
    """Cells of the honest and the literal protocol; only networks have a literal one."""
    honest, literal = protocols["honest"][model], protocols.get("literal", {}).get(model)
    accuracy = honest["accuracy"]
    spread = f" ({_mean([min(accuracy)])}-{_mean([max(accuracy)])})" if len(accuracy) > 1 else ""
    cells = [f"{_mean(accuracy)}{spread}", _mean(honest["auc"])]
    if literal is None:
        return [*cells, "", "", ""]
    same = accuracy[: len(literal["accuracy"])]  # literal may have been run for the first seeds alone
    gap = float(np.mean(literal["accuracy"]) - np.mean(same))
    return [*cells, _mean(literal["accuracy"]), _mean(literal["auc"]), _points(gap)]


def _view(model: str) -> str:
    return model.partition("/")[2]


def _interval(values: Values, name: str) -> str:
    low, high = (_mean(values[f"{name}_{side}"]) for side in ("low", "high"))
    return f"{_mean(values[name])} ({low}-{high})"


def _mean(values: Iterable[float]) -> str:
    """As .123; 1 stays 1.000."""
    return f"{np.mean(list(values)):.3f}".removeprefix("0")


def _points(value: float) -> str:
    return f"{value:+.3f}".replace("0.", ".", 1)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)
