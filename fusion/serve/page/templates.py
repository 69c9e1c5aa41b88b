"""What an answer, a fault and a card look like: templates that escape every word."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from fusion.errors import Fault
from fusion.serve.answer import Answer, Contribution, ModelAnswer, RegionShare
from fusion.serve.page import words
from fusion.serve.results import SECONDS

WARNINGS = 2
"""Shown at once; where there are more, the others unfold."""
FEATURES = 10
"""Radiomics features shown, those that speak loudest."""


def answer(own: Answer, secret: str, files: Mapping[str, str], viewer: bool) -> str:
    """An answer to a case of regions.

    Args:
        own: the answer.
        secret: names the folder of its files.
        files: words by file name, to be downloaded.
        viewer: whether a three-plane viewer has something to show.
    """
    first = own.of(own.model)
    return _rendered(
        "answer.html.j2",
        own=own,
        first=first,
        bars=_groups(first),
        secret=secret,
        files=files,
        viewer=viewer,
        shown=WARNINGS,
        bundle=own.bundle[: own.bundle.rindex(" ") + 13],
        minutes=f"{SECONDS / 60:.0f}",
    )


def slot(own: ModelAnswer, sequence: str, secret: str, pictures: Mapping[str, str]) -> str:
    """An answer to one sequence: its pictures by what they show, probabilities of classes, the class called."""
    return _rendered("slot.html.j2", own=own, sequence=sequence, secret=secret, pictures=pictures)


def faults(found: Sequence[Fault]) -> str:
    """What is wrong with what was given, in words without names of files."""
    return _rendered("faults.html.j2", faults=found)


def render(name: str, **told: Any) -> str:
    """The template ``name`` with what it is told."""
    return _rendered(name, **told)


def panel(html: str) -> Any:
    """A place on the page for what a template gives.

    It is gradio's place for Markdown, which shows HTML as it is; its place for HTML would have the browser compile
    code, which the server's policy forbids.
    """
    import gradio as gr

    return gr.Markdown(html, sanitize_html=False, latex_delimiters=[], container=False)


def _rendered(name: str, **told: Any) -> str:
    """Without line breaks: after an empty line Markdown would begin."""
    return " ".join(_template(name).render(**told).split())


def _groups(own: ModelAnswer) -> list[tuple[str, str, list[tuple[str, str, float, float]]]]:
    """Bar charts: title, what it means, and bars of (words, value, log-odds, share of the longest)."""
    towards = own.positive or own.label
    loudest = sorted(own.features, key=lambda one: -abs(one.log_odds))[:FEATURES]
    shares = [(_share(one), one.how, one.log_odds) for one in own.regions]
    charts = [
        ("What made this answer", f"Log-odds of {towards} against a training patient at the mean.",
         _named(own.contributions)),
        ("Tumour against External2", f"What each region adds to a score's log-odds of {towards}.", shares),
        ("Radiomics features that speak loudest", "In log-odds of the radiomics score.", _named(loudest)),
    ]  # fmt: skip
    return [(title, means, _bars(rows)) for title, means, rows in charts if rows]


def _named(contributions: Sequence[Contribution]) -> list[tuple[str, str, float]]:
    return [(words.predictor(one.predictor), words.apart(one), one.log_odds) for one in contributions]


def _share(own: RegionShare) -> str:
    return f"{words.PLACES.get(own.region, own.region)} in the {words.predictor(own.source)}"


def _bars(rows: Sequence[tuple[str, str, float]]) -> list[tuple[str, str, float, float]]:
    longest = max(abs(log_odds) for _, _, log_odds in rows) or 1.0
    return [(name, about, log_odds, abs(log_odds) / longest) for name, about, log_odds in rows]


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "percent": words.percent, "signed": words.signed, "predictor": words.predictor, "advice": words.advice,
        "short": words.short,
    }  # fmt: skip
    return environment.get_template(name)
