"""What every kind of job of a sweep costs, in this process, one thread: one fold of a cell, and all that is around it.

    python experiments/benchmarks/many/costs.py FOLDER CASES BACKBONE HEADS_CASES [KEY=VALUE ...]

Seconds are CPU seconds of this process. Ends with one line of JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[3]
Result = TypeVar("Result")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
ONE_THREAD = {**dict.fromkeys(THREADS, "1"), "CUDA_VISIBLE_DEVICES": ""}
EPOCHS = (1, 3)
"""Of two cells: what an epoch more costs is a difference."""
FEATURES = 1874
FOLDS = 5
"""As many as the large sweep has, as the networks of a fold are scored and kept."""


def words(folder: Path, cases: int, more: Sequence[str] = ()) -> list[str]:
    """Config and words of every sweep here: a phantom of so many cases in ``folder``."""
    table = [f"cohort.table={folder}/phantom_{cases}/clinical.csv", f"cohort.phantom.cases={cases}"]
    return [str(ROOT / "configs/tiny_ct.yaml"), *table, *more]


def main(folder: Path, cases: int, backbone: str, heads_cases: int, more: Sequence[str]) -> None:
    print(json.dumps(measured(folder / f"costs_{cases}", words(folder, cases, more), backbone, heads_cases)))


def measured(folder: Path, given: Sequence[str], backbone: str, heads_cases: int) -> dict[str, Any]:
    """CPU seconds of every step, bytes and files that it leaves, peak memory."""
    from fusion.config.sweep import read
    from fusion.flow.fold import finish, folds_of, train_fold, write_fold
    from fusion.flow.sweep.coordinate import Standing
    from fusion.flow.sweep.folder import begin
    from fusion.flow.sweep.plan import plan
    from fusion.flow.sweep.share import measure, prepare
    from fusion.report.sweep import write

    folds = [] if any(word.startswith("split.folds=") for word in given) else [f"split.folds={FOLDS}"]
    network = [*folds, "network.epochs=" + ",".join(map(str, EPOCHS)), f"network.backbone={backbone}"]
    sweep = read(Path(given[0]), [*given[1:], *network, f"output={folder}", "jobs=1", "bundle=false"])
    plan(sweep, folder)  # makes the phantom, and loads what the look at a case needs
    planned, look = timed(lambda: plan(sweep, folder))
    parts = [part for own in planned for part in own.parts]
    shared, measure_s = timed(lambda: measure(parts))
    works, prepare_s = timed(lambda: [prepare(part, shared, {}) for part in parts])
    train_fold(works[0], 0)  # loads torch; the next fold is measured
    few, many = (timed(partial(train_fold, work, 1))[1] for work in works)
    for work in works:
        for fold in folds_of(work):
            write_fold(work, fold)
    finish_s = [timed(partial(finish, work))[1] for work in works]
    begin(folder, sweep, None)
    Standing(folder, sweep, {own.cell.name for own in planned}).write()
    _, comparison = timed(lambda: write(folder))
    trained = int(((works[0].cases["fold"] >= 0) & (works[0].cases["fold"] != 1)).sum())
    own_mb, own_files = weight(works[1].folder, shared=False)
    shared_mb, shared_files = weight(folder / "shared", shared=True)
    return {
        "cases": len(works[0].cases), "trained": trained, "look_s": look / len(sweep.cells), "measure_s": measure_s,
        "prepare_s": prepare_s / len(works), "train_s": {EPOCHS[0]: few, EPOCHS[1]: many},
        "finish_s": float(np.mean(finish_s)), "comparison_s": comparison / len(works), "heads_s": heads(heads_cases),
        "cell_mb": own_mb, "cell_files": own_files, "shared_mb": shared_mb, "shared_files": shared_files,
        "patches_mb": (shared.folder / "checkpoints/patches.npz").stat().st_size / 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def timed(verb: Callable[[], Result]) -> tuple[Result, float]:
    """What ``verb`` gives, and its CPU seconds."""
    start = time.process_time()
    return verb(), time.process_time() - start


def heads(cases: int) -> float:
    """CPU seconds of a fold's heads, of five, on made-up features of so many training cases."""
    from tempfile import TemporaryDirectory

    from fusion.config.heads import Heads
    from fusion.heads.combine import radiomics_vectors
    from fusion.heads.vectors import write_fold

    rng = np.random.default_rng(0)
    names = [f"case{number}" for number in range(cases)]
    event = rng.integers(0, 2, cases)
    cohort = pd.DataFrame({"case": names, "set": "train", "fold": np.arange(cases) % 5, "event": event})
    tables = {
        region: pd.DataFrame(rng.normal(size=(cases, FEATURES)) + 0.3 * event[:, None] * (np.arange(FEATURES) < 20),
                             pd.Index(names, name="case"), [f"f{n}" for n in range(FEATURES)])
        for region in ("tumour", "external2")
    }  # fmt: skip
    own = radiomics_vectors(tables, cohort, Heads(), 0)
    with TemporaryDirectory() as folder:
        return timed(lambda: write_fold(own, 1, "heads", Path(folder)))[1]


def weight(folder: Path, shared: bool) -> tuple[float, int]:
    """Megabytes and number of files below ``folder``; those that another folder links to are not counted twice."""
    files = [own for own in folder.rglob("*") if own.is_file()]
    own = [path for path in files if shared or path.stat().st_nlink == 1]
    return sum(path.stat().st_size for path in own) / 1e6, len(files)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:])
