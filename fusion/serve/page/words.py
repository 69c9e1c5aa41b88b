"""Names and numbers as a clinician reads them."""

import re

from fusion.config.run import Run
from fusion.serve.answer import Contribution, ModelAnswer

PLACES = {"tumour": "tumour", "external2": "External2", "tumour+external2": "tumour + External2"}
HOW = {"RAD": "radiomics score", "DL": "network score", "RAD+DL": "radiomics + network score"}


def percent(probability: float) -> str:
    """A probability with a tenth of a per cent, never as certain.

    >>> percent(0.7236), percent(0.0002), percent(1.0)
    ('72.4 %', '< 0.1 %', '> 99.9 %')
    """
    if probability < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if probability > 0.9995 else f"{100 * probability:.1f} %"


def signed(log_odds: float) -> str:
    """Log-odds with their sign.

    >>> signed(0.5), signed(-1.234), signed(-0.001)
    ('+0.50', '−1.23', '0.00')
    """
    words = f"{log_odds:+.2f}"
    return "0.00" if words in ("+0.00", "-0.00") else words.replace("-", "−")


def short(value: float) -> str:
    """A number in four digits.

    >>> short(12.34567), short(3.0), short(-0.00012345)
    ('12.35', '3', '−0.0001234')
    """
    return f"{value:.4g}".replace("-", "−", 1) if value < 0 else f"{value:.4g}"


def predictor(name: str) -> str:
    """What a regression reads, in words.

    >>> predictor("margin=unclear"), predictor("tumour+external2_DL"), predictor("T2-w"), predictor("diameter_mm")
    ('margin: unclear', 'network score of tumour + External2', 'T2-w', 'diameter (mm)')
    """
    place, _, how = name.partition("_")
    if place in PLACES and how in HOW:
        return f"{HOW[how]} of {PLACES[place]}"
    return variable(name.replace("=", ": ")) if "=" in name else variable(name)


def variable(name: str) -> str:
    """A clinical variable's name without underscores, its unit in brackets.

    >>> variable("diameter_mm"), variable("pain_at_night"), variable("age")
    ('diameter (mm)', 'pain at night', 'age')
    """
    unit = re.fullmatch(r"(.+)_(mm|cm|ml|years|days|kg|hu)", name, re.IGNORECASE)
    return f"{unit[1].replace('_', ' ')} ({unit[2]})" if unit else name.replace("_", " ")


def apart(own: Contribution) -> str:
    """The value of a predictor and the training mean."""
    return f"{short(own.value)}, training mean {short(own.mean)}"


def advice(own: ModelAnswer) -> str:
    """What the conformal set says."""
    held = " or ".join(own.set)
    if not own.refer:
        return f"The other classes can be left out at the chosen error: {held}."
    if not own.set:
        return "Refer to a human: the case is unlike the training cases of every class."
    return f"Refer to a human: {held} cannot be told apart at the chosen error."


def image_name(run: Run) -> str:
    """What the image of a bundle of regions is called: its column, in capitals where it is short."""
    return run.cohort.image.upper() if len(run.cohort.image) <= 3 else run.cohort.image
