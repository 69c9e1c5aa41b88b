"""`fusion canary`: on labels that mean nothing every model must score chance, and planted leaks must be heard."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.config.split import without_file
from fusion.errors import ConfigError, Fault, RunError
from fusion.evaluate import predictions
from fusion.flow.planted import PLANTS, plant
from fusion.flow.rounds import refuse_rounds
from fusion.flow.run import EVERYTHING, EXTRACT, part
from fusion.flow.verdict import Heard, Verdict, heard
from fusion.roi.region import REGIONS
from fusion.store import whole, write_json

JUDGED = "Tumor+External2_RAD"
"""The model in which a planted leak must be heard."""
SHARED = (*(f"{region}.parquet" for region in REGIONS), "warnings.csv")
"""What a shuffle takes from the measured features; second readings it compares anew, in its own training set."""


def canary(run: Run, seeds: int = 5, networks: bool = False) -> Verdict:
    """Run the flow on shuffled outcomes and on planted leaks, in a folder beside the run's, NAME-canary.

    Images are measured once, through the run's cache, and shared. A killed canary started again does what is missing.

    Args:
        run: the flow to listen to; its own outcome is read only to be shuffled.
        seeds: shuffles, each with a split of its own; the more, the smaller the leak that is heard.
        networks: train the networks too, on every shuffle.

    Raises:
        FusionError: whatever a run raises, as on a cohort too small to be shuffled.
    """
    if run.cohort.tasks:
        remedy = "run it with cohort.shuffle_outcome=true and another output: every model must then score chance"
        raise ConfigError(Fault("cohort.tasks", "one outcome to shuffle and to plant leaks for", remedy))
    refuse_rounds(run, "one round, as shuffled labels are split anew", "set split.kind=holdout for the canary")
    run = run if networks else run.model_copy(update={"network": None})
    if run.heads.stacking != "oof_score" and run.network is None:
        run = run.model_copy(update={"heads": run.heads.model_copy(update={"stacking": "oof_score"})})
    folder = run.folder.with_name(f"{run.folder.name}-canary")
    source = _measured(run, folder)
    drawn = range(run.seed, run.seed + seeds)
    found = [_scored(_shuffled(run, folder / f"shuffled_{seed}", seed), source) for seed in drawn]
    shuffled = [
        heard(found, model, set_)
        for model in predictions.models(found[0])
        for set_ in predictions.SETS
        if all((table["set"] == set_).any() for table in found)
    ]
    verdict = Verdict(tuple(shuffled), {kind: _planted(run, folder, source, kind, drawn) for kind in PLANTS})
    write_json(folder / "canary.json", verdict.document())
    return verdict


def told(verdict: Verdict, as_json: bool) -> None:
    """Print the verdict.

    Raises:
        RunError: which canary died; with ``as_json`` the document says it, and nothing is raised.
    """
    if as_json:
        print(json.dumps(verdict.document(), indent=2))
    elif verdict.clean:
        print(verdict.words())
    else:
        raise RunError(verdict.faults)


def _measured(run: Run, folder: Path) -> Path:
    """A folder with every image measured, through the run's own cache and with its rings."""
    own = run.model_copy(update={"output": folder / "measured", "cache": run.cache or run.folder / "features/cases"})
    _share(run.folder, own.folder, ("regions/*",))
    return part(_quiet(own), EXTRACT)


def _quiet(run: Run) -> Run:
    """Without internal validation, which would judge labels that mean nothing."""
    return run.model_copy(update={"evaluate": run.evaluate.model_copy(update={"validation": None})})


def _shuffled(run: Run, folder: Path, seed: int) -> Run:
    """The run with another outcome, and with a split of that outcome."""
    cohort = run.cohort.model_copy(update={"shuffle_outcome": True})
    cache = run.cache or run.folder / "features/cases"
    made = {"output": folder, "cache": cache, "seed": seed, "cohort": cohort, "split": without_file(run.split)}
    return _quiet(run.model_copy(update=made))


def _scored(run: Run, source: Path) -> pd.DataFrame:
    """Predictions of a shuffled run that shares regions and features with ``source``; they know no outcome."""
    _share(source, run.folder, ("regions/*", *(f"features/radiomics_{name}" for name in SHARED)))
    part(run, EVERYTHING)
    return predictions.read(run.folder / "predictions.csv")


def _share(source: Path, folder: Path, patterns: Sequence[str]) -> None:
    """Copy what ``folder`` has not yet; a half-written file is nobody's."""
    for path in (path for pattern in patterns for path in source.glob(pattern) if not path.name.startswith(".")):
        target = folder / path.relative_to(source)
        if not target.exists():
            with whole(target) as unfinished:
                shutil.copyfile(path, unfinished)


def _planted(run: Run, folder: Path, source: Path, kind: str, seeds: Sequence[int]) -> Heard:
    """The judged model in copies of the shuffles whose features leak; without networks, which read no features."""
    heads = run.heads.model_copy(update={"icc": None, "stacking": "oof_score"})
    alone = run.model_copy(update={"network": None, "heads": heads})
    found = []
    for seed in seeds:
        own = _shuffled(alone, folder / f"planted_{kind}_{seed}", seed)
        if not (own.folder / "predictions.csv").is_file():
            cases = pd.read_csv(folder / f"shuffled_{seed}/cohort.csv", dtype={"case": str}, keep_default_na=False)
            plant(kind, source, own.folder, cases)
        found.append(_scored(own, source))
    return heard(found, JUDGED, "train_oof")
