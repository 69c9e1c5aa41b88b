"""One bundle in one process: seconds from the process's start to a warm predictor, then seconds of each case.

python experiments/benchmarks/one_case/answer.py BUNDLE TABLE --how fusion|heat|plain --spawned SECONDS

`fusion` is the product without heat maps, `heat` with them. `plain` is the same answer as one would write it first:
PyRadiomics for the features, PyTorch for one network after another. Ends with one line of JSON.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

CORES = 2
How = Literal["fusion", "heat", "plain"]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--how", choices=("fusion", "heat", "plain"), default="fusion")
    parser.add_argument("--spawned", type=float, help="time.monotonic() when this process was asked for")
    parser.add_argument("--sequences", nargs="*", help="of slices: those that a case is given; all where not said")
    parser.add_argument("--cases", type=int, help="how many rows of TABLE; all where not said")
    asked = parser.parse_args(words)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    began = time.monotonic() if asked.spawned is None else asked.spawned
    answer, run = ready(asked.bundle, asked.how)
    start_seconds = time.monotonic() - began
    cases = read(run, asked.table, asked.sequences)[: asked.cases]
    told = [timed(answer, case) for case in cases]
    print(json.dumps({
        "start_seconds": start_seconds, "seconds": [seconds for seconds, _ in told], "peak_mb": peak_mb(),
        "probabilities": {case.case: own for case, (_, own) in zip(cases, told, strict=True)},
    }))  # fmt: skip


def ready(bundle: Path, how: How) -> tuple[Callable[[Any], Any], Any]:
    """What answers a case, and the bundle's run; all imports are part of the start."""
    from fusion.serve import bundle as bundles
    from fusion.serve.predict import Predictor

    own = bundles.read(bundle)
    predictor = plain(own) if how == "plain" else Predictor.of(own, explain=how == "heat")
    return lambda asked: predictor.answer(replace(asked, explain=how == "heat")).answer, own.run


def plain(own: Any) -> Any:
    """The predictor with PyRadiomics and with networks that PyTorch asks one after another."""
    from fusion.serve.predict import Predictor

    radiomics = own.run.radiomics.model_copy(update={"engine": "pyradiomics"})
    slow = replace(own, run=own.run.model_copy(update={"radiomics": radiomics}))
    return Predictor(slow, eager(slow))


def eager(bundle: Any) -> Any:
    """A scorer that holds the networks as PyTorch's modules."""
    import numpy as np
    import torch

    from fusion.serve import explain
    from fusion.serve.score import Scorer

    files = bundle.deployed.networks
    sources = dict.fromkeys((own.question, own.source) for own in files)
    nets = {key: explain.networks(bundle, *key) for key in sources}

    @dataclass(frozen=True)
    class Eager(Scorer):
        def scores(self, question: str, seen: Mapping[str, Any]) -> dict[str, Any]:
            with torch.inference_mode():
                told = {
                    source: np.mean([net(torch.from_numpy(own)).double().numpy().reshape(-1)
                                     for net in nets[question, source]], axis=0)
                    for source, own in seen.items()
                }  # fmt: skip
            return {source: mean if len(mean) == 1 else mean - mean.mean() for source, mean in told.items()}

    return Eager(Scorer.of(bundle, 1).networks, threads=1)  # whose files note how pictures are scaled


def read(run: Any, table: Path, sequences: Sequence[str] | None) -> list[Any]:
    """What is asked, a question a row of ``table``."""
    from fusion.data.case import Files
    from fusion.data.new_cases import read_new
    from fusion.serve.asked import Asked

    found = []
    for new in read_new(table, run.cohort, run.used_sequences):
        if isinstance(new.files, Files):
            found.append(Asked(files=new.files, clinical=new.clinical))
        else:
            assert new.files is not None
            scans = tuple(own for own in new.files.scans if sequences is None or own.sequence in sequences)
            found.append(Asked(study=replace(new.files, scans=scans), clinical=new.clinical))
    return found


def timed(answer: Callable[[Any], Any], asked: Any) -> tuple[float, dict[str, dict[str, float]]]:
    """Seconds from the files to every model's probabilities, and these by model."""
    start = time.perf_counter()
    told = answer(asked)
    return time.perf_counter() - start, {own.model: own.probabilities for own in told.answers}


def peak_mb() -> float:
    """The process's largest resident memory so far, in 10^6 bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(own.split()[1]) for own in lines if own.startswith("VmHWM")) * 1024 / 1e6


if __name__ == "__main__":
    main()
