"""What is told of one case: every model's answer, what made it, and what to be careful about."""

from fusion.config.part import Part


class Contribution(Part):
    """A predictor's part in the log-odds, counted from the training mean: coefficient x (value - mean)."""

    predictor: str
    value: float
    mean: float
    log_odds: float


class RegionShare(Part):
    """What a region adds to the log-odds of a source that sees both, and how that was found."""

    source: str
    region: str
    log_odds: float
    how: str


class ModelAnswer(Part):
    """One model's answer."""

    model: str
    """With its task: ``Combined``, ``benign-malignant/T2-w``."""
    probabilities: dict[str, float]
    positive: str | None
    """The positive class of two."""
    probability: float | None
    """Of the positive class."""
    threshold: float | None
    threshold_rule: str
    label: str
    """The class called: by the threshold, or with more than two classes the likeliest."""
    set: tuple[str, ...]
    """Conformal: the classes that cannot be left out."""
    refer: bool
    """The set does not hold exactly one class: a human decides."""
    interval: tuple[float, float] | None = None
    """95 %, of the last regression's coefficients over resampled training patients; selection and networks held."""
    contributions: tuple[Contribution, ...] = ()
    features: tuple[Contribution, ...] = ()
    """Of the radiomics features behind the radiomics score that the model reads, in that score's log-odds."""
    regions: tuple[RegionShare, ...] = ()


class Answer(Part):
    """The answer to a case; the first fields are those of the headline model."""

    case: str
    model: str
    probability: float | None
    threshold: float | None
    label: str
    contributions: tuple[Contribution, ...]
    warnings: tuple[str, ...]
    """What is unlike the training cases, and what to be careful about."""
    set: tuple[str, ...]
    refer: bool
    answers: tuple[ModelAnswer, ...]
    not_answered: dict[str, str]
    """Models that could not answer, and why."""
    bundle: str
    """Name and digest of the bundle's manifest."""
    note: str = "research use only"

    @classmethod
    def led_by_first(
        cls, answers: tuple[ModelAnswer, ...], case: str, warnings: tuple[str, ...], not_answered: dict[str, str],
        bundle: str,
    ) -> "Answer":  # fmt: skip
        """The first of ``answers`` is the headline's."""
        first = answers[0]
        return cls(
            case=case, model=first.model, probability=first.probability, threshold=first.threshold, label=first.label,
            contributions=first.contributions, warnings=warnings, set=first.set, refer=first.refer, answers=answers,
            not_answered=not_answered, bundle=bundle,
        )  # fmt: skip

    def of(self, model: str) -> ModelAnswer:
        """One model's answer."""
        return next(own for own in self.answers if own.model == model)
