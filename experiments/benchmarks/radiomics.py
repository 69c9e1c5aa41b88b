"""Radiomics of a tumour and its ring: this package's engine against PyRadiomics, the same cases in the same run.

python experiments/benchmarks/radiomics.py [--shared ../shared] [--only NAME ...] [--peers] [--readme FILE]

Every measurement has a process of its own. Prints the tables as Markdown and ends with one line of JSON; figures of
cases that are not there are null.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer

ROOT = Path(__file__).parents[2]
PAIR = Path(__file__).with_name("pair")
REGIONS = ("tumour", "external2")
BEGIN, END = "<!-- what radiomics.py measured -->\n", "<!-- end -->\n"
TINY = 1e-12
"""A smaller difference counts as none."""
PEERS = {
    "flash-radiomics": ("flash-radiomics==1.0.0", "numpy", "h5py", "SimpleITK", "pykwalify", "PyWavelets", "scipy",
                        "scikit-image", "scikit-learn", "trimesh"),
    "mirp": ("mirp==2.7.0",),
    "nyxus": ("nyxus==0.11.0",),
}  # fmt: skip
"""What is installed for a peer; flash-radiomics does not declare what it needs."""
PEER_CASES = ("lesion23", "sts001")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Cost:
    """Seconds of a call, the median of the repeats, and memory of its process in 10^6 bytes."""

    cpu_s: float
    wall_s: float
    loaded_mb: float
    peak_mb: float


@dataclass(frozen=True)
class Pair:
    """Both engines on one case."""

    name: str
    about: str
    volumes_mm3: tuple[float, ...]
    one: Cost
    two: Cost
    oracle: Cost
    difference: float
    feature: str

    @property
    def cpu_ratio(self) -> float:
        """PyRadiomics' CPU seconds over the engine's, one thread each."""
        return self.oracle.cpu_s / self.one.cpu_s

    @property
    def wall_ratio(self) -> float:
        """PyRadiomics' wall seconds over the engine's on two threads."""
        return self.oracle.wall_s / self.two.wall_s

    @property
    def memory_ratio(self) -> float:
        """The engine's whole process at its largest over PyRadiomics'."""
        return self.one.peak_mb / self.oracle.peak_mb

    @property
    def added_memory_ratio(self) -> float:
        """As ``memory_ratio``, less what each process held before the counted call: modules, image, masks."""
        return (self.one.peak_mb - self.one.loaded_mb) / (self.oracle.peak_mb - self.oracle.loaded_mb)


def compare(case: Path, repeats: int, oracle_repeats: int) -> Pair:
    """Both engines on the case in the folder ``case``."""
    one, found = _measure(case, "fusion", repeats)
    two, again = _measure(case, "fusion", repeats, threads=2)
    oracle, expected = _measure(case, "pyradiomics", oracle_repeats)
    difference, feature = max(largest_difference(own, expected) for own in (found, again))
    volumes_mm3 = tuple(expected[f"{region} original_shape_VoxelVolume"] for region in REGIONS)
    about = json.loads((case / "case.json").read_text(encoding="utf-8"))["about"]
    return Pair(case.name, about, volumes_mm3, one, two, oracle, difference, feature)


def largest_difference(found: Mapping[str, float], expected: Mapping[str, float]) -> tuple[float, str]:
    """The largest relative difference of a feature, and its name.

    >>> largest_difference({"a": 1.0, "b": 2.5, "c": 1e-14}, {"a": 1.0, "b": 2.0, "c": 0.0})
    (0.25, 'b')
    """
    return max((_relative(found[name], value), name) for name, value in expected.items())


def render(pairs: Sequence[Pair], absent: Mapping[str, str]) -> str:
    """The table of the cases."""
    rows = [
        "| case | tumour + ring, mm³ | PyRadiomics CPU s | fusion CPU s | ratio | PyRadiomics wall s"
        " | fusion wall s, 2 threads | ratio | PyRadiomics peak MB (added) | fusion peak MB (added) | ratio (added)"
        " | largest relative difference |",
        "| --- " * 12 + "|",
    ]
    for own in pairs:
        memory = [f"{cost.peak_mb:.0f} ({cost.peak_mb - cost.loaded_mb:.0f})" for cost in (own.oracle, own.one)]
        cells = [
            own.about, " + ".join(f"{volume:,.0f}" for volume in own.volumes_mm3),
            f"{own.oracle.cpu_s:.2f}", f"{own.one.cpu_s:.3f}", f"**{own.cpu_ratio:.1f}**",
            f"{own.oracle.wall_s:.2f}", f"{own.two.wall_s:.3f}", f"**{own.wall_ratio:.1f}**",
            *memory, f"{own.memory_ratio:.2f} ({own.added_memory_ratio:.2f})", f"{own.difference:.0e}",
        ]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    rows += [f"| {name} | not measured: {reason} |" + " |" * 10 for name, reason in absent.items()]
    return "\n".join([*rows, ""])


def figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The figures of the last line; null where the case was not measured."""
    by_name = {own.name: own for own in pairs}
    lesion, sarcoma = by_name.get("lesion23"), by_name.get("sts001")
    return {
        "cpu_ratio_lesion23": lesion and lesion.cpu_ratio,
        "cpu_ratio_sts001": sarcoma and sarcoma.cpu_ratio,
        "max_relative_difference": max((own.difference for own in pairs), default=None),
        "peak_memory_ratio": sarcoma and sarcoma.memory_ratio,
        "peak_memory_ratio_added": sarcoma and sarcoma.added_memory_ratio,
        "smallest_cpu_ratio": min((own.cpu_ratio for own in pairs), default=None),
        "smallest_wall_ratio_two_threads": min((own.wall_ratio for own in pairs), default=None),
        "cases": list(by_name),
    }


