"""A leak planted on purpose: heads fitted on what a network says of its own training cases, beside the honest stacking.

    python experiments/leakage/run.py runs/leakage --seeds 0 1 2 3 4 --weights hub

Every seed is a phantom cohort, a split and a training of its own, run once with heads.stacking=paper_literal, which
makes the honest models too, from the same networks. One test set is noisy (standard error of an AUC about .07 with 15
events), so the table holds means over cohorts. Writes OUT/leakage.csv (a row a cohort and model) and OUT/leakage.md,
and ends with one line of JSON: the means. What is finished is not run again;
`fusion report OUT/cohort-0` draws a report.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fusion.config import Run, parse
from fusion.flow import stages
from fusion.flow.run import EVERYTHING, part
from fusion.report import optimism
from fusion.report.words import number
from fusion.store import write_csv, write_text

COLUMNS = {
    "literal_train": "plain reading, train AUC", "literal": "plain reading, test AUC", "honest": "oof_score, test AUC",
}  # fmt: skip


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one cohort each")
    words.add_argument("--cases", type=int, default=200)
    words.add_argument("--test-fraction", type=float, default=0.3)
    words.add_argument("--preset", choices=("default", "strong", "null"), default="default")
    words.add_argument("--backbone", default="mobilenetv3_small_100")
    words.add_argument("--weights", default="hub", help="hub, none, or a file with timm's key names")
    words.add_argument("--epochs", type=int, default=60)
    words.add_argument("--networks", type=int, default=1, help="networks a fold")
    words.add_argument("--jobs", type=int, default=0)
    words.add_argument("--override", nargs="*", default=[], help="section.field=value of the run")
    given = words.parse_args()
    rows = pd.concat([measured(configured(given, seed), seed) for seed in given.seeds], ignore_index=True)
    write_csv(given.out / "leakage.csv", rows)
    text = markdown(rows)
    write_text(given.out / "leakage.md", text)
    print(text)
    print(json.dumps(rows.groupby("model", sort=False)[list(COLUMNS)].mean().round(6).to_dict("index")))


def configured(given: argparse.Namespace, seed: int) -> Run:
    """The run of one cohort."""
    out, random = given.out, given.weights == "none"
    phantom = {"cases": given.cases, "seed": seed, "preset": given.preset}
    network = {"backbone": given.backbone, "weights": given.weights, "epochs": given.epochs, "seeds": given.networks}
    if random:  # nothing to protect from the new head
        network |= {"warmup_epochs": 0, "lr_backbone": 3e-4}
    values = {
        "name": f"leakage-{seed}", "output": str(out / f"cohort-{seed}"), "cache": str(out / "cache"), "seed": seed,
        "jobs": given.jobs,
        "cohort": {
            "table": str(out / f"phantom-{given.preset}-{given.cases}-{seed}/clinical.csv"), "phantom": phantom,
            "clinical": {
                "symptom": {"kind": "category", "values": ["no", "yes"]},
                "margin": {"kind": "category", "values": ["clear", "unclear"]},
                "nodes": {"kind": "category", "values": ["no", "yes"]},
            },
        },
        "split": {"test_fraction": given.test_fraction},
        "network": network,
        "heads": {"stacking": "paper_literal", "lasso_folds": 5},
    }  # fmt: skip
    return parse(json.dumps(values), given.override)


def measured(own: Run, seed: int) -> pd.DataFrame:
    """tables/optimism.csv of one cohort, with its seed."""
    folder = part(own, EVERYTHING)
    stages.evaluate(folder, own)
    optimism.write(folder, own)
    return pd.read_csv(folder / optimism.TABLE).assign(seed=seed)


def markdown(rows: pd.DataFrame) -> str:
    """The means over cohorts, then each cohort's three AUCs."""
    means, cohorts = rows.groupby("model", sort=False), rows["seed"].nunique()
    lines = ["| model | " + " | ".join(COLUMNS.values()) + " | honest minus plain, test | honest is higher in |",
             "| --- " * (len(COLUMNS) + 3) + "|"]  # fmt: skip
    for model, own in means:
        gap = own["honest"] - own["literal"]
        error = f" ± {_plain(float(gap.std() / cohorts**0.5))}" if cohorts > 1 else ""
        cells = [*(_plain(own[name].mean()) for name in COLUMNS), f"{_plain(gap.mean())}{error}",
                 f"{int((gap > 0).sum())} of {cohorts}"]  # fmt: skip
        lines.append(_row([str(model), *cells]))
    lines += ["", f"Means over {cohorts} cohorts, ± standard error. Each cohort (train / test / honest test):", ""]
    seeds = rows["seed"].unique().tolist()
    lines += [_row(["model", *(f"seed {seed}" for seed in seeds)]), "| --- " * (len(seeds) + 1) + "|"]
    for model, own in means:
        by_seed = own.set_index("seed")
        lines.append(_row([str(model), *(" / ".join(_plain(by_seed[n][s]) for n in COLUMNS) for s in seeds)]))
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    """Three decimals without the leading zero.

    >>> _plain(0.8123), _plain(-0.05)
    ('.812', '-.050')
    """
    return number(value).replace("0.", ".", 1) if abs(value) < 1 else number(value)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
