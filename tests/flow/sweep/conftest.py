"""One small sweep, in this process, that several files compare with."""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from fusion.features.radiomics import engine, extract
from fusion.flow import look, networks, rings
from fusion.flow.sweep import Swept, sweep
from tests.flow.sweep.swept import asked, config, inline

FLOW = sys.modules["fusion.flow.sweep.sweep"]
READERS = {"look": look, "ring": rings, "radiomics": extract, "patch": networks}


class Calls(Counter):
    """How often each step read a case, and each region was measured."""

    def watch(self, patch):
        for name, module in READERS.items():
            patch.setattr(module, "load", self._noting(name, module.load))
        patch.setattr(engine, "measure", self._measuring(engine.measure))
        return self

    def _noting(self, name, verb):
        def load(files, *more):
            self[name, files.case] += 1
            return verb(files, *more)

        return load

    def _measuring(self, verb):
        def measure(image, masks, *more, **named):
            for region, mask in masks.items():
                self["measure", region, mask.tobytes()] += 1
            return verb(image, masks, *more, **named)

        return measure


@dataclass(frozen=True)
class Whole:
    """A sweep that nobody disturbed."""

    config: Path
    folder: Path
    done: Swept
    calls: Calls


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    here = config(tmp_path_factory.mktemp("swept"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FLOW, "engine", inline)
        calls = Calls().watch(patch)
        return Whole(here, here.parent / "swept", sweep(asked(here, "swept")), calls)


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(FLOW, "engine", inline)
    return monkeypatch


@pytest.fixture
def calls(in_process):
    return Calls().watch(in_process)
