"""Where a bundle's networks look in one case, and what each region adds to their score."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from fusion.config.network import Network
from fusion.data.case import Case
from fusion.heads.plain import Question
from fusion.models.checkpoints import read, trained, untrained
from fusion.models.explain import HeatMaps, alone, cam, grad_cam, inside_regions, traced_maps
from fusion.models.held import box, hold, plain
from fusion.models.inputs import Boxes, centred
from fusion.models.machine import device, steady
from fusion.models.network import RegionNetwork
from fusion.progress import cores
from fusion.roi.back import to_image
from fusion.roi.patch import Patches
from fusion.roi.region import REGIONS
from fusion.roi.slice import Slices
from fusion.serve.answer import RegionShare
from fusion.serve.bundle import Bundle
from fusion.serve.parts import NetworkFile
from fusion.serve.told import Heat
from fusion.types import Mask

T = TypeVar("T")
MEMORY_MB = 512
"""Networks kept from one case to the next, all bundles together; those not asked for the longest time go first."""
_kept: OrderedDict[tuple[str, str, str], tuple[RegionNetwork, ...]] = OrderedDict()
_lock = threading.Lock()


def regions(
    bundle: Bundle, patches: Patches, case: Case, ring: Mask, source: str
) -> tuple[dict[str, Heat], tuple[RegionShare, ...]]:
    """Heat maps by region, and each region's share where ``source`` sees both; means over all networks of ``source``.

    A map is Grad-CAM of the log-odds, the mean of all scales, zero outside its region.

    Args:
        bundle: of regions, with networks.
        patches: the case's box alone.
        case: image and tumour that the box was cut from.
        ring: External2 on the image's grid.
        source: a network's score, as ``tumour+external2_DL``.
    """
    roi, network = bundle.run.roi, _network(bundle)
    boxes, branches = Boxes.of(patches, device()), _files(bundle, "", source)[0].branches
    seen = centred(boxes, torch.zeros(1, dtype=torch.long, device=device()), roi, network.input)[:, list(branches)]
    looks = _looks(networks(bundle, "", source), lambda net: _look(net, seen))
    shown = inside_regions(boxes, 0, roi)[list(branches), None]
    maps = HeatMaps(np.mean([own.maps for own in looks], axis=0) * shown, len(looks))
    heat: dict[str, Heat] = {}
    for number, values in zip(branches, maps.all_scales, strict=True):
        region = (case.tumour, ring)[number]
        on_image = to_image(values, case.tumour, case.geometry, roi.patch, case.name)
        heat[REGIONS[number]] = _to_one(on_image * region)
    return heat, _shares(looks, source) if len(branches) == 2 else ()


def slices(
    bundle: Bundle, slices: Slices, model: str, shown: str | None = None
) -> dict[str, Float32[ndarray, "y x"]]:  # fmt: skip
    """Heat maps by sequence of the network's score that ``model`` reads; none where it reads no network's.

    Args:
        bundle: of slices.
        slices: the case alone.
        model: with its task.
        shown: the class that the maps speak for, with more than two classes; of two it is always the positive one.
    """
    there = sequences(bundle, slices, model)
    if not there:
        return {}
    question, source, branches = _seen_by(bundle, model)
    output = None if len(question.classes) == 2 else question.classes.index(shown or question.classes[0])
    one = torch.zeros(1, dtype=torch.long, device=device())
    seen = plain(hold(slices, device(), branches), one, _network(bundle), bundle.run.roi)
    each = _looks(networks(bundle, question.name, source), lambda net: _stacked(grad_cam(net, seen, output)))
    found = HeatMaps(np.mean(each, axis=0), len(each)).all_scales[:, 0]
    names = [slices.sequences[number] for number in branches]
    return {name: _to_one(own) for name, own in zip(names, found, strict=True) if name in there}


def sequences(bundle: Bundle, slices: Slices, model: str) -> tuple[str, ...]:
    """The case's sequences that the network behind ``model`` sees; none where it reads no network's score."""
    branches = _seen_by(bundle, model)[2]
    return tuple(slices.sequences[number] for number in branches if slices.there[0, number])


def _seen_by(bundle: Bundle, model: str) -> tuple[Question, str, tuple[int, ...]]:
    """The question, the network source that ``model`` reads (it reads one at most) and what that sees."""
    question, name = bundle.deployed.question(model)
    source = next((own for own in question.reads(name)[0] if own in question.networks), None)
    return question, source or "", () if source is None else _files(bundle, question.name, source)[0].branches


def networks(bundle: Bundle, question: str, source: str) -> tuple[RegionNetwork, ...]:
    """The networks of ``source``, read from the bundle's own bytes when they are first asked for."""
    key = bundle.digest, question, source
    with _lock:
        if key not in _kept:
            _kept[key] = tuple(_read(bundle, question, source))
        _kept.move_to_end(key)
        while len(_kept) > 1 and sum(_megabytes(own) for own in _kept.values()) > MEMORY_MB:
            _kept.popitem(last=False)
        return _kept[key]


