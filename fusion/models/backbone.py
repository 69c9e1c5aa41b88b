"""timm encoders as feature pyramids for every input, with ImageNet weights from a file or the hub."""

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

from fusion.config.network import Network
from fusion.errors import Fault, ModelError
from fusion.models.inflate import inflated
from fusion.store import sha256

SIGMA_SLICES = 4.0
"""Width of the stem's profile along z: slices far from the tumour's centre count less."""
ANOTHER = "name a timm convolutional model with features_only, such as mobilenetv3_large_100"
PROBE_SECONDS = 5.0
REFUSALS = (RuntimeError, TypeError, ValueError, AssertionError, AttributeError, LookupError)
"""How timm's families say that a model does not take what is asked of it; anything else is no refusal and goes on."""
PROBE_PIXELS, PROBE_SLICES = 96, 4
"""Size of the image that a pyramid is tried on."""


@dataclass(frozen=True)
class Start:
    """ImageNet weights of one pyramid by flattened key; none for a random start."""

    arrays: dict[str, ndarray]
    sha256: str
    """Of the file; `none` for a random start."""
    missing: tuple[str, ...] = ()
    """Layers that the file lacks and `network.partial_weights` starts at random."""
    stems: frozenset[str] = frozenset()
    """Keys of the weights that meet the image."""


RANDOM = Start({}, "none")


def start_weights(network: Network) -> Start:
    """What ``network.weights`` names, read and checked against the architecture.

    Raises:
        ModelError: timm has no such model, or it cannot serve as a pyramid over any number of slices (or, for `volume`,
            in three dimensions); the file is missing, unreadable, of another architecture or out of reach.
    """
    with torch.random.fork_rng(devices=[]):
        plain, pyramid = _timm(network.backbone), _timm(network.backbone, features_only=True)
        stems = _stems(network, pyramid)
        _serves(pyramid, network)
    if network.weights == "none":
        return RANDOM
    path = _hub_file(network.backbone) if network.weights == "hub" else Path(network.weights)
    if not path.is_file():
        remedy = "name an existing file, or take network.weights=hub or none"
        raise ModelError(Fault("no such file", "ImageNet weights with timm's key names", remedy, file=str(path)))
    state = _read(path)
    missing = _check(state, plain, pyramid, path, network)
    needed = {_flat(key) for key in pyramid.state_dict()}
    arrays = {key: value.numpy() for key, value in state.items() if key in needed}
    return Start(arrays, sha256(path), missing, stems)


def backbone(network: Network, slices: int, start: Start) -> nn.Module:
    """A pyramid for the network's input, started from ``start``; a random start draws from torch's generator alone.

    `slices` has a channel a slice and `volume` one, both with a grey stem; `slice_mean` and `picture` keep the three of
    RGB.
    """
    channels = {"slices": slices, "slice_mean": 3, "picture": 3, "volume": 1}[network.input.kind]
    pyramid = _timm(network.backbone, features_only=True, in_chans=channels, drop_path_rate=network.drop_path)
    if start.arrays:
        loaded = pyramid.state_dict()
        loaded.update({key: torch.tensor(start.arrays[_flat(key)]) for key in loaded if _flat(key) in start.arrays})
        if network.input.kind not in ("slice_mean", "picture"):
            known = start.stems & set(start.arrays)
            loaded.update({key: stem(value, channels) for key, value in loaded.items() if _flat(key) in known})
        pyramid.load_state_dict(loaded)
    return inflated(pyramid, network.backbone) if network.input.kind == "volume" else pyramid


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
    except REFUSALS as error:
        if "drop_path_rate" in str(error):
            raise _unsuitable(name, "no drop-path in it", "set network.drop_path=0") from error
        raise _unsuitable(name, _line(error)) from error


def _unsuitable(name: str, why: str, remedy: str = ANOTHER) -> ModelError:
    return ModelError(Fault(f"network.backbone={name}: {why}", "a timm feature pyramid", remedy))


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _stems(network: Network, pyramid: nn.Module) -> frozenset[str]:
    """The weights whose shape follows the number of input channels."""
    other = _timm(network.backbone, features_only=True, in_chans=5, drop_path_rate=network.drop_path).state_dict()
    rgb = {key: value.shape for key, value in pyramid.state_dict().items() if value.shape != other[key].shape}
    if not rgb or any(len(shape) != 4 or shape[1] != 3 for shape in rgb.values()):
        raise _unsuitable(network.backbone, "a stem that does not take its input channel by channel")
    return frozenset(map(_flat, rgb))


@torch.no_grad()
def _serves(pyramid: nn.Module, network: Network) -> None:
    """Maps come as (b, channel, y, x), and in three dimensions say of slices that are alike what they say of one."""
    try:
        section = torch.linspace(-2, 2, 3 * PROBE_PIXELS**2).view(1, 3, PROBE_PIXELS, PROBE_PIXELS).sin()
        maps = pyramid.eval()(section)
        volume = section[:, :, None].expand(-1, -1, PROBE_SLICES, -1, -1)
        deep = inflated(pyramid, network.backbone, central=True)(volume) if network.input.kind == "volume" else []
    except ModelError:
        raise
    except REFUSALS as error:
        raise _unsuitable(network.backbone, _line(error)) from error
    if [own.shape[1] for own in maps if own.ndim == 4] != pyramid.feature_info.channels():  # type: ignore[operator, union-attr]
        raise _unsuitable(network.backbone, "feature maps that are not (channel, y, x)")
    for flat, own in zip(maps, deep, strict=False):
        if own.ndim != 5 or (own - flat[:, :, None]).abs().max() > 1e-4 * flat.abs().max():
            raise _unsuitable(network.backbone, "layers that do not work in three dimensions")


def _flat(key: str) -> str:
    """timm's pyramids rename some keys (`stages.0` to `stages_0`); without dots both are the same."""
    return key.replace(".", "_")


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


def _check(
    state: dict[str, Tensor], plain: nn.Module, pyramid: nn.Module, path: Path, network: Network
) -> tuple[str, ...]:
    """Every weight of the pyramid is there in its shape, and nothing foreign; the classifier's part is free.

    Returns the layers that are missing, which `network.partial_weights` allows as long as there are others.
    """
    shapes = {_flat(key): value.shape for key, value in pyramid.state_dict().items()}
    known = {_flat(key) for key in plain.state_dict()}
    wanted = {key for key in shapes if not key.endswith("num_batches_tracked")}
    missing = wanted - set(state)
    partial = network.partial_weights and missing != wanted
    wrong = sorted(
        [f"{key} missing" for key in missing if not partial]
        + [f"{key} unknown" for key in set(state) - known]
        + [f"{key} {tuple(state[key].shape)}" for key in wanted & set(state) if state[key].shape != shapes[key]]
    )
    if wrong:
        found = f"{len(wrong)} weights that do not fit ({', '.join(wrong[:3])}, ...)"
        remedy = "name this architecture's file, or the file's architecture in network.backbone"
        raise ModelError(Fault(found, f"timm's weights of {network.backbone}", remedy, file=str(path)))
    return tuple(sorted({key.rpartition(".")[0] for key in pyramid.state_dict() if _flat(key) in missing}))


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
