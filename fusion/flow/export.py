"""`fusion export`: what a run's networks say and are, in files that need neither this framework nor torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.flow.folder import FREE, opened, stored_run, told
from fusion.flow.heat import write_ablation, write_heat_maps
from fusion.flow.rounds import refuse_rounds
from fusion.models import export as exported
from fusion.models import onnx
from fusion.models.checkpoints import SOURCES
from fusion.models.embed import BATCH, Answers
from fusion.models.export import Trained
from fusion.models.inputs import Boxes, centred
from fusion.models.trace import traced
from fusion.roi.patch import Patches
from fusion.store import write_csv, write_json, write_parquet

PACKAGES = ("fusion", "numpy", "pandas", "torch", "timm")
AXES = (
    "Rows of different networks (another fold or seed) have unrelated axes: column d007 of one is not column d007 of "
    "another, so neither average nor pool them."
)


@dataclass(frozen=True)
class Wanted:
    """What to write; scores are written always, of every source."""

    sources: Sequence[str] = tuple(SOURCES)
    scales: Sequence[int] = ()
    """Scales whose columns to write, 0 the finest; none for the whole vector."""
    seen: bool = False
    """In-sample rows too, in files of their own."""
    onnx: bool = True
    heat_maps: Sequence[str] = ()
    """Cases to explain."""


@dataclass(frozen=True)
class Export:
    """A finished run's networks and what to write of them."""

    run: Run
    network: Network
    wanted: Wanted
    cases: pd.DataFrame
    patches: Patches
    networks: list[Trained]

    @property
    def folder(self) -> Path:
        """Where the export goes."""
        return self.run.folder / "export"

    def of(self, source: str) -> list[Trained]:
        """The source's networks."""
        return [own for own in self.networks if own.job.source == source]


def export(run: Run, folder: Path, wanted: Wanted) -> Path:
    """Write DIR/export: deep features, scores, ONNX files, and heat maps of the cases named.

    Equal calls on the same machine give equal bytes. Everything is checked before anything is written.

    Args:
        run: the config that the run was started with.
        folder: the run folder; nothing in it changes but ``export``.
        wanted: what to write.

    Returns:
        The folder written.

    Raises:
        FusionError: the folder is no run, or of another config; a network is missing or of another training; an
            unknown source, scale or case; a missing extra.
    """
    stored_run(folder)
    refuse_rounds(run, "one round to export", "name a round's: DIR/rounds/NAME/run.yaml --run DIR/rounds/NAME")
    with opened(run.model_copy(update={"output": folder})), told(folder, "export"):
        work = _checked(run.model_copy(update={"output": folder}), wanted)
        _write_tables(work)
        if wanted.onnx:
            _write_onnx(work)
        if wanted.heat_maps:
            asked = (work.folder, work.run, work.network, work.cases, work.patches)
            nets = {source: work.of(source) for source in wanted.sources}
            write_heat_maps(*asked, nets, wanted.heat_maps)
            write_ablation(*asked, nets)
        return work.folder


def _checked(run: Run, wanted: Wanted) -> Export:
    """What the run folder holds, if it can be exported."""
    if run.cohort.tasks:
        remedy = "read features/deep_TASK/VIEW.parquet and features/task_scores.parquet of the run, which hold both"
        raise RunError(Fault("cohort.tasks", "networks of tumour and ring", remedy, file=str(run.folder)))
    if wanted.onnx:
        onnx.check_installed()
    if run.network is None or run.heads.stacking not in ("oof_score", "paper_literal"):
        found = "network: null" if run.network is None else f"heads.stacking: {run.heads.stacking}"
        remedy = "run with networks and heads.stacking=oof_score"
        raise RunError(Fault(found, "a network a fold, trained on the other folds", remedy, file=str(run.folder)))
    table, boxes = run.folder / "cohort.csv", run.folder / "checkpoints/patches.npz"
    if missing := [path for path in (table, boxes) if not path.is_file()]:
        remedy = "run `fusion train` first"
        raise RunError([Fault("no such file", "a run with networks", remedy, file=str(path)) for path in missing])
    cases = pd.read_csv(table, dtype={"case": str, "set": str}, keep_default_na=False)
    if unknown := [name for name in wanted.heat_maps if name not in set(cases["case"])]:
        found = f"no case {', '.join(unknown)}"
        raise RunError(Fault(found, "cases of this run", "see its cohort.csv", file=str(table)))
    if unknown := [name for name in wanted.sources if name not in SOURCES]:
        raise RunError(Fault(f"no source {', '.join(unknown)}", ", ".join(SOURCES), "name one of these"))
    patches = Patches.load(boxes)
    nets = exported.networks(patches, cases, run.network, run.roi, run.seed, run.folder, list(SOURCES))
    last = len(exported.scales(nets[0].network(run.network, run.roi))) - 1
    if unknown := [str(scale) for scale in wanted.scales if not 0 <= scale <= last]:
        found = f"no scale {', '.join(unknown)}"
        raise RunError(Fault(found, f"0 (finest) to {last} for {run.network.backbone}", "name one of these"))
    return Export(run, run.network, wanted, cases, patches, nets)