def _read(bundle: Bundle, question: str, source: str) -> Iterator[RegionNetwork]:
    network, files = _network(bundle), _files(bundle, question, source)
    classes = len(next(own.classes for own in bundle.deployed.questions if own.name == question))
    outputs = 1 if classes == 2 else classes
    for own in files:
        empty = untrained(network, box(network, bundle.run.roi)[0], len(own.branches), outputs)
        weights = read(bundle.bytes(own.weights), own.weights)
        yield trained(empty, weights, network, own.weights).requires_grad_(False).to(device())


def _files(bundle: Bundle, question: str, source: str) -> list[NetworkFile]:
    return [own for own in bundle.deployed.networks if (own.question, own.source) == (question, source)]


def _network(bundle: Bundle) -> Network:
    network = bundle.run.network
    assert network is not None  # a source of networks is asked for
    return network


def _megabytes(nets: Sequence[RegionNetwork]) -> float:
    return sum(own.nbytes for net in nets for own in net.state_dict().values()) / 1e6


@dataclass(frozen=True)
class _Look:
    """What one network sees in one case."""

    maps: Float[ndarray, "branch scale z y x"]
    log_odds: float
    alone: tuple[float, ...]
    """With each branch's region alone."""


def _looks(nets: Sequence[RegionNetwork], look: Callable[[RegionNetwork], T]) -> list[T]:
    """``look`` at every network, as many at the same time as there are cores, each in one thread."""
    with steady(), ThreadPoolExecutor(cores(0)) as pool:
        return list(pool.map(look, nets))


def _look(net: RegionNetwork, seen: Float[Tensor, "1 branch channel z y x"]) -> _Look:
    maps = traced_maps(net, seen)
    both, each = alone(net, maps, seen)
    return _Look(_stacked(cam(net, maps, seen)), both.item(), tuple(own.item() for own in each))


def _stacked(heat: Sequence[Sequence[Float[Tensor, "1 z y x"]]]) -> Float[ndarray, "branch scale z y x"]:
    return torch.stack([torch.cat(list(scales)) for scales in heat]).cpu().numpy()


def _shares(looks: Sequence[_Look], source: str) -> tuple[RegionShare, ...]:
    """What each region adds: log-odds with both less log-odds with the other alone."""
    both = float(np.mean([own.log_odds for own in looks]))
    each = [float(own) for own in np.mean([own.alone for own in looks], axis=0)]
    return tuple(
        RegionShare(
            source=source,
            region=region,
            log_odds=both - other,
            how=f"log-odds with both regions ({_short(both)}) less those with {named} alone ({_short(other)})",
        )
        for region, named, other in zip(REGIONS, reversed(REGIONS), reversed(each), strict=True)
    )


def _short(log_odds: float) -> str:
    return f"{round(log_odds, 2) + 0.0:.2f}"  # no -0.00


def _to_one(heat: Float[ndarray, "*axes"]) -> Float32[ndarray, "*axes"]:
    """Its largest value 1, unless nothing speaks for the class."""
    top = float(heat.max())
    return (heat / top if top > 0 else heat).astype(np.float32)
