"""Does the ImageNet start help? Out-of-fold AUC of tumour, ring and both on all 233 nodules, with it and without.

    python -m experiments.lidc.networks runs/lidc_networks

Five folds by patient over the whole cohort (no test set), the recipe of configs/lidc.yaml. `imagenet` and `random`
differ in `network.weights` alone. Runs are resumed. Writes OUT/networks.csv, prints the table of the README and ends
with one line of JSON.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from experiments.out_of_fold import networks
from fusion.config import load
from fusion.store import write_csv

ARMS = {
    "imagenet": [],
    "random": ["network.weights=none"],
}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--config", type=Path, default=Path("configs/lidc.yaml"))
    words.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    words.add_argument("--override", nargs="*", default=[])
    given = words.parse_args()
    rows = pd.concat([measured(given.config, given.out, arm, given.override) for arm in given.arms])
    write_csv(given.out / "networks.csv", rows)
    print(table(rows))
    print(json.dumps({arm: own.set_index("source")["auc"].round(4).to_dict() for arm, own in rows.groupby("arm")}))


def measured(config: Path, out: Path, arm: str, overrides: list[str]) -> pd.DataFrame:
    run = load(config, ["split.test_fraction=0", f"output={out / arm}", *overrides, *ARMS[arm]])
    return networks(run).assign(arm=arm)


def table(rows: pd.DataFrame) -> str:
    """The README's table: an arm a row, a source a column."""
    cells = rows.assign(cell=[f"{r.auc:.3f} ({r.auc_low:.3f}-{r.auc_high:.3f})" for r in rows.itertuples()])
    wide = cells.pivot(index="arm", columns="source", values="cell")
    wide = wide.loc[list(dict.fromkeys(rows["arm"])), list(dict.fromkeys(rows["source"]))]
    lines = [["start", *wide.columns], ["---"] * (len(wide.columns) + 1)]
    lines += [[str(arm), *row] for arm, row in zip(wide.index, wide.to_numpy(), strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
