"""A run's networks as a bundle has them: ONNX, checked against torch, and weights without notes of the cases."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.errors import Fault, ModelError
from fusion.flow.slices import FILE
from fusion.models import onnx
from fusion.models.checkpoints import SOURCES, Sources, checkpoint, load, untrained
from fusion.models.held import Material, box, hold, plain
from fusion.models.machine import steady
from fusion.models.network import RegionNetwork
from fusion.models.trace import traced
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.roi.patch import Patches
from fusion.roi.slice import Slices
from fusion.serve.parts import NetworkFile
from fusion.store import whole

ANY = 2
"""Outputs of the network that is traced; its graph serves any number of them."""
CHECKED = 4
"""Cases that torch and onnxruntime are both asked about."""


@dataclass(frozen=True)
class _Asked:
    """The networks of one question."""

    name: str
    """The task; empty for regions."""
    classes: tuple[str, ...]
    folder: Path
    """With its checkpoints."""
    sources: Sources


def write(folder: Path, results: Results | TaskResults) -> tuple[NetworkFile, ...]:
    """Every network of the run below ``folder``; a graph is traced once for each number of branches.

    Raises:
        ModelError: a network is missing, or answers otherwise through ONNX.
    """
    run, folds = results.run, int(results.cohort["fold"].max()) + 1
    if run.network is None:
        return ()
    onnx.check_installed()
    material = _material(results.folder, run)
    with steady():  # and one thread: more of them wait for each other at these sizes
        return tuple(
            _written(folder, own, _file(own, source, fold, seed), run, material)
            for own in _questions(results.folder, run)
            for source, fold, seed in _each(own, folds, run.network)
        )


def _written(folder: Path, own: _Asked, file: NetworkFile, run: Run, material: Material) -> NetworkFile:
    assert run.network is not None
    seen, net = _seen(run, material, file.branches), _network(own, file, run)
    graph = _graph(_architecture(run.network), tuple(seen.shape))
    _save(net, folder / file.weights)
    onnx.write(folder / file.onnx, onnx.filled(graph, net, _notes(file, own, run)), net, seen)
    return file


def _questions(folder: Path, run: Run) -> Iterator[_Asked]:
    if not run.cohort.tasks:
        yield _Asked("", (run.cohort.negative_name, run.cohort.positive_name), folder, SOURCES)
    for name, task in run.used_tasks.items():
        yield _Asked(name, task.names, folder / "checkpoints" / name, run.views)


def _each(own: _Asked, folds: int, network: Network) -> Iterator[tuple[str, int, int]]:
    for source in own.sources:
        for fold in range(folds):
            for seed in range(network.seeds):
                yield source, fold, seed


def _network(own: _Asked, file: NetworkFile, run: Run) -> RegionNetwork:
    assert run.network is not None
    path = checkpoint(own.folder, file.source, file.fold, file.seed)
    outputs = 1 if len(own.classes) == 2 else len(own.classes)
    if not path.is_file():
        raise ModelError(Fault("no such network", "the run's", "run `fusion run` again", file=str(path)))
    return load(path, run.network, box(run.network, run.roi)[0], len(file.branches), outputs)


def _material(folder: Path, run: Run) -> Material:
    return Slices.load(folder / FILE) if run.cohort.tasks else Patches.load(folder / "checkpoints/patches.npz")


def _seen(run: Run, material: Material, branches: tuple[int, ...]) -> Float[Tensor, "case branch channel z y x"]:
    """What the branches see of some of the run's cases."""
    assert run.network is not None
    held = hold(material, torch.device("cpu"), branches)
    known = material.has(branches) if isinstance(material, Slices) else np.ones(len(material.cases), dtype=bool)
    some = torch.from_numpy(np.resize(np.flatnonzero(known)[:CHECKED], CHECKED))
    seen = plain(held, some, run.network, run.roi)
    return seen if isinstance(material, Slices) else seen[:, list(branches)]


def _architecture(network: Network) -> Network:
    """What decides the graph; the recipe of the training does not."""
    return Network(weights="none", **{name: getattr(network, name) for name in ("backbone", "input", "fuse", "width")})


@functools.lru_cache(maxsize=4)
def _graph(architecture: Network, shape: tuple[int, ...]) -> Any:
    """Traced once a process: it takes seconds, and the weights are filled in afterwards."""
    _, branches, _, depth, _, _ = shape
    net = untrained(architecture, depth, branches, ANY).eval()
    return traced(net, torch.linspace(-2, 2, 2 * math.prod(shape[1:])).reshape(2, *shape[1:]))


def _file(own: _Asked, source: str, fold: int, seed: int) -> NetworkFile:
    stem = f"networks/{own.name or '-'}/{source}_fold{fold}_seed{seed}"
    return NetworkFile(question=own.name, source=source, fold=fold, seed=seed, branches=own.sources[source],
                       onnx=f"{stem}.onnx", weights=f"{stem}.safetensors")  # fmt: skip


def _save(net: RegionNetwork, path: Path) -> None:
    """The weights alone: a checkpoint's notes say which cases its network saw."""
    from safetensors.torch import save_file

    with whole(path) as part:
        save_file({name: value.contiguous() for name, value in net.state_dict().items()}, part)


def _notes(file: NetworkFile, own: _Asked, run: Run) -> dict[str, object]:
    """Enough to make the input, and to read the output, without this framework."""
    assert run.network is not None
    score = "log-odds of the second class" if len(own.classes) == 2 else "a logit a class"
    what = {
        **file.model_dump(include={"question", "source", "fold", "seed"}),
        "classes": own.classes,
        "log_odds": f"{score}; a case's score is the mean over a source's networks",
    }
    if not run.cohort.tasks:
        return {**what, "regions": onnx.preprocessing(run.roi, run.network.input, file.branches)}
    names = [run.used_sequences[number] for number in file.branches]
    return {**what, "pictures": onnx.picture_preprocessing(run.roi, run.network, names)}
