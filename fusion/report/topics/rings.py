"""The rings that count: automatic, edited by hand or given with the cohort, and how far hands changed them."""

import pandas as pd

from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import number, share

FILE = "regions/rings.csv"
HOW = {"automatic": "automatic", "edited": "edited by hand", "given": "given with the cohort"}
MOST = 60
"""Rings on the page; the file has all."""


def topic(results: Results) -> Topic | None:
    """Rings by how they came about, and the changed ones by their overlap; None where the run does not tell."""
    path = results.folder / FILE
    if not path.is_file():
        return None
    rings = pd.read_csv(path, dtype={"case": str, "ring": str})
    rings = rings[rings["case"].isin(results.cohort["case"])]
    changed = shown(rings)
    blocks: list[Block] = [Prose(_says(rings), faint=False)]
    if len(changed):
        more = f" The {MOST} with the least overlap are shown." if len(changed) > MOST else ""
        note = f"Which cases they are, the run folder tells: {FILE}.{more}"
        title = f"The {len(changed)} rings that are not the automatic one, least overlap first"
        blocks.append(Folded(title, [Rows.of(changed.head(MOST), note=note)]))
    return Topic(Section("rings", "Refined rings", blocks, "Rings"), {"rings": changed})


def shown(rings: pd.DataFrame) -> pd.DataFrame:
    """A row a ring that is not the automatic one, without its case: how it came about, Dice, voxels before and after.

    Args:
        rings: as regions/rings.csv.
    """
    own = rings[rings["ring"] != "automatic"].sort_values("dice", kind="stable")
    change = 100 * (own["voxels"] / own["automatic_voxels"] - 1)
    return pd.DataFrame(
        {"Ring": own["ring"].replace(HOW), "Dice": own["dice"].map(number),
         "Voxels": own["voxels"].astype(str), "Automatic": own["automatic_voxels"].astype(str),
         "Change": change.map(lambda percent: f"{percent:+.0f}%").replace({"+0%": "0%", "-0%": "0%"})}
    )  # fmt: skip


def _says(rings: pd.DataFrame) -> str:
    counts = {words: int((rings["ring"] == how).sum()) for how, words in HOW.items()}
    parts = [f"{share(count, len(rings))} {words}" for words, count in counts.items() if count]
    told = [f"External2 rings, {len(rings)} in all: {', '.join(parts)}."]
    for how in ("edited", "given"):
        dice = rings.loc[rings["ring"] == how, "dice"]
        if len(dice):
            low, middle, high = (number(float(value)) for value in (dice.min(), dice.median(), dice.max()))
            told.append(
                f"Rings {HOW[how]} overlap with the automatic one by a median Dice of {middle} ({low} to {high})."
            )
    return " ".join(told)
