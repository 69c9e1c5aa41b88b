"""What is asked of features before a model reads them: that readers agree on them, and that scanners do."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fusion.config.part import Fraction, Part


class Perturb(Part):
    """A second reading where there is no second reader: the tumour's mask as other hands might have drawn it.

    The surface is moved by a smooth random field on the signed distance, the whole mask shifted, its volume changed;
    after Zwanenburg 2019, doi:10.1038/s41598-018-36938-4, who perturbs images and masks to find robust features.
    """

    cases: Annotated[int, Field(ge=5)] = 20
    """Cases drawn, without a look at their outcome (Shen 2026: 20)."""
    readings: Annotated[int, Field(ge=1, le=20)] = 1
    """Perturbed masks a case; they and the drawn one are the readings."""
    jitter_mm: Annotated[float, Field(ge=0, le=5)] = 0.5
    """Standard deviation of the surface's smooth displacement."""
    smooth_mm: Annotated[float, Field(gt=0, le=50)] = 3.0
    """Width (sigma) of the field that displaces it."""
    shift_mm: Annotated[float, Field(ge=0, le=10)] = 0.3
    """Standard deviation of the shift along each axis within the slice."""
    volume: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    """Standard deviation of the relative change of volume."""

    @model_validator(mode="after")
    def _perturbs(self) -> "Perturb":
        if self.jitter_mm == self.shift_mm == self.volume == 0:
            raise ValueError("jitter_mm, shift_mm or volume above 0, as nothing would be perturbed")
        return self


class Icc(Part):
    """Keep features on which readings of the same cases agree: the intraclass correlation (Shrout & Fleiss 1979).

    It needs second readings (`cohort.second_reader`, `cohort.repeat`) of five cases at least, or `perturb`. No outcome
    has a part in it, so the same features are kept in every fold.
    """

    kind: Literal["1,1", "2,1", "3,1"] = "2,1"
    """`2,1` absolute agreement of readers drawn from many, `3,1` consistency of these readers, `1,1` readers that are
    not told apart. Quote it in YAML."""
    minimum: Fraction = 0.9
    """A feature is kept above this (Shen 2026: 0.9)."""
    bound: Literal["estimate", "lower"] = "estimate"
    """What has to be above: the estimate, or the lower end of its interval (`evaluate.confidence`)."""
    readers: Literal["inter", "intra", "both", "none"] = "both"
    """`inter` second reader against first, `intra` first reader against his repeat; `both` have to pass; `none` is for
    `perturb` alone."""
    perturb: Perturb | None = None
    """Perturbed masks as a further reading, which has to pass too."""
    cases: Literal["training", "all"] = "training"
    """Cases that count. No outcome is read, but `all` looks at test images."""

    @model_validator(mode="after")
    def _asks(self) -> "Icc":
        if self.readers == "none" and self.perturb is None:
            raise ValueError("readers=none goes with perturb; there would be no second reading")
        return self


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
