"""The fields of a clinical record that a bundle's models read."""

from collections.abc import Sequence
from typing import Any

from fusion.config.cohort import Number
from fusion.data.words import word
from fusion.serve.bundle import Bundle
from fusion.serve.page import words
from fusion.serve.patient import variable

UNKNOWN = ("not known", "")


def needed(bundle: Bundle) -> tuple[str, ...]:
    """Variables that a model of the bundle reads, in the config's order."""
    run = bundle.run
    columns = {name for question in bundle.deployed.questions for model in question.models
               for name in question.reads(model)[1]}  # fmt: skip
    read = {variable(name, run) for name in columns}
    return tuple(name for name in run.cohort.clinical if name in read)


def fields(bundle: Bundle, names: Sequence[str]) -> list[Any]:
    """A field a variable: a number with what it may be, or a choice."""
    return [_field(bundle, name) for name in names]


def given(names: Sequence[str], values: Sequence[object]) -> dict[str, str]:
    """What was filled in, as the words of a cohort table's cells."""
    told = {name: word(value) for name, value in zip(names, values, strict=True)}
    return {name: value for name, value in told.items() if value}


def _field(bundle: Bundle, name: str) -> Any:
    import gradio as gr

    kind, label = bundle.run.cohort.clinical[name], words.variable(name)
    if isinstance(kind, Number):
        # gradio's own number field takes an empty field for 0
        return gr.Textbox(
            label=label, info=_range(bundle, name, kind), placeholder="not known", max_lines=1, min_width=150
        )
    choices = [UNKNOWN, *((word(value), word(value)) for value in kind.values)]
    return gr.Dropdown(choices, value="", label=label, min_width=150)


def _range(bundle: Bundle, name: str, kind: Number) -> str:
    """What a number may be, and what the training cases' were."""
    ends = " to ".join(words.short(own) for own in (kind.low, kind.high) if own is not None)
    seen = bundle.ranges.clinical.get(name)
    told = [] if seen is None else [f"training cases {words.short(seen.low)} to {words.short(seen.high)}"]
    return "; ".join([*([ends] if ends else []), *told])
