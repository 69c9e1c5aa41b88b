"""Whatever is wrong with headers, tables, configs and run folders: exit 1 or 2 with a message, never a traceback."""

import re
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fusion import cli
from tests.data.dicom_made import NAME
from tests.mutated import Mutant, made, mutants

SEED = 8
SAMPLE, ALL = 40, 500
LONGEST_S = 60
"""A run whose report is made again takes the longest."""
HARMLESS = 0.4
"""Share of mutations that may change nothing that matters."""
PLACE = re.compile(
    r"^(case \S+|command line|[^\s:]+( line \d+| \(.+\))?): .*found |--\w|Usage|\b[a-z]+\.[a-z_0-9]+\b", re.MULTILINE
)
"""A case, a file, a word of the command line, or a field of the config."""


@dataclass(frozen=True)
class Outcome:
    """How a command on one mutant ended."""

    mutant: Mutant
    words: list[str]
    code: int | None
    seconds: float
    wrong: str | None


@pytest.fixture
def sound(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Where mutants are made, and the sound cohort that they are made from."""
    work, kept = tmp_path / "work", tmp_path / "kept"
    work.mkdir()
    made.cohort(work)
    assert typed(["check", str(work / "a.yaml"), "jobs=1"], monkeypatch) == (0, None)
    shutil.copytree(work, kept)
    return work, kept


def typed(words: list[str], patch: pytest.MonkeyPatch) -> tuple[int | None, str | None]:
    """The exit code of a command, or what it raised instead."""
    patch.setattr("sys.argv", ["fusion", *words])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0), None
    except BaseException:
        return None, traceback.format_exc()
    return 0, None


def outcome(mutant: Mutant, sound: tuple[Path, Path], patch: pytest.MonkeyPatch, capfd) -> Outcome:
    work, kept = sound
    made.again(kept, work, with_run=mutant.kind.startswith(("run", "predict")))
    words = mutant.spoil(work)
    if words[0] in ("check", "extract", "run", "regions") and len(words) > 1:
        words = [*words, "jobs=1", *([] if any("output=" in word for word in words) else [f"output={work / 'out'}"])]
    capfd.readouterr()
    begun = time.monotonic()
    code, raised = typed(words, patch)
    seconds, err = time.monotonic() - begun, capfd.readouterr().err
    return Outcome(mutant, words, code, seconds, raised or wrong(code, seconds, err))


def wrong(code: int | None, seconds: float, err: str) -> str | None:
    """What is wrong with how a command ended; None where nothing is."""
    told = [line for line in err.splitlines() if "found " in line and "; expected " in line]
    if seconds > LONGEST_S:
        return f"{seconds:.0f} s"
    if code not in (0, 1, 2):
        return f"exit {code}"
    if "Traceback" in err or any(word in err for word in NAME.split("^")):
        return f"tells too much: {err[-500:]}"
    if code and not PLACE.search(err):
        return f"names nothing: {err[-500:]}"
    if code == 1 and not told:
        return f"no message: {err[-500:]}"
    if len(set(told)) < len(told):
        return f"told twice: {err[-800:]}"
    return f"exit 0 with faults: {err[-500:]}" if told and not code else None


def counted(outcomes: list[Outcome]) -> str:
    """How many of each kind ended how."""
    codes = Counter((own.mutant.kind, own.code) for own in outcomes)
    slowest = max(outcomes, key=lambda own: own.seconds)
    lines = [f"{kind}: exit {code}: {n}" for (kind, code), n in sorted(codes.items(), key=str)]
    total = ", ".join(f"exit {code}: {n}" for code, n in Counter(own.code for own in outcomes).most_common())
    return "\n".join(
        [*lines, f"all: {total}; slowest {slowest.seconds:.1f} s ({slowest.mutant.kind}, {slowest.words[0]})"]
    )


def judged(asked: Iterable[Mutant], sound, patch, capfd) -> None:
    """None ends without a message, and few end well."""
    outcomes = [outcome(own, sound, patch, capfd) for own in asked]
    with capfd.disabled():
        print(f"\n{counted(outcomes)}")
    assert {f"{own.mutant.number} {own.mutant.kind} {own.words}": own.wrong for own in outcomes if own.wrong} == {}
    assert sum(own.code == 0 for own in outcomes) < HARMLESS * len(outcomes)


def test_mutated_input_ends_with_a_message(sound, monkeypatch, capfd):
    judged(mutants(SEED, SAMPLE, with_run=False), sound, monkeypatch, capfd)


@pytest.mark.slow
def test_500_mutated_inputs_end_with_a_message(sound, monkeypatch, capfd):
    work, kept = sound
    code, raised = typed(["run", str(work / "a.yaml"), f"output={work / 'run'}", "jobs=1"], monkeypatch)
    assert (code, raised) == (0, None)
    shutil.copytree(work / "run", kept / "run")
    judged(mutants(SEED, ALL, with_run=True), sound, monkeypatch, capfd)
