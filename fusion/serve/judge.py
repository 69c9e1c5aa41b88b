"""One model's answer: probabilities and how they are read, and what made them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fusion.evaluate.conformal import conformal_set
from fusion.heads.interval import interval
from fusion.heads.plain import AsItIs, Head, MeanHead, Question, Regression, Scores
from fusion.serve.answer import Contribution, ModelAnswer, RegionShare
from fusion.serve.bundle import Bundle

LINEAR = "sum of coefficient x (scaled feature - that of the training mean) over the region's features"


@dataclass(frozen=True)
class Known:
    """What is known of one case, as far as one question reads it."""

    scores: dict[str, Scores]
    """By source."""
    rows: Mapping[str, Mapping[str, float]]
    """Features by radiomics source and name."""
    clinical: Mapping[str, float]
    """Encoded columns that are known."""
    shares: Mapping[str, Sequence[RegionShare]] = field(default_factory=dict)
    """By network source, what each region adds."""


def judged(bundle: Bundle, model: str, known: Known) -> ModelAnswer:
    """What ``model`` says of a case that has all that it reads.

    With more than two classes contributions and features are those to the score of the class called.

    Args:
        bundle: whose heads answer.
        model: with its task.
        known: of the case.
    """
    question, name = bundle.deployed.question(model)
    judgement = bundle.deployed.judgements[model]
    probabilities = question.chances(name, known.scores, known.clinical)
    positive = question.classes[1] if len(question.classes) == 2 else None
    probability = None if positive is None else probabilities[positive]
    label = _label(probabilities, judgement.threshold)
    chosen = conformal_set(probabilities, judgement.calibration, judgement.error)
    source = _radiomics(question, name)
    row = known.rows[source] if source else {}
    number = 0 if positive is not None else question.judged.index(label)
    features = _features(question.radiomics[source][number], row) if source else ()
    drawn = interval(question, name, judgement.draws, known.scores, known.clinical, row) if judgement.draws else None
    alone = source is not None and isinstance(question.models[name], AsItIs)
    return ModelAnswer(
        model=model,
        probabilities=probabilities,
        positive=positive,
        probability=probability,
        threshold=judgement.threshold,
        threshold_rule=judgement.rule,
        label=label,
        set=chosen,
        refer=len(chosen) != 1,
        interval=drawn,
        contributions=features if alone else _contributions(question, name, known, number),
        features=() if alone else features,
        regions=(*_of_features(source, features), *_of_networks(question, name, known)),
    )


def _label(probabilities: Mapping[str, float], threshold: float | None) -> str:
    if threshold is None:
        return max(probabilities, key=lambda name: probabilities[name])
    negative, positive = probabilities
    return positive if probabilities[positive] >= threshold else negative


def _radiomics(question: Question, name: str) -> str | None:
    """The radiomics source that a model reads; it reads one at most."""
    return next((own for own in question.reads(name)[0] if own in question.radiomics), None)


def _contributions(question: Question, name: str, known: Known, number: int) -> tuple[Contribution, ...]:
    """Of a regression's predictors, largest first; a model that is a network's score has none."""
    own = question.models[name]
    if not isinstance(own, Regression):
        return ()
    parts = own.contributions(known.scores, known.clinical)
    values = {p.name: (p.value(known.scores, known.clinical), p.mean) for p in own.predictors}
    return _sorted(
        Contribution(predictor=predictor, value=values[predictor][0], mean=values[predictor][1],
                     log_odds=float(part[number]))
        for predictor, part in parts.items()
    )  # fmt: skip


def _features(head: Head | MeanHead, row: Mapping[str, float]) -> tuple[Contribution, ...]:
    """Of the features behind a radiomics score, largest first; trees have none."""
    means, found = {own.name: own.mean for own in head.columns}, head.contributions(row)
    return _sorted(Contribution(predictor=name, value=row[name], mean=means[name], log_odds=part)
                   for name, part in found.items())  # fmt: skip


def _sorted(found: Iterable[Contribution]) -> tuple[Contribution, ...]:
    return tuple(sorted(found, key=lambda own: -abs(own.log_odds)))


def _of_features(source: str | None, features: Sequence[Contribution]) -> tuple[RegionShare, ...]:
    """Each region's part in a radiomics score of several, which a feature's prefix tells; 0 where none was kept."""
    regions = (source or "").removesuffix("_RAD").split("+")
    if len(regions) < 2:
        regions = list(dict.fromkeys(own.predictor.partition(":")[0] for own in features if ":" in own.predictor))
    if source is None or not features or len(regions) < 2:
        return ()
    sums = {name: sum(own.log_odds for own in features if own.predictor.startswith(f"{name}:")) for name in regions}
    return tuple(RegionShare(source=source, region=name, log_odds=part, how=LINEAR) for name, part in sums.items())


def _of_networks(question: Question, name: str, known: Known) -> tuple[RegionShare, ...]:
    return tuple(share for source in question.reads(name)[0] for share in known.shares.get(source, ()))
