"""The nomogram as a calculator for the page: a snippet that asks nothing of a network and holds its own numbers."""

import json
from importlib.resources import files

import jinja2
from markupsafe import Markup

from fusion.heads.points import Choice, Nomogram, Scale
from fusion.report.nomogram.names import plain
from fusion.report.words import number


def html(nomogram: Nomogram, threshold: float, positive: str, negative: str) -> str:
    """Sliders for numbers, lists for categories; points, total and probability as they move.

    Args:
        nomogram: the model.
        threshold: the probability from which the model says ``positive``.
        positive: name of the positive class.
        negative: name of the other class.
    """
    template = files("fusion.report.nomogram").joinpath("calculator.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rows = [_row(predictor) for predictor in nomogram.predictors]
    inside = 0 <= threshold <= 1
    return environment.from_string(template).render(
        model=nomogram.model,
        json=embedded(described(nomogram, threshold, positive, negative)),
        rows=rows,
        positive=positive,
        threshold=number(threshold),
        cut=round(100 * threshold, 3) if inside else None,
        shift="-100%" if threshold > 0.8 else "0" if threshold < 0.2 else "-50%",
    )


def described(nomogram: Nomogram, threshold: float, positive: str, negative: str) -> dict[str, object]:
    """What the snippet computes from: log-odds = constant + unit x total points."""
    return {
        "model": nomogram.model, "constant": nomogram.constant, "unit": nomogram.unit, "threshold": threshold,
        "positive": positive, "negative": negative,
        "predictors": [_numbers(predictor) for predictor in nomogram.predictors],
    }  # fmt: skip


def embedded(value: object) -> Markup:
    """JSON that may stand in a script element: no ``<`` that could end it."""
    text = json.dumps(value, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _numbers(predictor: Scale | Choice) -> dict[str, object]:
    if isinstance(predictor, Choice):
        levels, points = list(predictor.levels), list(predictor.levels.values())
        return {"name": predictor.name, "levels": levels, "points": points, "start": predictor.start}
    names = ("name", "low", "high", "start", "slope", "zero")
    return {name: getattr(predictor, name) for name in names}


def _row(predictor: Scale | Choice) -> dict[str, object]:
    if isinstance(predictor, Choice):
        return {"name": plain(predictor.name), "levels": list(predictor.levels), "start": predictor.start}
    ends = {name: f"{getattr(predictor, name):.12g}" for name in ("low", "high", "start")}
    return {"name": plain(predictor.name), "levels": [], "fine": f"{predictor.step / 10:.12g}", **ends}
