"""Seconds to a warm predictor and to the answer of one case, CT and MRI, against the same answer written plainly.

A small run of configs/shen2026.yaml and one of configs/kaba2025.yaml make the bundles: their networks are trained for
one epoch from random weights, which no time here depends on. Each measurement has a process of its own on two cores.
Ends with one line of JSON.
"""

import sys
from pathlib import Path

sys.path = [own for own in sys.path if Path(own).resolve() != Path(__file__).resolve().parent]

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import Any  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ANSWER = Path(__file__).resolve().with_name("one_case") / "answer.py"
QUICK = ("network.weights=none", "network.epochs=1", "network.warmup_epochs=0", "evaluate.bootstrap=200",
         "evaluate.validation=null")  # fmt: skip
CT = ("cohort.phantom.cases=90", *QUICK)
MRI = ("cohort.phantom.cases=117", "sequences=T2-w", "literal=null", *QUICK)
CASES = 8
"""That are answered; the fewest that a phantom makes."""


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", nargs="*", default=[], help="changes to the CT run, as on the command line")
    parser.add_argument("--mri", nargs="*", default=[], help="changes to the MRI run")
    parser.add_argument("--only", choices=("ct", "mri"))
    parser.add_argument("--size", choices=("crop", "neck"), default="neck", help="of the CT cases that are answered")
    parser.add_argument("--cold", action="store_true", help="start once without compiled code on the disk too")
    parser.add_argument("--keep", type=Path, help="folder of the runs; what is finished there is taken")
    asked = parser.parse_args(words)
    figures: dict[str, Any] = {"cores": min(2, len(os.sched_getaffinity(0)))}
    with tempfile.TemporaryDirectory() as name:
        folder = asked.keep or Path(name)
        if asked.only != "mri":
            bundle = made("shen2026", folder / "ct", [*CT, *asked.ct])
            figures |= told("ct", bundle, new_ct(folder, asked.size), (), asked.cold)
        if asked.only != "ct":
            bundle = made("kaba2025", folder / "mri", [*MRI, *asked.mri])
            figures |= told("mri", bundle, new_mri(folder), ("T2-w",), False)
    print(json.dumps(figures))


def made(config: str, folder: Path, words: Sequence[str]) -> Path:
    """The bundle of a run of ``config`` in ``folder``."""
    from fusion.config import parse
    from fusion.flow.run import run

    places = [f"cohort.table={folder / 'cohort/clinical.csv'}", f"output={folder / 'run'}"]
    run(parse((ROOT / f"configs/{config}.yaml").read_text(encoding="utf-8"), [*places, *words]))
    return folder / "run/bundle"


def new_ct(folder: Path, size: Any) -> Path:
    """The table of cases that no network saw, with images of the whole field."""
    from fusion import phantom
    from fusion.config.cohort import Phantom

    table = folder / f"new_{size}/clinical.csv"
    return table if table.is_file() else phantom.make(table, Phantom(cases=CASES, seed=1, size=size))


def new_mri(folder: Path) -> Path:
    """As ``new_ct``, of slices in six sequences."""
    from fusion import phantom
    from fusion.config.cohort import MriPhantom

    table = folder / "new_mri/clinical.csv"
    return table if table.is_file() else phantom.make(table, MriPhantom(cases=10, seed=1))


def told(kind: str, bundle: Path, table: Path, sequences: Sequence[str], cold: bool) -> dict[str, Any]:
    """The figures of one kind of case, by name."""
    runs = {how: in_its_own_process(bundle, table, how, sequences) for how in ("fusion", "heat", "plain")}
    found = {how: statistics.median(own["seconds"][1:]) for how, own in runs.items()}
    own, heat, slow = (runs[how] for how in ("fusion", "heat", "plain"))
    figures = {
        "seconds": found["fusion"], "first_seconds": own["seconds"][0], "slowest_seconds": max(own["seconds"][1:]),
        "start_seconds": own["start_seconds"], "peak_mb": own["peak_mb"], "heat_seconds": found["heat"],
        "heat_start_seconds": heat["start_seconds"], "heat_peak_mb": heat["peak_mb"], "plain_seconds": found["plain"],
        "plain_start_seconds": slow["start_seconds"], "ratio": found["plain"] / found["fusion"],
        "largest_difference": difference(own["probabilities"], slow["probabilities"]),
        "models": len(next(iter(own["probabilities"].values()))), "networks": networks(bundle),
    }  # fmt: skip
    if cold:
        with tempfile.TemporaryDirectory() as empty:
            figures["cold_start_seconds"] = in_its_own_process(
                bundle, table, "fusion", sequences, {"NUMBA_CACHE_DIR": empty}
            )["start_seconds"]
    print(f"{kind}: {json.dumps(figures, indent=1)}", flush=True)
    return {f"{kind}_{name}": value for name, value in figures.items()}


def in_its_own_process(
    bundle: Path, table: Path, how: str, sequences: Sequence[str], environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """What answer.py measures."""
    given = ["--sequences", *sequences] if sequences else []
    command = [sys.executable, str(ANSWER), str(bundle), str(table), "--how", how, *given]
    done = subprocess.run(
        [*command, "--spawned", str(time.monotonic())], capture_output=True, text=True, cwd=ROOT,
        env=os.environ | (environment or {}), check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest between the probabilities of two answers to the same cases."""
    return max(
        abs(p - other[case][model][name])
        for case, models in one.items()
        for model, own in models.items()
        for name, p in own.items()
    )


def networks(bundle: Path) -> int:
    """How many the bundle has."""
    return len(json.loads((bundle / "heads.json").read_text(encoding="utf-8"))["networks"])


if __name__ == "__main__":
    main()
