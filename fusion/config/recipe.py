"""From a table of features to log-odds: how it is scaled, what is selected, what learns."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fusion.config.part import Count, Fraction, Part, Positive


class NoPrefilter(Part):
    """All features reach the correlation filter."""

    kind: Literal["none"] = "none"


class AnovaPrefilter(Part):
    """The features with the largest F statistic of one-way analysis of variance reach the correlation filter."""

    kind: Literal["anova"] = "anova"
    keep: Count = 64


class MannWhitneyPrefilter(Part):
    """The features with the largest rank sum statistic reach the correlation filter (Mann & Whitney 1947)."""

    kind: Literal["mann_whitney"] = "mann_whitney"
    keep: Count = 64


class LassoSelector(Part):
    """The largest coefficients of a LASSO (Tibshirani 1996)."""

    kind: Literal["lasso"] = "lasso"
    rule: Literal["min", "one_se"] = "min"
    """Penalty of the smallest cross-validated error, or the largest within one standard error of it."""


class ElasticNetSelector(Part):
    """The largest coefficients of an elastic net (Zou & Hastie 2005)."""

    kind: Literal["elastic_net"] = "elastic_net"
    l1_ratio: Fraction = 0.5
    """Share of the absolute penalty against the squared one."""
    rule: Literal["min", "one_se"] = "min"
    """As of `lasso`."""


class MrmrSelector(Part):
    """Maximum relevance, minimum redundancy: F statistic over mean correlation (Ding & Peng 2005)."""

    kind: Literal["mrmr"] = "mrmr"


class StabilitySelector(Part):
    """What the LASSO path of random halves of the cases chooses most often (Meinshausen & Buehlmann 2010)."""

    kind: Literal["stability"] = "stability"
    samples: Annotated[int, Field(ge=10)] = 100
    """Random halves."""
    threshold: Annotated[float, Field(gt=0.5, le=1)] | None = None
    """Smallest share of halves that chose a kept feature; null keeps the `top` most chosen. A fold in which no feature
    reaches it stops the run."""


class TopSelector(Part):
    """The features that separate the classes best one by one."""

    kind: Literal["top_k"] = "top_k"
    by: Literal["anova", "mann_whitney"] = "anova"


class AllSelector(Part):
    """Everything the filters leave; `top` is null."""

    kind: Literal["all"] = "all"


class Logistic(Part):
    """Logistic regression with a ridge penalty by `c`; `c` null for none."""

    kind: Literal["logistic"] = "logistic"


class ElasticNet(Part):
    """Logistic regression with absolute and squared penalty by `c`."""

    kind: Literal["elastic_net"] = "elastic_net"
    l1_ratio: Fraction = 0.5


class Trees(Part):
    """A learner without a penalty."""

    trees: Count = 100


class GradientBoosting(Trees):
    """Trees of depth 2, each on what the others left (Friedman 2001), on half of the cases and a root of the features;
    `c` is null."""

    kind: Literal["gradient_boosting"] = "gradient_boosting"
    rate: Fraction = 0.05
    """What a tree's answer is multiplied by."""


class RandomForest(Trees):
    """The mean of trees on bootstrap samples (Breiman 2001); `c` is null."""

    kind: Literal["random_forest"] = "random_forest"
    trees: Count = 500


Prefilter = Annotated[NoPrefilter | AnovaPrefilter | MannWhitneyPrefilter, Field(discriminator="kind")]
Selector = Annotated[
    LassoSelector | ElasticNetSelector | MrmrSelector | StabilitySelector | TopSelector | AllSelector,
    Field(discriminator="kind"),
]


def _something_to_cap(value: Any, info: Any) -> Any:
    if value is not None and isinstance(info.data.get("selector"), AllSelector):
        raise ValueError("null: selector all keeps everything (a cap needs a selector that ranks)")
    return value


def _suits_the_learner(value: Any, info: Any) -> Any:
    learner = info.data.get("learner")
    if value is not None and isinstance(learner, GradientBoosting | RandomForest):
        raise ValueError(f"null: {learner.kind} has no penalty")
    if value is None and isinstance(learner, ElasticNet):
        raise ValueError("a number above 0: elastic_net is its penalty")
    return value


Cap = Annotated[Positive | None, AfterValidator(_something_to_cap)]
Top = Annotated[Count | None, AfterValidator(_something_to_cap)]
Penalty = Annotated[Positive | None, AfterValidator(_suits_the_learner)]


class Steps(Part):
    """The way of a radiomics table to the features that a learner reads."""

    scale: Literal["zscore", "quantile_normal"] = "zscore"
    """Mean 0 and standard deviation 1, or ranks put on the normal curve."""
    prefilter: Prefilter = NoPrefilter()
    """A first cut by each feature's own relation to the outcome."""
    correlation: Annotated[float, Field(gt=0, le=1)] | None = 0.95
    """Of two features with a larger absolute correlation the later one is dropped; null drops none."""
    correlation_of: Literal["pearson", "spearman"] = "pearson"
    selector: Selector = LassoSelector()
    """What of the rest the learner reads."""
    top: Top = 20
    """Features kept at most, by the selector's ranking; null keeps all that it ranks."""
    events_per_variable: Cap = None
    """Caps the features at the smaller class of the training part over this (Peduzzi 1996: 10); null for no cap."""


class Recipe(Steps):
    """A member of an average; a field that is not given is as `heads` has it, the learner a logistic regression."""

    learner: Annotated[Logistic | ElasticNet | GradientBoosting | RandomForest, Field(discriminator="kind")] = (
        Logistic()
    )
    c: Penalty = 0.03
    """Inverse penalty of the regression; null for none."""


class Average(Part):
    """The mean log-odds of several recipes, each with its own scaling, selection and learner."""

    kind: Literal["average"] = "average"
    of: Annotated[tuple[Recipe, ...], Field(min_length=2)]


Learner = Annotated[Logistic | ElasticNet | GradientBoosting | RandomForest | Average, Field(discriminator="kind")]
