"""Batch norm over all cases of a step, where several processes have a part of them each; on any device."""

import functools
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm
from torch.overrides import TorchFunctionMode


def synchronise(net: nn.Module) -> None:
    """Have every batch norm of ``net`` learn from the cases of all processes; names and numbers of weights stay.

    torch's own, `SyncBatchNorm`, refuses a CPU's tensors and does not know timm's norms with an activation.
    """
    for module in net.modules():
        if isinstance(module, BatchNorm):
            module.forward = functools.partial(_within, module.forward)  # type: ignore[method-assign]


def _within(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Whatever kind of batch norm it is, with torch's function replaced by ours."""
    with _Synchronised():
        return forward(x)


class _Synchronised(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        if function is F.batch_norm:
            return batch_norm(*given, **(named or {}))
        return function(*given, **(named or {}))


def batch_norm(
    x: Float[Tensor, "b channel ..."], running_mean: Tensor | None, running_var: Tensor | None,
    weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Float[Tensor, "b channel ..."]:  # fmt: skip
    """What torch's function of this name gives for all processes' ``x`` one below the other: this one's part of it."""
    if not training:
        return F.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    out, mean, variance, count = _Normalised.apply(x, weight, bias, eps)
    if running_mean is not None and running_var is not None:
        for running, seen in ((running_mean, mean), (running_var, variance * count / (count - 1))):
            running.copy_(momentum * seen + (1 - momentum) * running.double())  # in double precision, as torch does
    return out


class _Normalised(torch.autograd.Function):
    """Ioffe & Szegedy 2015 (arXiv:1502.03167), section 3, with sums over the processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, ...]:
        mean, variance, count = _moments(x)
        fine = torch.promote_types(x.dtype, torch.float32)
        ctx.save_for_backward(x, weight, mean.to(fine), (variance + eps).rsqrt().to(fine), count)
        out = F.batch_norm(x, mean.to(fine), variance.to(fine), weight, bias, False, 0.0, eps)
        ctx.mark_non_differentiable(mean, variance, count)
        return out, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale, count = ctx.saved_tensors
        shape, grad = _shape(x), grads[0].to(mean.dtype)
        normed = (x.to(mean.dtype) - mean.view(shape)) * scale.view(shape)
        own = torch.stack([_sum(grad), _sum(grad * normed)])
        every = own.clone()
        dist.all_reduce(every)
        shift, slope = (every / count).to(mean.dtype).view(2, *shape)
        by = scale if weight is None else scale * weight
        below = (grad - shift - normed * slope) * by.view(shape)
        slopes = (None, None) if weight is None else (own[1].to(weight.dtype), own[0].to(weight.dtype))
        return below.to(x.dtype), *slopes, None


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of each channel over all processes, and the number of its values, in double precision.

    The parts' are joined as Chan, Golub & LeVeque 1983 do (doi:10.1080/00031305.1983.10483115).
    """
    variance, mean = torch.var_mean(x.to(torch.promote_types(x.dtype, torch.float32)), _others(x), correction=0)
    count = torch.full_like(mean, x.numel() // x.shape[1], dtype=torch.float64)
    own = torch.stack([count, mean.double(), variance.double()])
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, own)
    counts, means, variances = torch.stack(parts, 1)
    total = counts.sum(0)
    middle = (counts * means).sum(0) / total
    return middle, (counts * (variances + (means - middle) ** 2)).sum(0) / total, total


def _sum(values: Tensor) -> Tensor:
    return values.sum(_others(values), dtype=torch.float64)


def _others(x: Tensor) -> list[int]:
    """All axes but the channels'."""
    return [axis for axis in range(x.ndim) if axis != 1]


def _shape(x: Tensor) -> list[int]:
    return [1, -1, *[1] * (x.ndim - 2)]
