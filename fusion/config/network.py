"""The twin-branch networks and their training."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fusion.config.part import Count, Part, Positive


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


class Plain(Part):
    """The last scale alone, the branches' maps added, and its mean: what ResNet's own classifier reads (Kaba 2025)."""

    kind: Literal["plain"] = "plain"


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


class Picture(Part):
    """One 2-D slice in three equal channels, each scaled as ImageNet's pictures are; for `cohort.sequences`."""

    kind: Literal["picture"] = "picture"


class AdamW(Part):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101)."""

    kind: Literal["adamw"] = "adamw"


class Sgd(Part):
    """Stochastic gradient descent with momentum; `weight_decay` is then an L2 penalty."""

    kind: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9


class Cosine(Part):
    """The full learning rate in the warm-up, then a cosine down to none."""

    kind: Literal["cosine"] = "cosine"


class Steps(Part):
    """The learning rate times `factor` after every so many epochs."""

    kind: Literal["steps"] = "steps"
    every: Count = 10
    """Epochs."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1


PRESETS: dict[str, dict[str, Any]] = {
    "kaba2025": {
        "backbone": "resnet18", "input": {"kind": "picture"}, "fuse": {"kind": "plain"}, "dropout": 0.0,
        "drop_path": 0.0, "epochs": 30, "warmup_epochs": 0, "batch": 128, "lr_head": 1e-3, "lr_backbone": 1e-3,
        "weight_decay": 1e-4, "optimiser": {"kind": "sgd", "momentum": 0.9},
        "schedule": {"kind": "steps", "every": 10, "factor": 0.1}, "clip": None, "ema": 0.0, "augment": "rotation",
    },
}  # fmt: skip
"""What a preset says of the fields that are not given."""


class Network(Part):
    """The networks, a branch a region or a sequence, and their training."""

    preset: Literal["default", "kaba2025"] = "default"
    """Values of the fields that are not given: `kaba2025` is the recipe of Kaba 2025 as printed: ResNet18; SGD,
    momentum 0.9; learning rate 1e-3, a tenth after every 10 epochs; L2 1e-4; 30 epochs; batches of 128; rotation."""

    backbone: str = "mobilenetv3_large_100"
    """Any timm model with `features_only`."""
    weights: str = "hub"
    """ImageNet start: `hub`, `none`, or the path of a local file with timm's key names."""
    partial_weights: bool = False
    """Layers that the file of `weights` lacks start at random; otherwise such a file is refused."""
    input: Annotated[Slices | SliceMean | WholeVolume | Picture, Field(discriminator="kind")] = Slices()
    fuse: Annotated[Add | Concat | Diff | Gated | PaperLiteral | Plain, Field(discriminator="kind")] = Add()
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
    optimiser: Annotated[AdamW | Sgd, Field(discriminator="kind")] = AdamW()
    schedule: Annotated[Cosine | Steps, Field(discriminator="kind")] = Cosine()
    clip: Positive | None = 1.0
    """Largest gradient norm; null for any."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Decay of the exponential moving average of weights and batch-norm buffers; 0 for none."""
    augment: bool | Literal["rotation"] = True
    """Rotation, flips, scale, shift, grey-value gain and offset, noise, contour, ring thickness, seeded a sample;
    `rotation` alone (up to 45 degrees, of slices) as Kaba 2025 has it."""
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
    `auto` times both for a few steps and stacks where that is clearly faster; jobs of one fold each, which may meet
    different machines, train separately. Equal up to rounding."""
    devices: Count = 1
    """GPUs of a machine (without any, processes) that share out every step of a network; equal to one up to rounding.
    `batch` stays that of all together."""
    nodes: Count = 1
    """Machines that do so, each with as many `devices`; several want a SLURM job of nodes x devices tasks."""
    logger: Literal["csv", "tensorboard"] = "csv"
    """Losses are always written as CSV; TensorBoard, beside it, needs the extra `fusion[tensorboard]`."""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = given.get("preset", "default")
        return {**(PRESETS.get(preset, {}) if isinstance(preset, str) else {}), **given}

    @property
    def processes(self) -> int:
        """Those that train one network together."""
        return self.devices * self.nodes

    @model_validator(mode="after")
    def _each_process_has_a_case(self) -> "Network":
        if self.batch < self.processes:
            raise ValueError(f"batch: {self.batch} cases for {self.processes} processes (devices x nodes); raise it")
        if self.processes > 1 and self.training == "stacked":
            raise ValueError(f"training: stacked is for one device, not {self.processes}; take auto or separate")
        return self

    @model_validator(mode="after")
    def _rotation_of_slices(self) -> "Network":
        if self.augment == "rotation" and self.input.kind != "picture":
            raise ValueError("augment: true or false, as `rotation` alone is for the input picture")
        if self.input.kind == "picture" and self.fuse.kind in ("diff", "gated"):
            raise ValueError(
                f"fuse: not {self.fuse.kind}, which is for tumour and ring; add, concat, paper_literal or plain"
            )
        return self
