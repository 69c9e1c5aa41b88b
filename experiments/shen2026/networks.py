"""What the networks find in the phantom: out-of-fold AUC of tumour, ring and both, over several cohorts.

    python -m experiments.shen2026.networks runs/networks --weights FILE

Every seed is a cohort of its own, of 200 cases, judged by five-fold cross-validation; `null` has no signal and must
score chance. Runs are resumed. Writes OUT/networks.csv, prints the table of the README and ends with one line of JSON:
the means over seeds.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from experiments.out_of_fold import networks
from fusion.config import load
from fusion.store import write_csv

RECIPE = ["network.backbone=mobilenetv3_small_100", "network.epochs=30", "network.warmup_epochs=30",
          "network.augment=false", "network.lr_head=1e-3", "network.ema=0.97"]  # fmt: skip
"""Of networks that two cores train in minutes: only the heads learn. Chosen on cohorts of other seeds (README)."""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--config", type=Path, default=Path("configs/shen2026.yaml"))
    words.add_argument("--weights", default="none", help="ImageNet weights of mobilenetv3_small_100, or none")
    words.add_argument("--cases", type=int, default=200)
    words.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    words.add_argument("--null-seeds", type=int, nargs="*", default=[0])
    words.add_argument("--override", nargs="*", default=[])
    given = words.parse_args()
    cohorts = [("default", seed) for seed in given.seeds] + [("null", seed) for seed in given.null_seeds]
    fixed = [f"cohort.phantom.cases={given.cases}", f"network.weights={given.weights}", *RECIPE, *given.override]
    rows = pd.concat([measured(given.config, given.out, preset, seed, fixed) for preset, seed in cohorts])
    write_csv(given.out / "networks.csv", rows)
    print(table(rows))
    means = rows.groupby(["preset", "source"], sort=False)["auc"].mean().round(4)
    print(json.dumps({preset: means[preset].to_dict() for preset in dict.fromkeys(rows["preset"])}))


def measured(config: Path, out: Path, preset: str, seed: int, fixed: list[str]) -> pd.DataFrame:
    """One cohort's AUCs."""
    own = [f"cohort.table={out}/phantom-{preset}-{seed}/clinical.csv", f"cohort.phantom.preset='{preset}'",
           f"cohort.phantom.seed={seed}", f"seed={seed}", f"output={out}/{preset}-{seed}",
           "split.test_fraction=0"]  # fmt: skip
    return networks(load(config, [*own, *fixed])).assign(preset=preset, seed=seed)


def table(rows: pd.DataFrame) -> str:
    """The README's table: a cohort a row, then the mean."""
    sources = list(dict.fromkeys(rows["source"]))
    lines = [["cohort", *sources], ["---"] * (len(sources) + 1)]
    for preset, group in rows.groupby("preset", sort=False):
        for seed, own in group.groupby("seed", sort=False):
            cells = [f"{r.auc:.3f} ({r.auc_low:.3f}-{r.auc_high:.3f})" for r in own.itertuples()]
            lines.append([f"{preset}, seed {seed}", *cells])
        if group["seed"].nunique() > 1:
            mean = group.groupby("source", sort=False)["auc"].mean()
            lines.append([f"**{preset}, mean**", *(f"**{mean[source]:.3f}**" for source in sources)])
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