def _write_tables(work: Export) -> None:
    wanted = work.wanted
    answered = exported.answers(work.networks, work.patches, work.network, work.run.roi, seen=wanted.seen,
                                jobs=work.run.jobs)  # fmt: skip
    for source in wanted.sources:
        own = {net: said for net, said in answered.items() if net.job.source == source}
        for seen in (False, True)[: 1 + wanted.seen]:
            _write_deep(work, source, own, seen)
    scores = exported.score_table(answered, work.cases)
    notes = {"what": "Out-of-fold log-odds of the positive class: the mean over the networks that never saw the case.",
             "fold": "of the case; -1 outside the training set, where every network is asked"}  # fmt: skip
    _write(work.folder / "scores", scores, {**notes, **_origin(work, work.networks)})


def _write_deep(work: Export, source: str, answered: dict[Trained, Answers], seen: bool) -> None:
    table = exported.deep_rows(answered, work.cases, seen=seen)
    layout = exported.scales(next(iter(answered)).network(work.network, work.run.roi))
    names = list(table.columns[4:])
    columns = {scale: names[part] for scale, part in enumerate(layout)}
    what = "that the network learned from (in-sample: nothing fitted on them is honest)" if seen else "it never saw"
    notes = {
        "what": f"Deep features of {source}, one row a case and network, of cases {what}.",
        "axes": AXES,
        "fold and seed": "of the network that made the row; it never saw that fold",
        "columns_by_scale": {str(scale): [own[0], own[-1]] for scale, own in columns.items()},
        **_origin(work, list(answered)),
    }
    stem = f"deep_{source}_in_sample" if seen else f"deep_{source}"
    if not work.wanted.scales:
        _write(work.folder / stem, table, notes)
    for scale in work.wanted.scales:
        part = table[["case", "set", "fold", "seed", *columns[scale]]]
        _write(work.folder / f"{stem}_scale{scale}", part, {**notes, "scale": scale})


def _origin(work: Export, nets: Sequence[Trained]) -> dict[str, Any]:
    """Which network saw which case, and what made the numbers."""
    names = work.cases["case"]
    networks = [
        {
            "file": str(own.path.relative_to(work.run.folder)),
            "source": own.job.source,
            "fold": own.job.fold,
            "seed": own.job.seed,
            "sha256": own.sha256,
            "saw": [name for place, name in enumerate(names) if place in set(own.saw)],
            "never_saw": [name for place, name in enumerate(names) if place not in set(own.saw)],
        }
        for own in nets
    ]
    config = work.run.model_dump(mode="json", exclude=FREE)
    return {"networks": networks, "config": config, "versions": {name: version(name) for name in PACKAGES}}


def _write(stem: Path, table: pd.DataFrame, notes: dict[str, Any]) -> None:
    """A table as parquet and CSV, and its notes beside it."""
    write_parquet(stem.with_name(f"{stem.name}.parquet"), table)
    write_csv(stem.with_name(f"{stem.name}.csv"), table)
    write_json(stem.with_name(f"{stem.name}.json"), notes)


def _write_onnx(work: Export) -> None:
    """onnx/<source>_foldK_seedS.onnx; the graph is traced once for one region and once for two."""
    import torch

    roi, kind, models = work.run.roi, work.network.input, dict[int, Any]()
    boxes = Boxes.of(work.patches, torch.device("cpu"))
    both = centred(boxes, torch.arange(min(BATCH, len(work.cases))), roi, kind)
    for own in [net for source in work.wanted.sources for net in work.of(source)]:
        net, regions = own.network(work.network, roi), both[:, list(own.job.regions)]
        if len(own.job.regions) not in models:
            models[len(own.job.regions)] = traced(net, regions[:2])
        metadata = {
            "network": {"source": own.job.source, "fold": own.job.fold, "seed": own.job.seed, "sha256": own.sha256},
            "positive": work.run.cohort.positive_name,
            "score": "The score of an unseen case is the mean of log_odds over all folds and seeds of the source; it "
            "is not calibrated.",
            "regions": onnx.preprocessing(roi, kind, own.job.regions),
        }
        path = work.folder / "onnx" / f"{own.job.name}.onnx"
        onnx.write(path, onnx.filled(models[len(own.job.regions)], net, metadata), net, regions)
