"""What features have to pass before a head reads them, in words."""

from fusion.config.harmonise import Combat, Icc
from fusion.config.heads import Heads

WHO = {
    "inter": "two readers", "intra": "one reader twice",
    "both": "two readers, and of one reader twice, each",
}  # fmt: skip


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
    return (
        f"features kept where {what}ICC({choice.kind}) is above {choice.minimum:g} between the outlines of "
        f"{WHO[choice.readers]}, over {cases} read twice; no outcome is read, so the same features stay in every fold"
    )


def _alignment(choice: Combat) -> str:
    means = ", means only" if choice.mean_only else ""
    kept = f"; the effect of {', '.join(choice.covariates)} is kept" if choice.covariates else ""
    rest = "; a scanner that a training part does not hold stays as it is" if choice.unseen == "as_is" else ""
    return (
        f"features aligned between scanners by ComBat (Johnson 2007){means}, fitted on the training part of every fold"
        f"{kept}{rest}"
    )
