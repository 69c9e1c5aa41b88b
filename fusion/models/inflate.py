"""Two-dimensional networks in three dimensions, with the weights they have (I3D, Carreira & Zisserman 2017)."""

import copy
from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from jaxtyping import Float
from timm.layers import BatchNormAct2d, Conv2dSame, SEModule
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import Tensor, nn
from torch.nn.utils import skip_init

from fusion.errors import Fault, ModelError


def inflated(net: nn.Module, name: str, central: bool = False) -> nn.Module:
    """A copy of ``net`` that takes (b, channel, z, y, x): along z as along y in kernel, stride and padding.

    Each kernel is repeated along z and divided by its depth, so that a volume whose slices are alike answers, away from
    its first and last slices, as one slice does in two dimensions (Carreira & Zisserman 2017, arXiv:1705.07750).

    Args:
        net: convolutions, batch norms, pools, squeeze-and-excite, and modules without weights of their own.
        name: of the network, for the error.
        central: put each kernel on its middle slice alone instead, so that slices do not mix.

    Raises:
        ModelError: a module has no counterpart in three dimensions.
    """
    return _inflated(copy.deepcopy(net), name, "", central).train(net.training)


class SameConv3d(nn.Conv3d):
    """A convolution that pads as TensorFlow does: the output has ceil(input / stride) voxels."""

    def forward(self, x: Float[Tensor, "b channel z y x"]) -> Float[Tensor, "b out z2 y2 x2"]:
        """The convolution of ``x``, padded."""
        shape = [int(n) for n in x.shape[2:]]  # numbers while it is traced, too
        axes = zip(shape, self.kernel_size, self.stride, self.dilation, strict=True)
        needed = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, k, s, d in axes]
        return super().forward(F.pad(x, [side for n in reversed(needed) for side in (n // 2, n - n // 2)]))


class Pool3d(nn.Module):
    """Maxima or means of a pool's windows; a volume with fewer slices than a window is pooled over those it has."""

    def __init__(self, own: nn.MaxPool2d | nn.AvgPool2d) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = (_triple(n) for n in (own.kernel_size, own.stride, own.padding))
        if isinstance(own, nn.MaxPool2d):
            self.pool = partial(F.max_pool3d, dilation=_triple(own.dilation), ceil_mode=own.ceil_mode)
        else:
            self.pool = partial(F.avg_pool3d, ceil_mode=own.ceil_mode, count_include_pad=own.count_include_pad)

    def forward(self, x: Float[Tensor, "b channel z y x"]) -> Float[Tensor, "b channel z2 y2 x2"]:
        """``x``, pooled."""
        depth = min(self.kernel[0], int(x.shape[2]) + 2 * self.padding[0])  # a number while it is traced, too
        return self.pool(x, (depth, *self.kernel[1:]), self.stride, self.padding)


class NormAct3d(nn.BatchNorm3d):
    """Batch norm, then timm's activation."""

    def __init__(self, own: BatchNormAct2d) -> None:
        super().__init__(own.num_features, own.eps, own.momentum, own.affine, own.track_running_stats)
        self.drop, self.act = own.drop, own.act

    def forward(self, x: Float[Tensor, "b channel z y x"]) -> Float[Tensor, "b channel z y x"]:
        """``x``, normalised a channel and activated."""
        return self.act(self.drop(super().forward(x)))


class Excite3d(nn.Module):
    """Squeeze-and-excite: every channel weighed by what the means of all say (Hu 2018, arXiv:1709.01507)."""

    def __init__(self, inner: nn.Sequential, peaks: bool) -> None:
        super().__init__()
        self.inner, self.peaks = inner, peaks

    def forward(self, x: Float[Tensor, "b channel z y x"]) -> Float[Tensor, "b channel z y x"]:
        """``x``, its channels weighed; with ``peaks`` the maxima count as much as the means."""
        squeezed = x.mean((2, 3, 4), keepdim=True)
        if self.peaks:
            squeezed = 0.5 * squeezed + 0.5 * x.amax((2, 3, 4), keepdim=True)
        return x * self.inner(squeezed)


def _inflated(module: nn.Module, name: str, path: str, central: bool) -> nn.Module:
    own_tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    if isinstance(module, nn.Conv2d) and type(module) in (nn.Conv2d, Conv2dSame) and _square(module):
        return _convolution(module, central)
    if type(module) in COUNTERPARTS:
        module = COUNTERPARTS[type(module)](module)
    elif own_tensors or "2d" in type(module).__name__.lower():
        found = f"network.input.kind=volume, and {path or 'a module'} of {name} is a {type(module).__name__}"
        remedy = "name another network.backbone, such as mobilenetv3_large_100 or resnet18, or take input slices"
        raise ModelError(Fault(found, "square convolutions, batch norms, pools and squeeze-and-excite", remedy))
    for part, child in module.named_children():
        setattr(module, part, _inflated(child, name, f"{path}.{part}".lstrip("."), central))
    return module


def _square(own: nn.Conv2d) -> bool:
    return all(isinstance(n, str) or n[0] == n[1] for n in (own.kernel_size, own.stride, own.padding, own.dilation))


def _convolution(own: nn.Conv2d, central: bool) -> nn.Conv3d:
    kind = SameConv3d if isinstance(own, Conv2dSame) else nn.Conv3d
    new = skip_init(
        kind, own.in_channels, own.out_channels, own.kernel_size[0], stride=own.stride[0],
        padding=own.padding if isinstance(own.padding, str) else own.padding[0], dilation=own.dilation[0],
        groups=own.groups, bias=own.bias is not None, padding_mode=own.padding_mode,
    )  # fmt: skip
    depth = own.kernel_size[0]
    weight = own.weight.detach()[:, :, None].repeat(1, 1, depth, 1, 1) / depth
    if central:
        weight[:, :, depth // 2] *= depth
        weight[:, :, : depth // 2], weight[:, :, depth // 2 + 1 :] = 0, 0
    new.weight, new.bias = nn.Parameter(weight), own.bias
    return new


def _norm(own: nn.BatchNorm2d) -> nn.BatchNorm3d:
    plain = (own.num_features, own.eps, own.momentum, own.affine, own.track_running_stats)
    new = NormAct3d(own) if isinstance(own, BatchNormAct2d) else nn.BatchNorm3d(*plain)
    new.load_state_dict(own.state_dict())
    return new


def _triple(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size,) * 3 if isinstance(size, int) else (size[0], *size)


COUNTERPARTS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.BatchNorm2d: _norm,
    BatchNormAct2d: _norm,
    nn.MaxPool2d: Pool3d,
    nn.AvgPool2d: Pool3d,
    SqueezeExcite: lambda own: Excite3d(nn.Sequential(own.conv_reduce, own.act1, own.conv_expand, own.gate), False),
    SEModule: lambda own: Excite3d(nn.Sequential(own.fc1, own.bn, own.act, own.fc2, own.gate), own.add_maxpool),
}