def peers(cases: Sequence[Path], folder: Path, limit_s: int) -> str:
    """The table of other packages, each installed in an environment of its own below ``folder``."""
    rows = ["| package | case | CPU s | wall s | features of the pair |", "| --- " * 5 + "|"]
    for name, packages in PEERS.items():
        try:
            python = _environment(folder / name, packages)
        except subprocess.CalledProcessError as error:
            rows.append(f"| {name} | does not install ({_last_line(error.stderr)}) | | | |")
            continue
        rows += [f"| {packages[0]} | {case.name} | {_peer(python, name, case, limit_s)} |" for case in cases]
        shutil.rmtree(folder / name)
    return "\n".join([*rows, ""])


def _relative(found: float, expected: float) -> float:
    apart = abs(found - expected)
    return 0.0 if apart < TINY else apart / max(abs(expected), TINY)


def _measure(case: Path, engine: str, repeats: int, threads: int = 1) -> tuple[Cost, dict[str, float]]:
    kept = case / f"{engine}_{threads}.npz"
    words = [case, engine, "--threads", threads, "--repeats", repeats, "--features", kept]
    told = _told([sys.executable, PAIR / "measure.py", *words])
    with np.load(kept) as found:
        named = {f"{region} {name}": float(value) for region in REGIONS
                 for name, value in zip(found["names"], found[region], strict=True)}  # fmt: skip
    return Cost(median(told["cpu_s"]), median(told["wall_s"]), told["loaded_mb"], told["peak_mb"]), named


def _told(command: Sequence[Any], limit_s: int | None = None, **environment: str) -> Any:
    """What the last line of the command's output says in JSON."""
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE, text=True, check=True, timeout=limit_s, env={**os.environ, **environment},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _environment(folder: Path, packages: Sequence[str]) -> Path:
    """The Python of a new virtual environment with ``packages``: by uv where it is, else by venv and pip."""
    python = folder / "bin/python"
    if uv := shutil.which("uv", path=f"{os.environ['PATH']}{os.pathsep}{ROOT / '.uv/bin'}"):
        steps = [[uv, "venv", "--python", sys.executable, folder], [uv, "pip", "install", "--python", python]]
    else:
        steps = [[sys.executable, "-m", "venv", folder], [python, "-m", "pip", "install"]]
    for step in (steps[0], [*steps[1], *packages]):  # away from this project, whose settings are not the peer's
        subprocess.run(list(map(str, step)), check=True, capture_output=True, text=True, cwd=folder.parent)
    return python


def _peer(python: Path, name: str, case: Path, limit_s: int) -> str:
    """The last three cells of a peer's row."""
    with tempfile.TemporaryFile("w+") as errors:
        try:
            done = subprocess.run(
                [python, PAIR / "peer.py", name, case],
                stdout=subprocess.PIPE, stderr=errors, text=True, check=True, timeout=limit_s,
                env={**os.environ, **ONE_THREAD},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"| more than {limit_s} | |"
        except subprocess.CalledProcessError:
            errors.seek(0)
            return f"fails ({_last_line(errors.read())}) | | "
    told = json.loads(done.stdout.splitlines()[-1])
    return f"{told['cpu_s']:.2f} | {told['wall_s']:.2f} | {told['features']}"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].strip().replace("|", "/")[:120]


def main(
    shared: Path = ROOT.parent / "shared",
    only: Annotated[list[str] | None, typer.Option(help="cases by name, again and again; default all")] = None,
    repeats: Annotated[int, typer.Option(help="counted calls of fusion; their median is shown")] = 3,
    oracle_repeats: Annotated[int, typer.Option(help="the same for PyRadiomics")] = 1,
    with_peers: Annotated[bool, typer.Option("--peers", help="install and time other packages, too")] = False,
    peer_limit_s: Annotated[int, typer.Option(help="a peer is stopped after this many seconds a case")] = 900,
    readme: Annotated[Path | None, typer.Option(help="write the tables between the marks of this file")] = None,
) -> None:
    """Measure, print the tables and one line of JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = [word for own in only or () for word in ("--only", own)]
        made = _told([sys.executable, PAIR / "cases.py", folder, "--shared", shared, *chosen])
        cases = [folder / own for own in made["cases"]]
        _measure(cases[0], "fusion", 1)  # so that no counted process compiles
        pairs = []
        for case in cases:
            pairs.append(compare(case, repeats, oracle_repeats))
            print(f"{case.name} measured; largest difference in {pairs[-1].feature}", file=sys.stderr)
        table = render(pairs, made["absent"])
        if with_peers:
            own = [case for case in cases if case.name in PEER_CASES]
            table += "\n" + peers(own, folder, peer_limit_s)
    print(table)
    if readme:
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        readme.write_text(before + BEGIN + "\n" + table + "\n" + END + rest.partition(END)[2], encoding="utf-8")
    print(json.dumps(figures(pairs)))


if __name__ == "__main__":
    typer.run(main)
