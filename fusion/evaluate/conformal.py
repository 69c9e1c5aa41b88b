"""Conformal sets: the classes that a case may belong to, each wrongly left out at a stated rate at most."""

from collections.abc import Mapping, Sequence

ERROR = 0.1
"""Share of a class's cases whose set may lack the class."""


def p_values(
    probabilities: Mapping[str, float], calibration: Mapping[str, Sequence[float]]
) -> dict[str, float]:  # fmt: skip
    """By class, how unusual the case would be among the class's calibration cases: small for an unusual one.

    Class-conditional conformal prediction (Vovk 2012, arXiv:1209.2673): (cases of the class whose probability of it is
    the case's or less, and 1) / (cases of the class, and 1).

    Args:
        probabilities: the case's, by class.
        calibration: by class, the probabilities of that class that its own cases got from models that never saw them.

    >>> p_values({"benign": 0.9, "malignant": 0.1}, {"benign": [0.5, 0.8, 0.95], "malignant": [0.4, 0.7, 0.9]})
    {'benign': 0.75, 'malignant': 0.25}
    """
    return {
        name: (sum(other <= probabilities[name] for other in own) + 1) / (len(own) + 1)
        for name, own in calibration.items()
    }


def conformal_set(
    probabilities: Mapping[str, float], calibration: Mapping[str, Sequence[float]], error: float = ERROR
) -> tuple[str, ...]:  # fmt: skip
    """The classes that cannot be left out with at most ``error`` of a class's cases wronged.

    It may hold all classes, as it always does with fewer than 1/error - 1 calibration cases a class, or none, where the
    case is unlike the cases of every class; in both cases a human has to decide.

    >>> known = {"benign": [0.5] * 10 + [0.9] * 10, "malignant": [0.6] * 20}
    >>> conformal_set({"benign": 0.9, "malignant": 0.1}, known), conformal_set({"benign": 0.3, "malignant": 0.7}, known)
    (('benign',), ('malignant',))
    """
    return tuple(name for name, p in p_values(probabilities, calibration).items() if p > error)
