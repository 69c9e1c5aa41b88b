"""The finished run folder as the report reads it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.config.cohort import Category
from fusion.config.run import MODELS, Run
from fusion.errors import Fault, RunError
from fusion.evaluate import predictions
from fusion.evaluate.metrics import reference
from fusion.heads.combine import DEEP_INNER, INNER, SOURCES, stacked

FILES = ("cohort.csv", "predictions.csv", "metrics.csv", "selection.csv", "environment.json")


@dataclass(frozen=True)
class Results:
    """A run and what it found; tables as the files hold them."""

    folder: Path
    run: Run
    cohort: pd.DataFrame
    predictions: pd.DataFrame
    metrics: pd.DataFrame
    selection: pd.DataFrame
    environment: dict[str, Any]

    @property
    def sets(self) -> list[str]:
        """Sets with predictions; the one that counts most (test, external, train_oof) first."""
        return [name for name in ("test", "external", "train_oof") if (self.metrics["set"] == name).any()]

    @property
    def models(self) -> list[str]:
        """Models with predictions, in the order of Table 1."""
        return predictions.models(self.predictions)

    @property
    def absent(self) -> list[str]:
        """Models of Table 1 that this run does not have."""
        return [name for name in MODELS if name not in self.models]

    @property
    def reference(self) -> str:
        """The model that the others are compared with."""
        return reference(self.models)

    @property
    def leaning(self) -> list[str]:
        """Models whose out-of-fold AUC leans upwards: their regression reads scores that have seen the fold it judges.

        These are trained networks' scores, and any where folds are too small for scores two folds apart.
        """
        missing = {kind: not (self.folder / path).is_file() for kind, path in (("_RAD", INNER), ("_DL", DEEP_INNER))}
        return [
            model
            for model in self.models
            if stacked(model) and any(missing[kind] and self._reads(model, kind) for kind in missing)
        ]

    def _reads(self, model: str, kind: str) -> bool:
        there = self.run.network is not None or kind != "_DL"
        return there and any(source.endswith(kind) for source in SOURCES[model])

    def rows(self, set_: str) -> pd.DataFrame:
        """Metrics of one set, indexed by model, in the order of Table 1."""
        own = self.metrics[self.metrics["set"] == set_].set_index("model")
        return own.loc[[name for name in self.models if name in own.index]]

    def scores(self, set_: str, model: str) -> dict[str, float]:
        """Metrics of one model in one set, by the name of their column."""
        own = self.rows(set_)
        return {name: float(own[name][model]) for name in own.columns if name != "set"}

    def final(self, model: str) -> pd.DataFrame:
        """What the model fitted on the whole training set kept: feature, coefficient, rank."""
        chosen = self.selection[(self.selection["model"] == model) & (self.selection["fold"] == "final")]
        return chosen.sort_values("rank").reset_index(drop=True)


def read(folder: Path, run: Run) -> Results:
    """Everything the report needs from a run folder.

    Raises:
        RunError: files that are missing, all named at once, or faulty predictions.
    """
    if run.cohort.tasks:
        raise RunError(
            Fault("a run of tasks", "a run of regions", "read it by fusion.report.page.read", file=str(folder))
        )
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        found, remedy = f"no {', '.join(missing)}", "finish the run first: fusion run CONFIG"
        raise RunError(Fault(found, "a finished run", remedy, file=str(folder)))
    categories = {name: str for name, kind in run.cohort.clinical.items() if isinstance(kind, Category)}
    return Results(
        folder=folder,
        run=run,
        cohort=pd.read_csv(
            folder / "cohort.csv",
            dtype={"case": str, "patient": str, "set": str, **categories},
            keep_default_na=False,
        ),
        predictions=predictions.read(folder / "predictions.csv"),
        metrics=pd.read_csv(folder / "metrics.csv", dtype={"model": str, "set": str}),
        selection=pd.read_csv(folder / "selection.csv", dtype={"model": str, "fold": str, "feature": str}),
        environment=json.loads((folder / "environment.json").read_text(encoding="utf-8")),
    )
