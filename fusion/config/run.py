"""A run, field by field: frozen, ranges in the types, docstrings become the schema."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from fusion.config.images import IMAGES as IMAGES
from fusion.config.part import Count, Fraction, Part, Positive
from fusion.config.radiomics import Radiomics


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a word or a number (YAML reads yes, no, on, off as booleans: quote them)")
    return value


Level = Annotated[str | int | float, BeforeValidator(_no_boolean)]
MODELS = (
    "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD",
    "Tumor_DL", "External2_DL", "Tumor+External2_DL",
    "Tumor_RAD+DL", "External2_RAD+DL", "Tumor+External2_RAD+DL",
    "Clinical", "Combined",
)  # fmt: skip
"""The eleven models of Shen 2026, Table 1, in its order."""


class Phantom(Part):
    """A synthetic cohort with a known answer, made where the cohort table does not exist yet."""

    kind: Literal["ct"] = "ct"
    cases: Annotated[int, Field(ge=8)] = 357
    """Number of cases."""
    prevalence: Fraction = 89 / 357
    """Share of malignant cases; the default is Shen 2026's 89 of 357."""
    preset: Literal["default", "strong", "null"] = "default"
    """`strong` has larger clinical odds ratios; `null` has no signal at all."""
    size: Literal["crop", "neck"] = "crop"
    """`crop` is 112x112x12 voxels round the tumour, `neck` the whole 512x512x24 field."""
    seed: Annotated[int, Field(ge=0)] = 0


class Number(Part):
    """A clinical variable that is a number."""

    kind: Literal["number"] = "number"
    low: float | None = None
    """Smallest value that is not a typing error."""
    high: float | None = None
    """Largest value that is not a typing error."""


class Category(Part):
    """A clinical variable with named levels."""

    kind: Literal["category"] = "category"
    values: Annotated[tuple[Level, ...], Field(min_length=2)]
    """Every level that may occur; the first is the reference level."""


class Cohort(Part):
    """The case table and the names of its columns; paths in the table are relative to the table."""

    table: Path
    """CSV, Excel or Parquet; one row a case."""
    phantom: Phantom | None = None
    """Make this phantom beside `table` if the table does not exist."""
    case: str = "case"
    """Column with the unique id of a case."""
    patient: str = "patient"
    """Column with the patient; rows of one patient never part. Without it every case is a patient."""
    image: str = "ct"
    """Column with the path of the image (NIfTI, NRRD, MHA)."""
    tumour: str = "tumour"
    """Column with the path of the tumour mask."""
    external2: str = "external2"
    """Optional column with the path of a hand-refined ring; an empty cell means the automatic ring."""
    second_reader: str = "tumour_reader2"
    """Optional column with a second reader's tumour mask, given for some cases."""
    repeat: str = "tumour_repeat"
    """Optional column with the first reader's mask drawn again, given for some cases."""
    label: Annotated[int, Field(ge=1)] = 1
    """Value of the tumour in the tumour mask, and of the ring in a hand-refined ring."""
    outcome: str = "malignant"
    """Column with the outcome."""
    positive: Level = 1
    """Outcome value of the positive class."""
    negative: Level = 0
    """Outcome value of the other class."""
    positive_name: str = "malignant"
    """Name of the positive class in every table and figure."""
    negative_name: str = "benign"
    """Name of the other class."""
    set: str = "set"
    """Optional column that fixes the set of a case: train, test or external."""
    scanner: str = "scanner"
    """Optional column with the scanner."""
    clinical: dict[str, Annotated[Number | Category, Field(discriminator="kind")]] = Field(default={})
    """Clinical columns by name; `{kind: number}` or `{kind: category, values: [reference, other]}`."""
    shuffle_outcome: bool = False
    """Canary: permute the outcome over patients' rows (seeded); every model must then score chance."""
    tolerance_mm: Positive = 1e-3
    """How far spacing and origin of image and mask may differ, in mm."""
    tolerance_direction: Positive = 1e-4
    """How far an entry of the direction matrices of image and mask may differ."""


class Split(Part):
    """Test set and folds, by patient, stratified by outcome; written to splits.csv."""

    test_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of patients kept for the test set; 0 for none. Ignored where the table has a `set` column."""
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Folds inside the training set."""
    file: Path | None = None
    """Read this splits.csv back instead of drawing a split."""


class Ring(Part):
    """External2, the peritumoural ring."""

    thickness_mm: Annotated[float, Field(gt=0, le=20)] = 2.0
    """Distance from the tumour's surface, in mm."""
    grid: Literal["in_plane", "volume"] = "in_plane"
    """Distance within each slice of the native grid, or in three dimensions."""
    shape: Literal["shell", "filled"] = "shell"
    """`filled` includes the tumour."""
    hu_range: tuple[float, float] | None = (-200.0, 400.0)
    """Ring voxels outside this range (air, bone) are dropped; null where grey values are not HU."""
    minimum_voxels: Count = 50
    """A smaller ring is a fault of its case."""

    @model_validator(mode="after")
    def _ordered(self) -> "Ring":
        if self.hu_range and self.hu_range[0] >= self.hu_range[1]:
            raise ValueError("hu_range must be [low, high] with low < high")
        return self


