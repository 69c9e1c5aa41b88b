"""What features have to pass before a head reads them, in words."""

from fusion.config.harmonise import Combat, Icc, Perturb
from fusion.config.heads import Heads

WHO = {"inter": ["two readers"], "intra": ["one reader twice"], "both": ["two readers", "one reader twice"], "none": []}


def reliability(heads: Heads) -> list[tuple[str, str]]:
    """Terms of the agreement of readers and of the alignment of scanners; none where neither was asked for.

    >>> reliability(Heads())
    []
    >>> reliability(Heads(harmonise=Combat()))[0][1]
    'features aligned between scanners by ComBat (Johnson 2007), fitted on the training part of every fold'
    """
    terms = [] if heads.icc is None else [("Agreement", _agreement(heads.icc))]
    return terms + ([] if heads.harmonise is None else [("Scanners", _alignment(heads.harmonise))])


def _agreement(choice: Icc) -> str:
    what = "" if choice.bound == "estimate" else "the lower end of the interval of "
    cases = "training cases" if choice.cases == "training" else "cases of every set"
    who = " and of ".join(WHO[choice.readers])
    outlines = [f"the outlines of {who}, over {cases} read twice"] if who else []
    if choice.perturb is not None:
        outlines.append(perturbed(choice.perturb, cases))
    each = " (each)" if len(outlines) > 1 or choice.readers == "both" else ""
    return (
        f"features kept where {what}ICC({choice.kind}) is above {choice.minimum:g}{each} between "
        f"{', and between '.join(outlines)}; no outcome is read, so the same features stay in every fold"
    )


def perturbed(choice: Perturb, cases: str) -> str:
    """What perturbed masks are, in words.

    >>> perturbed(Perturb(shift_mm=0), "training cases")[:69]
    'the drawn mask and a perturbed one of 20 training cases, drawn by lot'
    """
    many = "a perturbed one" if choice.readings == 1 else f"{choice.readings} perturbed ones"
    moves = [
        f"surface jittered by {choice.jitter_mm:g} mm, smooth over {choice.smooth_mm:g} mm" * (choice.jitter_mm > 0),
        f"shifted by {choice.shift_mm:g} mm an axis" * (choice.shift_mm > 0),
        f"volume changed by {100 * choice.volume:g}%" * (choice.volume > 0),
    ]
    return (
        f"the drawn mask and {many} of {choice.cases} {cases}, drawn by lot (after Zwanenburg 2019: "
        f"{', '.join(move for move in moves if move)}, all standard deviations)"
    )


def _alignment(choice: Combat) -> str:
    means = ", means only" if choice.mean_only else ""
    kept = f"; the effect of {', '.join(choice.covariates)} is kept" if choice.covariates else ""
    rest = "; a scanner that a training part does not hold stays as it is" if choice.unseen == "as_is" else ""
    return (
        f"features aligned between scanners by ComBat (Johnson 2007){means}, fitted on the training part of every fold"
        f"{kept}{rest}"
    )
