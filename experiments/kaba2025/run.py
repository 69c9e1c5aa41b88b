"""The figures of experiments/kaba2025/README.md, part by part.

    python -m experiments.kaba2025.run figshare runs/kaba2025
    python -m experiments.kaba2025.run bands runs/kaba2025 --seeds 3 --pixels 96 --backbone mobilenetv3_small_100
    python -m experiments.kaba2025.run noise runs/kaba2025 --recipe printed --tasks benign-malignant --sequences T2-w
    python -m experiments.kaba2025.run recipes runs/kaba2025
    python -m experiments.kaba2025.run keep runs/kaba2025

`figshare`: macro AUC and accuracy over folds of neighbouring slices, with and without the ImageNet start, and over
folds drawn slice by slice. `bands`: the phantom's known answer, honest and paper-literal, a cohort a seed. `noise`: the
same on pictures of pure noise. `recipes`: the printed recipe against the modern one on the same folds. Each writes
OUT/PART.csv and OUT/PART.json; `keep` puts the figures of all parts that are there into expected.json and the tables
of README.md. Words after `--override` go to every run's config.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.kaba2025.tables import TABLES, Figures
from fusion.config import load
from fusion.config.run import Run
from fusion.flow.run import run as make
from fusion.store import write_csv, write_json, write_text

HERE = Path(__file__).parent
IMAGENET = "../shared/data/pretrained_mobilenetv3/tf_mobilenetv3_small_100_google_uint8_dequantised.pth"
FIGURES = ("accuracy", "accuracy_low", "accuracy_high", "auc", "auc_low", "auc_high", "sensitivity", "specificity")
PROTOCOLS = {"honest": ("metrics.csv", "train_oof"), "literal": ("metrics_paper_literal.csv", "validation")}
RECIPES: dict[str, list[str]] = {
    "printed": ["network.preset=kaba2025"],
    "modern": ["network={preset: default, input: {kind: picture}}"],
}
"""The optimiser and its schedule; backbone, weights and pixels are the command line's for both."""
BESIDE = ["evaluate.validation=null"]


def main() -> None:
    given = _words().parse_args()
    if given.part == "keep":
        keep(given.out, HERE)
        return
    rows = PARTS[given.part](given)
    write_csv(given.out / f"{given.part}.csv", rows)
    write_json(given.out / f"{given.part}.json", figures(rows))
    print(TABLES[given.part](figures(rows)))


def figshare(given: argparse.Namespace) -> pd.DataFrame:
    """Neighbouring slices kept together, with and without the ImageNet start, then slices at random."""
    folder = given.data
    rows = f"cohort.table={folder / 'cohort.csv'}"
    arms = {
        "neighbouring slices": [f"split.file={folder / 'splits.csv'}"],
        "neighbouring slices, no ImageNet start": [f"split.file={folder / 'splits.csv'}", "network.weights=none"],
        "slices at random (leaks)": [f"split.file={folder / 'splits_random.csv'}", "cohort.patient=case"],
    }
    return pd.concat(
        measured(Path("configs/brain_mri.yaml"), given.out / f"figshare-{number}", arm, 0,
                 [rows, *words, *BESIDE, *given.override])
        for number, (arm, words) in enumerate(arms.items())
    )  # fmt: skip


def bands(given: argparse.Namespace) -> pd.DataFrame:
    """The default phantom by the chosen recipe, a cohort a seed."""
    return _phantoms(given, "default", [given.recipe], literal=True)


def noise(given: argparse.Namespace) -> pd.DataFrame:
    """As ``bands``, on pictures that have nothing to do with anything."""
    return _phantoms(given, "noise", [given.recipe], literal=True)


def recipes(given: argparse.Namespace) -> pd.DataFrame:
    """Both recipes on the same cohorts and folds, honest alone."""
    return _phantoms(given, "default", list(RECIPES), literal=False)


PARTS = {"figshare": figshare, "bands": bands, "noise": noise, "recipes": recipes}


def _phantoms(given: argparse.Namespace, preset: str, arms: Sequence[str], literal: bool) -> pd.DataFrame:
    return pd.concat(
        measured(given.config, given.out / f"{given.part}-{arm}-{seed}", arm, seed,
                 words(given, preset, arm, seed, literal and seed < given.literal_seeds))
        for arm in arms
        for seed in range(given.seeds)
    )  # fmt: skip


