"""The model card: who may use a bundle for what, how well it does, and what speaks against trusting it."""

from collections.abc import Iterator, Mapping

from fusion.serve.parts import Card, Metric

MEASURES = ("auc", "sensitivity", "specificity", "accuracy", "brier", "calibration_slope")
"""Columns of the readable card, each with its interval where metrics.csv has one."""


def as_text(card: Card) -> str:
    """card.md: the card for a reader."""
    return "\n".join([
        f"# {card.name}", "", f"**{card.research_only.capitalize()}.** {card.intended_use}", "",
        f"The answer that comes first is that of `{card.headline}`.", "",
        "## Data", "", *_list(card.data), "",
        "## Limits", "", *_list(card.limits), "",
        "## Results", "", *_table(card.metrics), "",
        "## Made with", "", *_list(f"{name} {number}" for name, number in card.versions.items()), "",
    ])  # fmt: skip


def _list(lines: "Iterator[str] | tuple[str, ...]") -> list[str]:
    return [f"- {line}" for line in lines]


def _table(metrics: tuple[Metric, ...]) -> Iterator[str]:
    shown = [name for name in MEASURES if any(own.values.get(name) is not None for own in metrics)]
    yield f"| model | set | n | {' | '.join(shown)} |"
    yield "|" + " --- |" * (len(shown) + 3)
    for own in metrics:
        cells = [own.model, own.set, _number(own.values.get("n")), *(_with_interval(own.values, n) for n in shown)]
        yield f"| {' | '.join(cells)} |"


def _with_interval(values: Mapping[str, float | None], name: str) -> str:
    low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
    number = _number(values.get(name))
    return number if low is None or high is None else f"{number} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) and abs(value) > 1 else f"{value:.3f}"
