"""A run's trained networks on disk: weights with notes, equal bytes for equal training."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from fusion import store
from fusion.config.network import Network
from fusion.errors import Fault, ModelError
from fusion.models.network import RegionNetwork

Sources = Mapping[str, tuple[int, ...]]
"""Which branches a source's network sees: regions of a box, or sequences of slices."""
SOURCES: Sources = {"tumour_DL": (0,), "external2_DL": (1,), "tumour+external2_DL": (0, 1)}
"""Which regions (0 tumour, 1 ring) a source's network sees."""


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


def load(path: Path, network: Network, slices: int, regions: int, outputs: int = 1) -> RegionNetwork:
    """A trained network, ready to score.

    Raises:
        ModelError: the file is missing, or holds another architecture than ``network`` describes.
    """
    from safetensors.torch import load_file

    notes(path)
    return trained(untrained(network, slices, regions, outputs), load_file(path), network, str(path))


def read(content: bytes, file: str) -> dict[str, Tensor]:
    """Weights from a file's bytes, for those who checked the bytes.

    Raises:
        ModelError: they are no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    try:
        return from_bytes(content)
    except SafetensorError as error:
        remedy = "write the file again"
        raise ModelError(Fault("no weights", "weights written by fusion", remedy, file=file)) from error


def untrained(network: Network, slices: int, regions: int, outputs: int = 1) -> RegionNetwork:
    """A network of this architecture, not trained; torch's own generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        return RegionNetwork(network, slices, regions, outputs=outputs)


def trained(net: RegionNetwork, weights: Mapping[str, Tensor], network: Network, file: str) -> RegionNetwork:
    """``net`` with ``weights``, ready to score.

    Raises:
        ModelError: they are another architecture's than ``network`` describes.
    """
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        remedy = "use the config the network was trained with"
        raise ModelError(Fault("weights that do not fit", network.backbone, remedy, file=file)) from error
    return net.eval()