class Patch(Part):
    """The networks' input: a box centred on the tumour, resampled."""

    shape: tuple[Count, Count, Count] = (16, 96, 96)
    """Voxels along (z, y, x)."""
    spacing_mm: tuple[Positive, Positive, Positive] = (3.0, 0.5, 0.5)
    """Voxel size along (z, y, x); 16 x 3 mm and 96 x 0.5 mm make a 48-mm cube."""
    window: tuple[float, float] = (-160.0, 240.0)
    """Grey values are clipped to this range (HU for CT; width 400, level 40), then scaled to [-2, 2]."""

    @model_validator(mode="after")
    def _ordered(self) -> "Patch":
        if self.window[0] >= self.window[1]:
            raise ValueError("window must be [low, high] with low < high")
        if self.window[1] - self.window[0] < 32:
            raise ValueError("window must span 32 grey values or more, because patches keep whole numbers; rescale")
        return self


class Roi(Part):
    """From image and mask to regions and patches."""

    resample_mask: bool = False
    """Bring a mask with another grid onto the image's grid (nearest neighbour) instead of refusing it."""
    minimum_voxels: Count = 20
    """A smaller tumour is a fault of its case."""
    external2: Ring = Ring()
    patch: Patch = Patch()


class Add(Part):
    """Same-scale maps are added, then convolved (Shen 2026)."""

    kind: Literal["add"] = "add"


class Concat(Part):
    """Same-scale maps are concatenated along channels, then convolved."""

    kind: Literal["concat"] = "concat"


class Diff(Part):
    """The ring's map is subtracted from the tumour's, then convolved."""

    kind: Literal["diff"] = "diff"


class Gated(Part):
    """A gate between 0 and 1, computed from both maps, weighs tumour against ring at every place and channel."""

    kind: Literal["gated"] = "gated"
    hidden: Count = 64
    """Channels inside the gate."""


class PaperLiteral(Part):
    """Same-scale maps are added, then convolved by a full 3x3 convolution that keeps all channels, whatever `width`."""

    kind: Literal["paper_literal"] = "paper_literal"


class Slices(Part):
    """The slices are the input channels of one 2-D pyramid (Shen 2026's 96x96x16)."""

    kind: Literal["slices"] = "slices"


class SliceMean(Part):
    """Every slice by itself through one shared 2-D pyramid, in three channels: soft window, wide window, region.

    The deep features are pooled over the slices that hold some of a region.
    """

    kind: Literal["slice_mean"] = "slice_mean"
    pool: Literal["mean", "attention"] = "mean"
    """`attention` learns which slices count (Ilse 2018, arXiv:1802.04712)."""


class WholeVolume(Part):
    """A 3-D pyramid, inflated from the 2-D one; for thin slices, with `roi.patch` at an isotropic spacing."""

    kind: Literal["volume"] = "volume"


class Network(Part):
    """The twin-branch networks and their training."""

    backbone: str = "mobilenetv3_large_100"
    """Any timm model with `features_only`."""
    weights: str = "hub"
    """ImageNet start: `hub`, `none`, or the path of a local file with timm's key names."""
    partial_weights: bool = False
    """Layers that the file of `weights` lacks start at random; otherwise such a file is refused."""
    input: Annotated[Slices | SliceMean | WholeVolume, Field(discriminator="kind")] = Slices()
    fuse: Annotated[Add | Concat | Diff | Gated | PaperLiteral, Field(discriminator="kind")] = Add()
    width: Count = 64
    """Channels of a fused scale at most."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.1
    epochs: Count = 60
    warmup_epochs: Annotated[int, Field(ge=0)] = 5
    """Epochs with a frozen backbone (batch norm in evaluation mode) before all layers train; from `epochs` on it never
    trains."""
    batch: Annotated[int, Field(ge=2)] = 32
    """Cases a step at most."""
    lr_head: Positive = 3e-4
    lr_backbone: Positive = 3e-5
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    clip: Positive = 1.0
    """Largest gradient norm."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Decay of the exponential moving average of weights and batch-norm buffers; 0 for none."""
    augment: bool = True
    """Rotation, flips, scale, shift, grey-value gain and offset, noise, contour, ring thickness, seeded a sample."""
    mixup: Annotated[float, Field(ge=0)] = 0.0
    """Parameter of mixup's Beta law (Zhang 2018, arXiv:1710.09412), the same partner for both regions; 0 for none."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    balanced: bool = False
    """Weigh the positive class up to the other; the trained network's log-odds are shifted back to the true share."""
    seeds: Count = 1
    """Networks a fold; their logits are averaged."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Of the forward and backward pass; `auto` is bf16 on a GPU and float32 elsewhere."""
    training: Literal["auto", "separate", "stacked"] = "auto"
    """`separate` trains one network after another (on the CPU one a core), `stacked` all at once as one network;
    `auto` times both for a few steps and stacks where that is clearly faster. Equal up to rounding."""
    logger: Literal["csv", "tensorboard"] = "csv"
    """TensorBoard needs the extra `fusion[tensorboard]`."""


