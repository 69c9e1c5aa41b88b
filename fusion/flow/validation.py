"""The stage of internal validation: the heads fitted again, on other patients and on other outcomes."""

from pathlib import Path

import pandas as pd

from fusion.evaluate.learning import learning
from fusion.evaluate.optimism import optimism
from fusion.evaluate.permutation import permutation
from fusion.features import clinical
from fusion.flow.agreement import agreed
from fusion.flow.folder import told
from fusion.flow.work import Work
from fusion.heads.refit import Material, holds_network, material, refittable
from fusion.roi.region import REGIONS
from fusion.store import write_csv

JOINT = "Tumor+External2_RAD"
"""The radiomics score that the learning curve and the permutation test follow."""


def write_validation(work: Work) -> None:
    """validation/optimism.csv, learning_curve.csv and permutation.csv, those that `evaluate.validation` asks for.

    Columns as ``evaluate.optimism``, ``evaluate.learning`` and ``evaluate.permutation`` describe them.
    """
    choice, seed, jobs = work.run.evaluate.validation, work.run.seed, work.run.jobs
    if choice is None:
        return
    folder = work.folder / "validation"
    asked = {
        "optimism": choice.bootstrap > 0, "learning_curve": choice.learning_curve,
        "permutation": choice.permutations > 0,
    }  # fmt: skip
    missing = {name for name, wanted in asked.items() if wanted and not (folder / f"{name}.csv").is_file()}
    if not missing:
        return
    known = read_material(work)
    with told(work.folder, "validation"):
        if "optimism" in missing:
            models = _asked(work, choice.models)
            write_csv(folder / "optimism.csv", optimism(known, models, choice.bootstrap, seed, jobs))
        if "learning_curve" in missing:
            write_csv(folder / "learning_curve.csv", learning(known, _followed(work), seed, jobs))
        if "permutation" in missing:
            models = [model for model in _followed(work) if not holds_network(model, known)]
            write_csv(folder / "permutation.csv", permutation(known, models, choice.permutations, seed, jobs))


def read_material(work: Work) -> Material:
    """What the run's heads were fitted on, read back from its folder."""
    run, cases = work.run, work.cases
    tables = {region: _table(work.folder, region) for region in REGIONS}
    scores = pd.read_parquet(work.folder / "features/scores.parquet")
    encoded = clinical.encode(cases.set_index("case"), run.cohort.clinical, run.predictors)
    return material(agreed(tables, work.folder, run.heads.icc), scores, encoded, cases, run.heads, run.seed)


def _table(folder: Path, region: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"features/radiomics_{region}.parquet")


def _asked(work: Work, models: tuple[str, ...] | None) -> list[str]:
    """Models whose optimism is measured, of those that the run makes."""
    if models is not None:
        return [model for model in refittable(work.run.models) if model in models]
    return [model for model in refittable(work.run.models) if not model.endswith("RAD+DL")]


def _followed(work: Work) -> list[str]:
    return [model for model in (JOINT, "Clinical", "Combined") if model in work.run.models]
