"""Trained networks as ONNX files, which need no torch: the graph is traced once, each network fills in its weights."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from fusion import store
from fusion.config.network import Network
from fusion.config.roi import Patch, Roi
from fusion.errors import Fault, ModelError
from fusion.models.inputs import Input
from fusion.models.network import RegionNetwork
from fusion.models.trace import TOLERANCE, alike, answers, asked
from fusion.roi.across import COARSER
from fusion.roi.patch import WIDE

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
METADATA = "fusion"
"""Key of the JSON text in a file's metadata."""


def check_installed() -> None:
    """Raises ModelError where what writes ONNX, which comes with fusion, is not installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        remedy = "install fusion again, which brings them, or leave ONNX out: --no-onnx, or bundle=false"
        raise ModelError(Fault(f"no {', '.join(missing)}", "the packages that write and check ONNX", remedy))


def filled(model: Any, net: RegionNetwork, metadata: Mapping[str, object]) -> Any:
    """A copy of ``model`` with the weights of ``net``, and ``metadata`` as JSON under the key `fusion`.

    Args:
        model: traced; if of a network with several outputs, ``net`` may have another number of them, one too, and
            `log_odds` is (batch, output).
        net: whose weights to take.
        metadata: what to note in the file.

    Raises:
        ModelError: ``net`` is not of the architecture that was traced.
    """
    import onnx
    from onnx import numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    state = {f"net.{key}": value.cpu().numpy() for key, value in net.state_dict().items()}
    slots = {own.name: own for own in copy.graph.initializer if own.name.startswith("net.")}
    said = copy.graph.output[0].type.tensor_type.shape.dim
    any_outputs = len(said) > 1
    if any(
        name not in state or _sizes(name, state[name].shape, any_outputs) != _sizes(name, own.dims, any_outputs)
        for name, own in slots.items()
    ):
        raise ModelError(Fault("weights of another architecture", "those that were traced", "export each by itself"))
    for name, own in slots.items():
        own.CopyFrom(numpy_helper.from_array(state[name], name))
    if any_outputs:
        said[1].dim_value = net.head.outputs
    copy.metadata_props.add(key=METADATA, value=json.dumps(metadata, sort_keys=True))
    return copy


def _sizes(name: str, shape: Sequence[int], any_outputs: bool) -> tuple[int, ...]:
    """What must be equal of a weight's shape."""
    return tuple(shape)[1:] if any_outputs and name.startswith("net.head.classifier.") else tuple(shape)


def write(path: Path, model: Any, net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> float:
    """Write ``model``, whole or not at all, once onnxruntime gives the same answers as ``net``.

    Args:
        path: the .onnx file.
        model: as ``filled`` made it.
        net: the network itself, on the CPU.
        regions: real patches to ask both about.

    Returns:
        The largest difference found.

    Raises:
        ModelError: the answers differ by more than ``TOLERANCE``.
    """
    content = model.SerializeToString(deterministic=True)
    found, wanted = answers(content, regions), asked(net, regions)
    largest = max(float(np.abs(own - other.reshape(own.shape)).max()) for own, other in zip(found, wanted, strict=True))
    if not alike(found, wanted):
        what = f"answers that differ by {largest:.1e}"
        remedy = "try another version of onnxruntime, or leave ONNX out: --no-onnx, or bundle=false"
        raise ModelError(Fault(what, f"torch's within {TOLERANCE}", remedy, file=str(path)))
    with store.whole(path) as part:
        part.write_bytes(content)
    return largest


def preprocessing(roi: Roi, kind: Input, regions: tuple[int, ...]) -> dict[str, object]:
    """What made the input, in words and numbers; enough to make it again without this framework."""
    patch, ring = roi.patch, roi.external2
    low, high = patch.window
    inside = f"(grey - {(low + high) / 2:g}) / {(high - low) / 4:g}, clipped to [-2, 2]"
    wide = f"(grey - {(low + high) / 2:g}) / {WIDE * (high - low) / 4:g}, clipped to [-2, 2]"
    channels = [inside, wide, "1"] if kind.kind == "slice_mean" else [inside]
    return {
        "axes": ["batch", "region", "channel", "z", "y", "x"],
        "regions": [("tumour", "external2")[own] for own in regions],
        "channels_inside_the_region": channels,
        "outside_the_region": 0,
        "shape_zyx": list(patch.shape),
        "spacing_mm_zyx": list(patch.spacing_mm),
        "window": [low, high],
        "box": _box(patch),
        "ring": {**ring.model_dump(mode="json"), "distance": _DISTANCE[ring.grid]},
        "input": kind.model_dump(mode="json"),
    }


def picture_preprocessing(roi: Roi, network: Network, sequences: Sequence[str]) -> dict[str, object]:
    """As ``preprocessing``, of networks that see slices, a branch a sequence."""
    from fusion.models.planes import units

    own = units(network.backbone)
    return {
        "axes": ["batch", "sequence", "channel", "z", "y", "x"],
        "sequences": list(sequences),
        "channels": "three, of the same grey values 0 to 255: (grey / 255 - mean) / deviation",
        "mean": list(own.mean),
        "deviation": list(own.deviation),
        "missing_sequence": 0,
        "cut": roi.slice.model_dump(mode="json"),
    }


_DISTANCE = {
    "in_plane": "to the nearest voxel centre of the tumour in the same slice of the image's own grid (slices lie "
    f"across the axis whose spacing is more than {COARSER:g} times that of both others, else across z), then resampled "
    "linearly in plane and to the nearest slice",
    "volume": "to the nearest voxel centre of the tumour on the image's own grid, then resampled linearly",
}


def _box(patch: Patch) -> str:
    return (
        "parallel to the image's grid, whose axes are first reordered and flipped so that z runs nearest to the head, "
        "y to the back and x to the patient's left; its middle at the mean voxel index of the tumour; grey values "
        f"interpolated linearly and rounded to whole numbers, {patch.window[0]:g} outside the image"
    )
