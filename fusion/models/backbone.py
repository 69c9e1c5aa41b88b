"""timm encoders as feature pyramids: slices as input channels, ImageNet weights from a file or the hub."""

import pickle
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

from fusion.config.run import Network
from fusion.errors import Fault, ModelError
from fusion.store import sha256

SIGMA_SLICES = 4.0
"""Width of the stem's profile along z: slices far from the tumour's centre count less."""
PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class Start:
    """ImageNet weights of one pyramid by flattened key; none for a random start."""

    arrays: dict[str, ndarray]
    sha256: str
    """Of the file; `none` for a random start."""


RANDOM = Start({}, "none")


def start_weights(network: Network) -> Start:
    """What ``network.weights`` names, read and checked against the architecture.

    Raises:
        ModelError: timm has no such model, or the file is missing, unreadable, of another architecture or out of reach.
    """
    with torch.random.fork_rng(devices=[]):
        plain, pyramid = _timm(network.backbone), _timm(network.backbone, features_only=True)
    if network.weights == "none":
        return RANDOM
    path = _hub_file(network.backbone) if network.weights == "hub" else Path(network.weights)
    if not path.is_file():
        remedy = "name an existing file, or take network.weights=hub or none"
        raise ModelError(Fault("no such file", "ImageNet weights with timm's key names", remedy, file=str(path)))
    state = _read(path)
    _check(state, plain, pyramid, path, network.backbone)
    needed = {_flat(key) for key in pyramid.state_dict()}
    return Start({key: value.numpy() for key, value in state.items() if key in needed}, sha256(path))


def backbone(network: Network, slices: int, start: Start) -> nn.Module:
    """A pyramid for ``slices`` input channels, started from ``start``; a random start draws from torch's generator."""
    pyramid = _timm(network.backbone, features_only=True, in_chans=slices, drop_path_rate=network.drop_path)
    if start.arrays:
        own = pyramid.state_dict()
        loaded = {key: torch.tensor(start.arrays.get(_flat(key), value)) for key, value in own.items()}
        stem_key = _stem_key(network.backbone)
        loaded.update({key: stem(value, slices) for key, value in loaded.items() if _flat(key) == stem_key})
        pyramid.load_state_dict(loaded)
    return pyramid


def stem(rgb: Float[Tensor, "out 3 ky kx"], slices: int) -> Float[Tensor, "out slices ky kx"]:
    """RGB weights for grey slices: their mean, times 3/slices so that the sum stays, times a Gaussian along z (mean 1).

    >>> float(stem(torch.ones(1, 3, 1, 1), 16).sum())
    3.0
    """
    z = torch.arange(slices) - (slices - 1) / 2
    profile = torch.exp(-(z**2) / (2 * SIGMA_SLICES**2))
    weight = 3 / slices * profile / profile.mean()
    return rgb.mean(1, keepdim=True) * weight[None, :, None, None]


def _timm(name: str, **options: object) -> nn.Module:
    try:
        return timm.create_model(name, **{key: value for key, value in options.items() if value})
    except RuntimeError as error:
        remedy = "name a timm convolutional model with features_only, such as mobilenetv3_large_100"
        raise ModelError(Fault(f"network.backbone={name}: {error}", "a timm feature pyramid", remedy)) from error


def _flat(key: str) -> str:
    """timm's pyramids rename some keys (`stages.0` to `stages_0`); without dots both are the same."""
    return key.replace(".", "_")


def _stem_key(name: str) -> str:
    return _flat(f"{timm.models.get_pretrained_cfg(name).first_conv}.weight")


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        remedy = "download the file again"
        raise ModelError(Fault("an unreadable file", "tensors by name", remedy, file=str(path))) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        remedy = "save the model's state_dict alone"
        raise ModelError(Fault("something else than tensors by name", "a state_dict", remedy, file=str(path)))
    return {_flat(key): value for key, value in state.items()}


def _check(state: dict[str, Tensor], plain: nn.Module, pyramid: nn.Module, path: Path, name: str) -> None:
    """Every weight of the pyramid is there in its shape, and nothing foreign; the classifier's part is free."""
    shapes = {_flat(key): value.shape for key, value in pyramid.state_dict().items()}
    known = {_flat(key) for key in plain.state_dict()}
    wanted = {key for key in shapes if not key.endswith("num_batches_tracked")}
    wrong = sorted(
        [f"{key} missing" for key in wanted - set(state)]
        + [f"{key} unknown" for key in set(state) - known]
        + [f"{key} {tuple(state[key].shape)}" for key in wanted & set(state) if state[key].shape != shapes[key]]
    )
    if wrong:
        found = f"{len(wrong)} weights that do not fit ({', '.join(wrong[:3])}, ...)"
        remedy = "name this architecture's file, or the file's architecture in network.backbone"
        raise ModelError(Fault(found, f"timm's weights of {name}", remedy, file=str(path)))


def _hub_file(name: str) -> Path:
    """The hub's file of ``name``: from the local cache if it is there, so that a run does not change with the hub."""
    import huggingface_hub

    known = timm.models.get_pretrained_cfg(name)
    if known is None or not known.hf_hub_id:
        raise _no_hub(name, "no weights on the hub")
    file = known.hf_hub_filename or "model.safetensors"
    cached = huggingface_hub.try_to_load_from_cache(known.hf_hub_id, file)
    if isinstance(cached, str):
        return Path(cached)
    if huggingface_hub.constants.HF_HUB_OFFLINE or not _reachable(huggingface_hub.constants.ENDPOINT):
        raise _no_hub(name, "a hub out of reach, and nothing in its local cache")
    try:
        return Path(huggingface_hub.hf_hub_download(known.hf_hub_id, file))
    except OSError as error:  # every hub error of a request is one
        raise _no_hub(name, f"a hub that answers {type(error).__name__}") from error


def _reachable(address: str) -> bool:
    """The hub's own client retries for most of a minute; this asks once."""
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _no_hub(name: str, found: str) -> ModelError:
    remedy = "give a local file in network.weights, or start at random with network.weights=none"
    return ModelError(Fault(found, f"ImageNet weights of {name}", remedy))
