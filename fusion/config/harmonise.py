"""What is asked of features before a model reads them: that readers agree on them, and that scanners do."""

from typing import Literal

from fusion.config.part import Fraction, Part


class Icc(Part):
    """Keep features on which readings of the same cases agree: the intraclass correlation (Shrout & Fleiss 1979).

    It needs second readings (`cohort.second_reader`, `cohort.repeat`) of five cases at least. No outcome has a part in
    it, so the same features are kept in every fold.
    """

    kind: Literal["1,1", "2,1", "3,1"] = "2,1"
    """`2,1` absolute agreement of readers drawn from many, `3,1` consistency of these readers, `1,1` readers that are
    not told apart. Quote it in YAML."""
    minimum: Fraction = 0.9
    """A feature is kept above this (Shen 2026: 0.9)."""
    bound: Literal["estimate", "lower"] = "estimate"
    """What has to be above: the estimate, or the lower end of its interval (`evaluate.confidence`)."""
    readers: Literal["inter", "intra", "both"] = "both"
    """`inter` second reader against first, `intra` first reader against his repeat; `both` have to pass."""
    cases: Literal["training", "all"] = "training"
    """Cases that count. No outcome is read, but `all` looks at test images."""


class Combat(Part):
    """Align radiomics features between scanners: ComBat (Johnson 2007), fitted on the training part of every fold.

    Radiomics tables only; scores and vectors of networks stay as they are, and so do the features of the paper's plain
    reading (`paper_literal`). The outcome is never a covariate: a new
    case has none, and its effect would be planted into training features that the model is then tested on.
    """

    kind: Literal["combat"] = "combat"
    by: Literal["scanner"] = "scanner"
    """What a batch is: the column `cohort.scanner`."""
    mean_only: bool = False
    """Align means and leave spreads alone."""
    unseen: Literal["refuse", "as_is"] = "refuse"
    """A scanner with fewer than two cases in a training part cannot be learned: refuse the run, or leave its features
    as they are."""
    covariates: tuple[str, ...] = ()
    """Clinical columns whose effect on the features is kept, such as age; names from `cohort.clinical`."""