def words(given: argparse.Namespace, preset: str, recipe: str, seed: int, literal: bool) -> list[str]:
    """What a phantom's run changes in the config.

    Args:
        given: the command line.
        preset: of the phantom.
        recipe: a key of ``RECIPES``.
        seed: of the cohort, the folds and the networks.
        literal: whether the leaking protocol is run beside.
    """
    folder = f"{given.out}/phantom-{preset}-{given.phantom_pixels}-{seed}"
    # a quoted null is the preset, a bare one is YAML's nothing
    own = [f"cohort.table={folder}/clinical.csv", f"cohort.phantom.preset='{preset}'", f"cohort.phantom.seed={seed}",
           f"cohort.phantom.pixels={given.phantom_pixels}", f"seed={seed}", *RECIPES[recipe],
           f"network.backbone={given.backbone}", f"network.weights={given.weights}",
           f"roi.slice.shape=[{given.pixels}, {given.pixels}]"]  # fmt: skip
    own += [] if literal else ["literal=null"]
    own += [f"network.epochs={given.epochs}"] if given.epochs else []
    own += [f"tasks={given.tasks}"] if given.tasks else []
    own += [f"sequences={given.sequences}"] if given.sequences else []
    return [*own, *BESIDE, *given.override]


def measured(config: Path, out: Path, arm: str, seed: int, words: Sequence[str]) -> pd.DataFrame:
    """One run's figures, a row a protocol and model."""
    run = load(config, [f"output={out}", "bundle=false", *words])
    make(run)
    return pd.concat(judged(run, protocol, arm, seed) for protocol in PROTOCOLS if _has(run, protocol))


def judged(run: Run, protocol: str, arm: str, seed: int) -> pd.DataFrame:
    """The figures of a finished run by one protocol, and how many images and patients stand behind each."""
    file, judge = PROTOCOLS[protocol]
    table = pd.read_csv(run.folder / file).query("set == @judge", local_dict={"judge": judge})
    rows = table[["model", "n", "cases", "patients", *FIGURES]]
    return rows.assign(arm=arm, seed=seed, protocol=protocol)


def _has(run: Run, protocol: str) -> bool:
    return protocol == "honest" or run.literal is not None


def figures(rows: pd.DataFrame) -> Figures:
    """Figures by arm, protocol, model and name, in the order of the seeds."""
    found: dict[str, Any] = {}
    for (arm, protocol, model), own in rows.groupby(["arm", "protocol", "model"], sort=False):
        values = {name: own[name].astype(float).round(4).tolist() for name in ("n", *FIGURES)}
        found.setdefault(str(arm), {}).setdefault(str(protocol), {})[str(model)] = values
    return found


def keep(out: Path, folder: Path) -> None:
    """The parts measured in ``out`` into ``folder``/expected.json, and all its tables into ``folder``/README.md."""
    file, page = folder / "expected.json", folder / "README.md"
    expected = json.loads(file.read_text()) if file.is_file() else {}
    expected |= {part: json.loads(own.read_text()) for part in PARTS if (own := out / f"{part}.json").is_file()}
    write_json(file, expected)
    write_text(page, with_tables(page.read_text(), expected))


def with_tables(page: str, expected: dict[str, Figures]) -> str:
    """A page whose lines between `<!-- PART -->` and `<!-- end of PART -->` are the tables of ``expected``."""
    for part, own in expected.items():
        begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{TABLES[part](own)}\n{end}{after}"
    return page


def _words() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = words.add_subparsers(dest="part", required=True)
    for part in (*PARTS, "keep"):
        own = parts.add_parser(part)
        own.add_argument("out", type=Path)
        own.add_argument("--override", nargs="*", default=[])
        if part == "figshare":
            own.add_argument("--data", type=Path, default=Path("runs/data/brain_mri"))
        elif part != "keep":
            _of_phantoms(own)
    return words


def _of_phantoms(own: argparse.ArgumentParser) -> None:
    own.add_argument("--config", type=Path, default=Path("configs/kaba2025.yaml"))
    own.add_argument("--seeds", type=int, default=3)
    own.add_argument("--literal-seeds", type=int, default=10**6, help="the first so many seeds are paper-literal too")
    own.add_argument("--recipe", choices=RECIPES, default="modern")
    own.add_argument("--backbone", default="mobilenetv3_small_100")
    own.add_argument("--weights", default=IMAGENET, help="a local file, hub or none")
    own.add_argument("--pixels", type=int, default=96, help="rows and columns that the networks see")
    own.add_argument("--phantom-pixels", type=int, default=224, help="rows and columns of a slice")
    own.add_argument("--epochs", type=int, help="default: the recipe's")
    own.add_argument("--tasks", help="names joined by commas; default all")
    own.add_argument("--sequences", help="names joined by commas; default all")


if __name__ == "__main__":
    main()
