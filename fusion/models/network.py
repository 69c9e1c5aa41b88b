"""One network for every source: a pyramid a region, fusion at each scale, a linear classifier."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion import store
from fusion.config.run import Network
from fusion.errors import Fault, ModelError
from fusion.models.backbone import RANDOM, Start, backbone
from fusion.models.fuse import Scale

SOURCES = {"tumour_DL": (0,), "external2_DL": (1,), "tumour+external2_DL": (0, 1)}
"""Which regions (0 tumour, 1 ring) a source's network sees."""


class RegionNetwork(nn.Module):
    """Regions in, one log-odds a case out; the deep features are the concatenated maxima of the fused scales."""

    def __init__(self, network: Network, slices: int, regions: int, start: Start = RANDOM) -> None:
        super().__init__()
        self.branches = nn.ModuleList(backbone(network, slices, start) for _ in range(regions))
        channels = self.branches[0].feature_info.channels()  # type: ignore[operator, union-attr]
        self.scales = nn.ModuleList(Scale(c, regions, network.width, network.fuse.kind) for c in channels)
        self.dropout = nn.Dropout(network.dropout)
        self.classifier = nn.Linear(sum(scale.width for scale in self.scales), 1)  # type: ignore[misc]

    def forward(self, regions: Float[Tensor, "b region z y x"]) -> Float[Tensor, " b"]:
        """Log-odds of the positive class."""
        return self.classify(self.deep(regions))

    def deep(self, regions: Float[Tensor, "b region z y x"]) -> Float[Tensor, "b feature"]:
        """Deep features, finest scale first."""
        pyramids = [branch(region) for branch, region in zip(self.branches, regions.unbind(1), strict=True)]
        return torch.cat([scale(maps) for scale, maps in zip(self.scales, zip(*pyramids, strict=True), strict=True)], 1)

    def classify(self, deep: Float[Tensor, "b feature"]) -> Float[Tensor, " b"]:
        """Log-odds from deep features."""
        return self.classifier(self.dropout(deep))[:, 0]


def checkpoint(folder: Path, source: str, fold: int, seed: int) -> Path:
    """Where a run keeps the weights of one network."""
    return folder / "checkpoints" / f"{source}_fold{fold}_seed{seed}.safetensors"


def save(state: dict[str, Tensor], notes: dict[str, object], path: Path) -> None:
    """Write weights with ``notes``; equal weights and notes give equal bytes."""
    from safetensors.torch import save_file

    with store.whole(path) as part:  # one entry, because the format does not keep the order of several
        save_file(state, part, {"training": json.dumps(notes, sort_keys=True)})


def notes(path: Path) -> dict[str, object]:
    """What ``save`` noted beside the weights.

    Raises:
        ModelError: the file is missing or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["training"])
    except (OSError, SafetensorError, TypeError, KeyError, json.JSONDecodeError) as error:
        remedy = "delete it if it is there, and train again"
        raise ModelError(Fault("no trained network", "weights written by fusion", remedy, file=str(path))) from error


def load(path: Path, network: Network, slices: int, regions: int) -> RegionNetwork:
    """A trained network, ready to score.

    Raises:
        ModelError: the file is missing, or holds another architecture than ``network`` describes.
    """
    from safetensors.torch import load_file

    notes(path)
    with torch.random.fork_rng(devices=[]):
        net = RegionNetwork(network, slices, regions)
    try:
        net.load_state_dict(load_file(path))
    except RuntimeError as error:
        remedy = "use the config the network was trained with"
        raise ModelError(Fault("weights that do not fit", network.backbone, remedy, file=str(path))) from error
    return net.eval()


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """Same numbers on any number of cores: one thread and deterministic algorithms, while the block lasts."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filled, memory.fill_uninitialized_memory = memory.fill_uninitialized_memory, False  # no operation reads such memory
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)
        memory.fill_uninitialized_memory = filled
