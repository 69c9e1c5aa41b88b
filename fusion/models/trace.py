"""A network's graph as ONNX, traced by torch: the quick way where it tells the network right, else the thorough one."""

import copy
import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion.errors import Fault, ModelError
from fusion.models.network import RegionNetwork

TOLERANCE = 1e-5
"""How far an ONNX file's answers may be from torch's, absolutely and relatively."""
ROUGHLY = 1e-3
"""Beyond it a graph is another network's; weights that were never trained can make rounding large."""
OPSET = 18
"""Of the operators; onnxruntime 1.14 and later know them."""
Way = Callable[[RegionNetwork, Tensor], Any]


class _Asked(nn.Module):
    def __init__(self, net: RegionNetwork) -> None:
        super().__init__()
        self.net = net

    def forward(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        deep = self.net.deep(regions)
        return self.net.classify(deep), deep


def traced(net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> Any:
    """The network as an ONNX model: `regions` in, `log_odds` (batch) and `deep` (batch, feature) out.

    Its weights keep their names, and are to be replaced by ``fusion.models.onnx.filled``: they are those of ``net``
    with some noise, since equal ones, as all batch norms begin with, would be told as one.

    Args:
        net: in evaluation mode, on the CPU; dropout is not in the graph then.
        regions: two cases or more, to trace with; the model takes any number.

    Raises:
        ModelError: no way tells the network as it is.
    """
    net = _distinct(net)
    for way in (_quickly, _thoroughly):
        if (model := _tried(way, net, regions)) is not None:
            return model
    remedy = "take another network.backbone, or another version of torch"
    raise ModelError(Fault("a network that torch cannot tell as ONNX", "one that it can", remedy))


def asked(net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> list[np.ndarray]:
    """The network's log-odds and deep features."""
    with torch.no_grad():
        return [value.numpy() for value in _Asked(net)(regions)]


def answers(content: bytes, regions: Float[Tensor, "b region channel z y x"]) -> list[np.ndarray]:
    """Those of an ONNX file's content, by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(["log_odds", "deep"], {"regions": regions.numpy()})


def alike(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray], tolerance: float = TOLERANCE) -> bool:
    """Whether two answers are equal up to rounding, in whatever shape they stand."""
    return all(
        np.allclose(own, other.reshape(own.shape), rtol=tolerance, atol=tolerance)
        for own, other in zip(found, wanted, strict=True)
    )


def _distinct(net: RegionNetwork) -> RegionNetwork:
    """A copy with weights of which no two tensors are equal."""
    own, noise = copy.deepcopy(net).eval(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in own.state_dict().values():
            if value.is_floating_point():
                value += 0.01 * torch.rand(value.shape, generator=noise)  # never below 0: variances are among them
    return own


def _tried(way: Way, net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> Any:
    """The model, if ``way`` can make it and it answers one case and several as the network does; else None."""
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime

    try:
        model = way(net, regions)
        _tidy(model)
        content = model.SerializeToString()
        right = all(alike(answers(content, some), asked(net, some), ROUGHLY) for some in (regions[:1], regions))
    except (torch.onnx.OnnxExporterError, runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph,
            runtime.RuntimeException, runtime.NotImplemented):  # fmt: skip
        return None
    return model if right else None


_NAMES: dict[str, Any] = {"input_names": ["regions"], "output_names": ["log_odds", "deep"]}


def _quickly(net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> Any:
    """By torch's older exporter, which takes a tenth of the time, but does not know every operation of the newer one.

    What it makes is asked before it is taken, and ``onnx.write`` asks every file again.
    """
    import onnx

    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # it may go; then the newer one is left
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # of shapes that all cases share
        warnings.filterwarnings("ignore", message="Constant folding", category=UserWarning)  # not asked for
        torch.onnx.export(
            _Asked(net).eval(),
            (regions,),
            content,  # type: ignore[arg-type]  # documented for this exporter
            dynamo=False,
            dynamic_axes={name: {0: "batch"} for name in ("regions", "log_odds", "deep")},
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # keeps batch norms, and with them the weights' names
            opset_version=OPSET,
            **_NAMES,
        )
    return onnx.load_from_string(content.getvalue())


def _thoroughly(net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> Any:
    program = torch.onnx.export(
        _Asked(net).eval(),
        (regions,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        optimize=False,  # keeps batch norms, and with them the weights' names; onnxruntime joins them to convolutions
        verbose=False,
        **_NAMES,
    )
    assert program is not None
    return program.model_proto


def _tidy(model: Any) -> None:
    """Drop what the exporter notes about this machine, the zero biases that it makes up, and all that nothing reads.

    The made-up bias of a 3-D convolution has a shape that no runtime takes.
    """
    for part in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.graph.ClearField("value_info")
    weights = {own.name for own in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and len(node.input) == 3 and node.input[2] not in weights:
            del node.input[2]
    used, nodes = {own.name for own in model.graph.output}, []
    for node in reversed(model.graph.node):
        if used & set(node.output):
            used |= set(node.input)
            nodes.append(node)
    kept = [own for own in model.graph.initializer if own.name in used]
    model.graph.ClearField("initializer")
    model.graph.initializer.extend(kept)
    nodes.reverse()
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)
