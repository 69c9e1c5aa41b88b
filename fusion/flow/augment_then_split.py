"""The leaking protocol of Kaba 2025 beside the honest one: rotate every slice, then split the images at random.

An image in the validation part has rotated copies of the same tumour in the training part, so the network is asked what
it has been told. It is here to show by how much that flatters (REQUIREMENTS C20), never to judge a model.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy import ndarray
from scipy.ndimage import rotate
from scipy.special import expit, softmax

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.config.tasks import Literal, Task
from fusion.data.task import task_rows
from fusion.evaluate import task_predictions
from fusion.flow.folder import told
from fusion.flow.slices import read_slices
from fusion.flow.tasks import LITERAL
from fusion.flow.work import Work
from fusion.progress import each
from fusion.roi.slice import Slices
from fusion.store import write_csv, write_parquet

FOLDER = "checkpoints/paper_literal"
JUDGED, LEARNT = 0, 1
"""Stand for the folds of the images that judge, and of those that are learnt from."""


class Asked(NamedTuple):
    """One network of the paper."""

    task: str
    view: str


def write_literal(work: Work) -> None:
    """predictions_paper_literal.csv: a row an image that judges, of every task and single sequence."""
    run, target = work.run, work.folder / LITERAL[0]
    if run.literal is None or run.network is None or target.is_file():
        return
    asked = [Asked(task, view) for task in run.used_tasks for view in run.used_sequences]
    with told(work.folder, "paper_literal"):
        from fusion.models.machine import device

        verb = partial(_one, slices=read_slices(work), cases=work.cases, run=run, folder=work.folder)
        for _ in each(verb, asked, "paper-literal networks", 1 if device().type == "cuda" else run.jobs):
            pass
        rows = pd.concat([pd.read_parquet(_path(work.folder, own)) for own in asked], ignore_index=True)
        write_csv(target, rows.reindex(columns=[*task_predictions.columns(run.used_tasks), "image"]))


def images(
    rows: pd.DataFrame, task: Task, literal: Literal, whole: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows case, label, angle, image, fold: rotated images by class, dealt over its tumours as evenly as can be.

    Every tumour's first image is not rotated; the angles of its others are drawn without repetition while there are
    any left. A share of the images judges, drawn by class, whoever's they are.

    Args:
        rows: the task's cases that have the sequence: case, label.
        task: ``images`` of each class if all cases had the sequence, or None for ``literal.copies`` a case.
        literal: angles in degrees, copies, share that judges.
        whole: cases of each label in the task, with the sequence or not.
        rng: draws angles and parts.
    """
    found = []
    for label, name in enumerate(task.names):
        cases = rng.permutation(rows["case"][rows["label"] == label].to_numpy(object))
        full = literal.copies * len(cases)
        wanted = full if task.images is None else round(task.images[name] * len(cases) / whole[label])
        counts = np.bincount(np.arange(max(wanted, len(cases))) % len(cases), minlength=len(cases))
        own = pd.concat(
            [_copies(case, count, literal, rng) for case, count in zip(cases, counts.tolist(), strict=True)]
        )
        fold = np.full(len(own), LEARNT)
        fold[rng.permutation(len(own))[: max(1, round(literal.share * len(own)))]] = JUDGED
        found.append(own.assign(label=label, fold=fold))
    return pd.concat(found, ignore_index=True)


def turned(grey: UInt8[ndarray, "y x"], angle: float) -> UInt8[ndarray, "y x"]:
    """The picture turned by ``angle`` degrees about its centre, mirrored beyond its edge."""
    if angle == 0:
        return grey
    return np.rint(rotate(grey.astype(np.float32), angle, reshape=False, order=1, mode="reflect")).astype(np.uint8)


def _copies(case: str, count: int, literal: Literal, rng: np.random.Generator) -> pd.DataFrame:
    low, high, step = literal.angles
    grid = np.arange(low, high + step / 2, step)
    others = grid[grid != 0]
    rounds = -(-max(count - 1, 0) // len(others))
    drawn = np.concatenate([[0.0], *(rng.permutation(others) for _ in range(rounds))])[:count]
    return pd.DataFrame({"case": case, "angle": drawn, "image": [f"{case}_{n}" for n in range(count)]})


def _one(asked: Asked, slices: Slices, cases: pd.DataFrame, run: Run, folder: Path) -> None:
    """Train one network on its share of the images and write what it says of the others."""
    from fusion.models.train import train

    path = _path(folder, asked)
    if path.is_file():
        return
    task, number = run.used_tasks[asked.task], run.used_sequences.index(asked.view)
    rows = task_rows(cases, task)
    known = rows[slices.of(tuple(rows["case"])).has((number,))]
    assert run.literal is not None
    assert run.network is not None
    rng = np.random.default_rng([run.seed, *asked.task.encode(), *asked.view.encode()])
    own = images(known, task, run.literal, rows["label"].value_counts(), rng)
    pictures = _pictures(slices, own, number)
    network = run.network.model_copy(update={"augment": False, "seeds": 1})
    train(pictures, own["label"].to_numpy(), own["fold"].to_numpy(), network, run.roi, run.seed, path.with_suffix(""),
          1, only=(JUDGED,), sources={asked.view: (0,)}, classes=len(task.names))  # fmt: skip
    write_parquet(path, _said(asked, task, own, pictures, network, run, path.with_suffix("")))


def _path(folder: Path, asked: Asked) -> Path:
    return folder / FOLDER / asked.task / f"{asked.view}.parquet"


def _pictures(slices: Slices, own: pd.DataFrame, number: int) -> Slices:
    """The images as slices of one sequence."""
    grey = slices.of(tuple(own["case"])).grey[:, number]
    moved = np.stack([turned(one, angle) for one, angle in zip(grey, own["angle"], strict=True)])[:, None]
    there = np.ones((len(own), 1), dtype=bool)
    sequence = (slices.sequences[number],)
    return Slices(tuple(own["image"]), sequence, moved, there, np.zeros(moved.shape, bool), np.ones((len(own), 1, 2)))


def _said(
    asked: Asked, task: Task, own: pd.DataFrame, pictures: Slices, network: Network, run: Run, folder: Path
) -> pd.DataFrame:
    """The predictions of the images that judge."""
    from fusion.models.task_scores import ask

    names = task.names
    views = {asked.view: (0,)}
    (found,) = ask(pictures, own, len(names), network, run.roi, folder, views, 1, (JUDGED,)).values()
    rows = own.iloc[found.cases]
    chances = _chances(found.logits, len(names))
    table = pd.DataFrame({
        "model": f"{asked.task}/{asked.view}", "set": task_predictions.IMAGES, "case": rows["case"].to_numpy(),
        "image": rows["image"].to_numpy(), "fold": JUDGED, "label": [names[n] for n in rows["label"]],
        **{f"probability_{name}": chances[:, n] for n, name in enumerate(names)},
    })  # fmt: skip
    if len(names) == 2:
        table = table.assign(probability=chances[:, 1], event=rows["label"].to_numpy())
    return table


def _chances(logits: ndarray, classes: int) -> ndarray:
    if classes > 2:
        return softmax(logits, axis=1)
    positive = expit(np.asarray(logits).reshape(-1))
    return np.stack([1 - positive, positive], 1)
