"""Networks side by side in one: G times as wide, each with its own channels, in as many operations as one alone."""

import copy
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from fusion.errors import Fault, ModelError
from fusion.models import chance
from fusion.models.network import RegionNetwork, filled, present, there
from fusion.models.pyramid import Pyramid
from fusion.models.recipe import Statistics

Pointwise = Literal["grouped", "matmul"]
"""How 1x1 convolutions of several networks are computed."""
AGREE = 1e-3
"""Largest relative difference of a map, in single precision, between a pyramid alone and one in a stack."""


class StackError(ModelError):
    """A network that cannot be trained beside others in one."""


class StackedLinear(nn.Module):
    """Linear layers of G networks, each on its own features."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.groups = len(layers)
        self.weight = _joined([layer.weight for layer in layers])
        self.bias = None if layers[0].bias is None else _joined([layer.bias for layer in layers])

    def forward(self, x: Float[Tensor, "*b group inside"]) -> Float[Tensor, "*b group outside"]:
        """Every network's own linear function of its features."""
        weight = self.weight.unflatten(0, (self.groups, -1))
        out = torch.einsum("...gi,goi->...go", x, weight)
        return out if self.bias is None else out + self.bias.view(self.groups, -1)


class StackedPointwise(nn.Module):
    """1x1 convolutions of G networks as one batched matrix product."""

    def __init__(self, layers: Sequence[nn.Conv2d | nn.Conv3d]) -> None:
        super().__init__()
        self.groups = len(layers)
        self.weight = _joined([layer.weight for layer in layers])
        self.bias = None if layers[0].bias is None else _joined([layer.bias for layer in layers])  # type: ignore[misc]

    def forward(self, x: Float[Tensor, "b inside ..."]) -> Float[Tensor, "b outside ..."]:
        """Every network's own mixture of its channels."""
        weight = self.weight.view(self.groups, -1, x.shape[1] // self.groups)
        out = weight @ x.reshape(len(x), self.groups, weight.shape[2], -1)
        out = out.view(len(x), -1, *x.shape[2:])
        return out if self.bias is None else out + self.bias.view(-1, *[1] * (x.ndim - 2))


def stacked(modules: Sequence[nn.Module], pointwise: Pointwise = "grouped") -> nn.Module:
    """One module that holds equal ``modules`` side by side: (b, G x channel, ...) in and out, network after network.

    Every parameter and every buffer that is not a single number has the networks along its first axis. Modules with a
    class attribute ``groups`` are told how many networks there are.

    Raises:
        StackError: a layer with weights that this cannot widen.
    """
    return _wide(copy.deepcopy(modules[0]), list(modules), pointwise, {}, "")


def _wide(
    wide: nn.Module, modules: list[nn.Module], pointwise: Pointwise, done: dict[int, nn.Module], name: str
) -> nn.Module:
    """``wide``, a copy of the first of ``modules``, at full width; layers that occur twice are widened once."""
    if id(wide) not in done:
        done[id(wide)] = _wide_leaf(wide, modules, pointwise, name)
        for child, own in list(wide.named_children()):
            parts = [module.get_submodule(child) for module in modules]
            setattr(wide, child, _wide(own, parts, pointwise, done, f"{name}.{child}".lstrip(".")))
    return done[id(wide)]


def _wide_leaf(wide: nn.Module, modules: list[nn.Module], pointwise: Pointwise, name: str) -> nn.Module:
    networks = len(modules)
    if type(wide) is nn.Linear:
        return StackedLinear(modules)  # type: ignore[arg-type]
    if isinstance(wide, nn.Conv2d | nn.Conv3d):
        if pointwise == "matmul" and _is_pointwise(wide):
            return StackedPointwise(modules)  # type: ignore[arg-type]
        wide.in_channels, wide.out_channels = wide.in_channels * networks, wide.out_channels * networks
        wide.groups *= networks
        _join_own(wide, modules)
    elif isinstance(wide, BatchNorm):
        wide.num_features *= networks
        _join_own(wide, modules)
    elif any(True for _ in (*wide.parameters(recurse=False), *wide.buffers(recurse=False))):
        raise _refused(f"a {type(wide).__name__} layer with weights of its own at {name}")
    elif hasattr(type(wide), "groups"):
        wide.groups = networks  # type: ignore[assignment]
    return wide


def _is_pointwise(layer: nn.Conv2d | nn.Conv3d) -> bool:
    plain = type(layer) in (nn.Conv2d, nn.Conv3d) and layer.groups == 1 and not any(layer.padding)
    return plain and {*layer.kernel_size, *layer.stride} == {1}


def _join_own(wide: nn.Module, modules: Sequence[nn.Module]) -> None:
    for key in [name for name, _ in wide.named_parameters(recurse=False)]:
        setattr(wide, key, _joined([module.get_parameter(key) for module in modules]))
    for key, own in list(wide.named_buffers(recurse=False)):
        if own.ndim:
            setattr(wide, key, torch.cat([module.get_buffer(key) for module in modules]))


def _joined(parameters: Sequence[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.cat([own.detach() for own in parameters]), requires_grad=parameters[0].requires_grad)


def _refused(found: str) -> StackError:
    expected = "layers that keep the channels of networks side by side apart"
    return StackError(Fault(found, expected, "take network.training=separate"))


@torch.no_grad()
def check(first: Pyramid, second: Pyramid, box: tuple[int, int, int]) -> None:
    """Two pyramids in a stack answer as they do alone, to what a ``box`` of voxels (z, y, x) holds.

    Raises:
        StackError: they do not, because a layer lets the networks' channels meet.
    """
    pair = [copy.deepcopy(own).eval() for own in (first, second)]
    channels = 3 if first.kind.kind in ("slice_mean", "picture") else 1
    seen = torch.randn((1, 2, channels, *box), generator=torch.Generator().manual_seed(0))
    alone = [own(seen[:, n]) for n, own in enumerate(pair)]
    try:
        maps = stacked(pair)(seen.flatten(1, 2))
    except (RuntimeError, KeyError) as error:
        raise _refused(f"a pyramid whose layers do not take two networks' channels ({error})") from error
    for together, *apart in zip(maps, *alone, strict=True):
        expected = torch.cat(apart, 1)
        if together.shape != expected.shape or (together - expected).abs().max() > AGREE * expected.abs().max():
            raise _refused("a pyramid that answers otherwise beside another one")


class Stack(nn.Module):
    """Networks of one or more branches as one network: a pyramid for all their branches, a head for each arity.

    Args:
        networks: equal but for their weights and number of branches; those of fewer branches come first.
        regions: which branches (0 tumour, 1 ring; or numbers of sequences) each one sees.
        views: which of the batches side by side each one sees.
        pointwise: how 1x1 convolutions are computed.
        width: branches of a batch.
    """

    seen: Tensor
    branch_of: Tensor
    branch_number: Tensor

    def __init__(
        self, networks: Sequence[RegionNetwork], regions: Sequence[tuple[int, ...]], views: Sequence[int],
        pointwise: Pointwise = "grouped", width: int = 2,
    ) -> None:  # fmt: skip
        super().__init__()
        self.pictures = networks[0].pictures
        arities = [len(own) for own in regions]
        assert arities == sorted(arities), "networks of fewer branches come first"
        self.networks = len(networks)
        branches = [(n, r) for r in range(max(arities)) for n in range(self.networks) if r < arities[n]]
        self.places, self.branches = branches, len(branches)
        self.pyramid = stacked([networks[n].branches[r] for n, r in branches], pointwise)
        self.pyramid.channels_last = False  # type: ignore[assignment]  # grouped convolutions are slower with it
        self.members = [[n for n in range(self.networks) if arities[n] == arity] for arity in sorted(set(arities))]
        self.spans = [[branches.index((own[0], r)) for r in range(arities[own[0]])] for own in self.members]
        self.heads = nn.ModuleList(stacked([networks[n].head for n in own], pointwise) for own in self.members)
        self._index("seen", [views[n] * width + regions[n][r] for n, r in branches])
        self._index("branch_of", [n for n, _ in branches])
        self._index("branch_number", [r + 1 for _, r in branches])

    def _index(self, name: str, values: list[int]) -> None:
        self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, regions: Float[Tensor, "view b branch channel z y x"]) -> Float[Tensor, "b network *class"]:
        """Every network's log-odds (or logits) for the cases of its view."""
        seen = regions.transpose(0, 1).flatten(1, 2)[:, self.seen]
        known = there(seen) if self.pictures else None
        seen = seen if known is None else filled(seen, known)
        maps, slices = self.pyramid(seen.flatten(1, 2)), None if self.pictures else present(seen[:, :, None])
        logits = []
        for head, own, spans in zip(self.heads, self.members, self.spans, strict=True):
            by_region = [[_channels(one, start, len(own), self.branches) for one in maps] for start in spans]
            some = None if slices is None else torch.stack([slices[..., s : s + len(own)] for s in spans]).amax(0)
            alone = known is None or len(spans) == 1
            has = None if alone else torch.stack([known[:, s : s + len(own)] for s in spans], -1)  # type: ignore[index]
            logits.append(head.classify(head.deep(by_region, some, has)))  # type: ignore[operator]
        return torch.cat(logits, 1)

    def tell(self, keys: Int[Tensor, "network b"]) -> None:
        """The keys of the coming batch, as each network alone would be told."""
        for head, own in zip(self.heads, self.members, strict=True):
            head.keys.batch = chance.key(keys[own[0] : own[-1] + 1], 0).T  # type: ignore[union-attr]
        self.pyramid.keys.batch = chance.key(keys[self.branch_of], self.branch_number[:, None]).T  # type: ignore[union-attr]

    def statistics(self) -> list[Statistics]:
        """Of every batch norm that is about to learn."""
        heads = zip(self.heads, self.members, strict=True)
        found = [Statistics.of(self.pyramid, self.branches), *(Statistics.of(head, len(own)) for head, own in heads)]
        return [own for part in found for own in part]

    def parts(self) -> Iterable[tuple[nn.Module, Tensor]]:
        """The pyramid and the heads, with the network that each of their groups belongs to."""
        yield self.pyramid, self.branch_of
        for head, own in zip(self.heads, self.members, strict=True):
            yield head, self.branch_of[own[0] : own[-1] + 1]

    def split(self, state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        """``state``, of this stack, as every network's own."""
        return [self._own(state, n) for n in range(self.networks)]

    def _own(self, state: dict[str, Tensor], network: int) -> dict[str, Tensor]:
        held = {
            f"branches.{r}.": ("pyramid.", n, self.branches) for n, (of, r) in enumerate(self.places) if of == network
        }
        number = next(n for n, own in enumerate(self.members) if network in own)
        own = self.members[number]
        held["head."] = (f"heads.{number}.", own.index(network), len(own))
        return {
            ours + key.removeprefix(theirs): (value.chunk(groups)[group] if value.ndim else value).clone()
            for ours, (theirs, group, groups) in held.items()
            for key, value in state.items()
            if key.startswith(theirs)
        }


def _channels(maps: Float[Tensor, "row channels ..."], start: int, count: int, groups: int) -> Tensor:
    """The channels of ``count`` networks of ``groups``, from the one at ``start`` on."""
    width = maps.shape[1] // groups
    return maps[:, start * width : (start + count) * width]