class Heads(Part):
    """From features and scores to probabilities; everything here is fitted inside the fold."""

    stacking: Literal["oof_score", "frozen_backbone", "nested_vector", "paper_literal"] = "oof_score"
    """What a network hands on: `oof_score` its log-odds for cases it never saw; `frozen_backbone` the vectors of the
    untrained ImageNet pyramid and `nested_vector` those of a network trained on two thirds, both read by a head fitted
    on cases the network never saw; `paper_literal` as `oof_score`, and beside it the paper's plain reading, which
    leaks, with its optimism."""
    calibration: Literal["none", "temperature", "platt"] = "temperature"
    """Of the networks' own models, on out-of-fold log-odds: one factor (Guo 2017, arXiv:1706.04599), or factor and
    offset (Platt 1999)."""
    correlation: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Of two features with a larger absolute Pearson correlation the later one is dropped."""
    lasso_folds: Annotated[int, Field(ge=2)] = 10
    """Cross-validation folds that choose LASSO's penalty."""
    top: Count = 20
    """Features kept at most, by absolute LASSO coefficient."""
    c: Positive = 0.03
    """Inverse ridge penalty of the radiomics score's logistic regression on standardised features."""
    fusion_c: Positive = 1.0
    """Inverse ridge penalty of the logistic regression on standardised scores and clinical predictors."""
    clinical: tuple[str, ...] | None = None
    """Clinical predictors of Clinical and Combined; null takes every column of `cohort.clinical`."""


class Youden(Part):
    """Threshold with the largest sensitivity + specificity - 1 (Youden 1950)."""

    kind: Literal["youden"] = "youden"


class FixedThreshold(Part):
    """A threshold chosen beforehand."""

    kind: Literal["fixed"] = "fixed"
    probability: Fraction = 0.5


class FixedSensitivity(Part):
    """The largest threshold that reaches a sensitivity."""

    kind: Literal["sensitivity"] = "sensitivity"
    sensitivity: Fraction = 0.9


class Evaluate(Part):
    """How predictions are judged."""

    threshold: Annotated[Youden | FixedThreshold | FixedSensitivity, Field(discriminator="kind")] = Youden()
    """Rule for the threshold, always read from training out-of-fold predictions."""
    bootstrap: Annotated[int, Field(ge=200)] = 2000
    """Stratified bootstrap samples behind an AUC interval."""
    confidence: Fraction = 0.95


class Run(Part):
    """Everything that decides the numbers of a run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Names the run folder."""
    output: Path | None = None
    """The run folder; default runs/NAME."""
    cache: Path | None = None
    """Folder that keeps each case's radiomics by content, shared between runs; default inside the run folder."""
    seed: Annotated[int, Field(ge=0)] = 0
    jobs: Annotated[int, Field(ge=0)] = 0
    """Worker processes; 0 for every core. Does not change a number."""
    cohort: Cohort
    split: Split = Split()
    roi: Roi = Roi()
    radiomics: Radiomics = Radiomics()
    network: Network | None = Network()
    """null leaves the networks out: radiomics and clinical models only."""
    heads: Heads = Heads()
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _clinical_predictors_exist(self) -> "Run":
        unknown = [name for name in self.heads.clinical or () if name not in self.cohort.clinical]
        if unknown:
            raise ValueError(f"heads.clinical names {unknown}, which cohort.clinical does not describe")
        return self

    @model_validator(mode="after")
    def _one_label(self) -> "Run":
        if self.radiomics.label not in (1, self.cohort.label):
            raise ValueError(f"radiomics.label is {self.radiomics.label}; a run reads its masks by cohort.label, "
                             f"which is {self.cohort.label}")  # fmt: skip
        return self

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.output or Path("runs") / self.name

    @property
    def predictors(self) -> tuple[str, ...]:
        """Clinical predictors in use."""
        return tuple(self.cohort.clinical) if self.heads.clinical is None else self.heads.clinical

    @property
    def models(self) -> tuple[str, ...]:
        """The models this run can make, in Table 1's order: no DL without networks, no Clinical without predictors.

        Combined without networks is the radiomics score of both regions with the clinical predictors.
        """
        return tuple(
            name
            for name in MODELS
            if (self.network is not None or "DL" not in name)
            and (self.predictors or name not in ("Clinical", "Combined"))
        )
