"""The phantom's known answer on the 1874-feature path: AUC of the radiomics and clinical models over several seeds.

    python experiments/shen2026/bands.py runs/bands

Every seed is a cohort of its own. `default` is judged by five-fold cross-validation on the whole cohort, as the
phantom's bands were set, and by the 7:3 test set; `shuffled` (outcome permuted) and `null` (no signal) must score
chance. Radiomics are kept by content in OUT/cache, so a second start measures nothing twice. Writes OUT/bands.csv and
OUT/aucs.json (kept as expected.json beside this file), and ends with one line of JSON: the means over seeds.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from fusion.config import load
from fusion.flow import stages
from fusion.flow.run import EVERYTHING, part
from fusion.store import write_json

BANDS = {
    "Tumor_RAD": (0.80, 0.85), "External2_RAD": (0.77, 0.82), "Tumor+External2_RAD": (0.87, 0.91),
    "Clinical": (0.77, 0.85), "Combined": (0.91, 0.94),
}  # fmt: skip
"""Where the phantom's design puts the mean of five seeds, for `default`."""
ARMS = {
    "default": ["split.test_fraction=0"],
    "test": [],
    "shuffled": ["split.test_fraction=0", "cohort.shuffle_outcome=true"],
    "null": ["split.test_fraction=0", "cohort.phantom.preset='null'"],
}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--config", type=Path, default=Path("configs/shen2026.yaml"))
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    words.add_argument("--override", nargs="*", default=[])
    given = words.parse_args()
    rows = pd.concat(
        [
            measured(given.config, given.out, arm, seed, given.override)
            for arm in given.arms
            for seed in range(given.seeds)
        ]
    )
    rows.to_csv(given.out / "bands.csv", index=False)
    write_json(given.out / "aucs.json", by_seed(rows))
    means = rows.groupby(["arm", "model"], sort=False)["auc"].agg(["mean", "min", "max"]).round(3)
    print(means.join(pd.DataFrame(BANDS, index=["band_low", "band_high"]).T, on="model").to_string())
    print(json.dumps({arm: means.loc[arm]["mean"].to_dict() for arm in given.arms}))


def measured(config: Path, out: Path, arm: str, seed: int, overrides: list[str]) -> pd.DataFrame:
    """One cohort's AUCs: of the test set in arm `test`, out-of-fold in all others."""
    preset = "null" if arm == "null" else "default"
    words = [f"cohort.table={out}/phantom-{preset}-{seed}/clinical.csv", f"cohort.phantom.seed={seed}", f"seed={seed}",
             f"cache={out}/cache", f"output={out}/{arm}-{seed}", "network=null",
             "evaluate.validation=null"]  # fmt: skip
    run = load(config, [*words, *ARMS[arm], *overrides])
    folder = part(run, EVERYTHING)
    stages.evaluate(folder, run)
    table = pd.read_csv(folder / "metrics.csv").query("set == @judge", local_dict={"judge": judge(arm)})
    return table[["model", "n", "events", "auc", "auc_low", "auc_high"]].assign(arm=arm, seed=seed)


def by_seed(rows: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """AUCs by arm and model, in the order of the seeds."""
    arms = rows.groupby("arm", sort=False)
    return {
        str(arm): {str(model): own["auc"].round(6).tolist() for model, own in part.groupby("model", sort=False)}
        for arm, part in arms
    }


def judge(arm: str) -> str:
    return "test" if arm == "test" else "train_oof"


if __name__ == "__main__":
    main()
