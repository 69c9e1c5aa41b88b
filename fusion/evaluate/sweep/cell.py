"""A finished cell of a sweep: its run, what it predicted in every round, and how it judged itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.evaluate import metrics, predictions, task_pairs, task_predictions
from fusion.evaluate.sweep.scores import Scores


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell; ``rounds`` holds its predictions by round, under the empty name where there is one round."""

    name: str
    values: Mapping[str, str]
    """Swept fields and their values, as typed."""
    run: Run
    metrics: pd.DataFrame
    rounds: Mapping[str, pd.DataFrame]
    cohort: pd.DataFrame
    """Columns case and patient, and whatever else the cohort tells."""
    data_sha256: str = ""
    """Of table, images and masks; empty where unknown."""

    @property
    def models(self) -> list[str]:
        """Models that it judged, in the order of its metrics."""
        return list(dict.fromkeys(self.metrics["model"]))

    @property
    def reference(self) -> str:
        """The model that its others are compared with; of several tasks that of the first."""
        if not self.run.cohort.tasks:
            return metrics.reference(self.models)
        task = self.models[0].partition("/")[0]
        views = [model.partition("/")[2] for model in self.models if model.startswith(f"{task}/")]
        return f"{task}/{task_pairs.reference(views)}"

    @cached_property
    def patient(self) -> pd.Series:
        """The patient of each case, by its name."""
        own = self.cohort.drop_duplicates("case").set_index("case")["patient"]
        cases = {case for table in self.rounds.values() for case in table["case"]}
        if absent := sorted(cases - set(own.index)):
            found = f"{len(absent)} cases in the predictions that the cohort lacks"
            raise RunError(Fault(found, "predictions of the cohort's cases", f"make cell {self.name} again"))
        return own

    def rows(self, model: str, set_: str, round_: str) -> pd.DataFrame:
        """The predictions of a model in a set and round, as they stand there; none where it has none."""
        return self._groups.get((round_, model, set_), next(iter(self.rounds.values())).iloc[:0])

    def scores(self, model: str, set_: str) -> dict[str, Scores]:
        """What a model says in a set, round by round; rounds without such rows are left out."""
        if (model, set_) not in self._known:
            self._known[model, set_] = {
                round_: self._scores(model, own) for round_ in self.rounds if len(own := self.rows(model, set_, round_))
            }
        return self._known[model, set_]

    @cached_property
    def _known(self) -> dict[tuple[str, str], dict[str, Scores]]:
        """What ``scores`` has found; a first cell is asked once for every other."""
        return {}

    @cached_property
    def _groups(self) -> dict[tuple[str, str, str], pd.DataFrame]:
        return {
            (round_, str(model), str(set_)): own
            for round_, table in self.rounds.items()
            for (model, set_), own in table.groupby(["model", "set"], sort=False)
        }

    def _scores(self, model: str, rows: pd.DataFrame) -> Scores:
        rows = rows.sort_values("case")
        case, fold = rows["case"].to_numpy(object), rows["fold"].to_numpy(int)
        if self.run.cohort.tasks:
            return Scores(case, fold, *task_predictions.matrix(rows, self.run.cohort.tasks[model.partition("/")[0]]))
        event = rows["probability"].to_numpy(float)
        return Scores(case, fold, np.stack([1 - event, event], axis=1), rows["event"].to_numpy(int))


def common_models(cells: list[Cell]) -> list[str]:
    """Every model that any cell judged, in the order of Table 1, then as they come."""
    found = dict.fromkeys(model for own in cells for model in own.models)
    known = predictions.models(pd.DataFrame({"model": list(found)}, dtype=str))
    return known if not any("/" in model for model in found) else list(found)
