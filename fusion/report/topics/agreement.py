"""Agreement of readers: on which features second readings of the same cases agree, and so which were kept."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.config.harmonise import Icc
from fusion.features.icc import FILE, KINDS
from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, SHADES, headed
from fusion.report.topic import Topic
from fusion.report.words import number, percent, share

REGIONS = {"tumour": "Tumor", "external2": "External2"}
"""Regions as the models' names have them."""
WHO = {"inter": "two readers", "intra": "one reader twice", "perturbed": "drawn and perturbed outlines"}
DASHES: dict[str, str | tuple[float, tuple[float, ...]]] = {
    "inter": "solid",
    "intra": (0.0, (4.0, 1.6)),
    "perturbed": (0.0, (1.2, 1.2)),
}
ENDS = ("icc", "low", "high")
READ = (
    "An ICC of 1 means that it makes no difference who drew the outline, 0 that it makes all. A feature that depends "
    "on it cannot be relied on elsewhere. No outcome is read here, so one and the same filter serves every fold."
)


def topic(results: Results) -> Topic | None:
    """Shares of features kept by region, class and image type; None where no second reading was asked for."""
    choice, path = results.run.heads.icc, results.folder / FILE
    if choice is None or not path.is_file():
        return None
    readings = pd.read_csv(path)
    table, three = features(readings), by_kind(readings, choice)
    by_class, by_image = _shares(table, "class"), _shares(table, "image")
    note = f"Median over the features, and how many are above {choice.minimum:g}; ICC({choice.kind}) decides."
    blocks: list[Block] = [
        Prose(_says(table, choice), faint=False),
        Prose(f"{READ}{_perturbed(table, choice)} {_counts(table, choice, results)}"),
        Plot("agreement", "Share of features on which readings agree"),
        Rows.of(by_class),
        Folded("By image type", [Rows.of(by_image)]),
        *([] if three.empty else [Folded("By kind of ICC", [Rows.of(three, words=2, note=note)])]),
    ]
    tables = {"icc": _machine(table, choice), "icc_by_class": by_class, "icc_by_image": by_image}
    tables |= {} if three.empty else {"icc_by_kind": three}
    plots = {"agreement": lambda: drawn(table, choice)}
    return Topic(Section("agreement", "Agreement of readers", blocks, "Agreement"), tables, plots)


def features(readings: pd.DataFrame) -> pd.DataFrame:
    """One row a region and feature: image, class, each kind of agreement with interval and cases, and kept.

    Args:
        readings: as features/icc.csv.
    """
    keys = ["region", "feature"]
    table = readings.groupby(keys, sort=False)["passed"].all().rename("kept").reset_index()
    for kind, own in readings.rename(columns={"icc": "estimate"}).groupby("readings"):
        values = own.set_index(keys)[["estimate", "low", "high", "cases", *_every(own)]]
        table = table.merge(values.add_prefix(f"{kind}_").reset_index(), on=keys)
    table[["image", "class"]] = table["feature"].str.split("_", n=2, expand=True)[[0, 1]]
    return table


def by_kind(readings: pd.DataFrame, choice: Icc) -> pd.DataFrame:
    """All three ICCs of every comparison and region, where the run keeps them: the median, and features above the cut.

    Args:
        readings: as features/icc.csv.
        choice: its minimum is the cut.
    """
    if not _every(readings):
        return pd.DataFrame()
    rows = []
    for (kind, region), own in readings.groupby(["readings", "region"], sort=False):
        iccs = {name: own[_column("icc", name)] for name in KINDS}
        cells = {
            f"ICC({name})": f"{number(float(every.median()))}; {share(int((every > choice.minimum).sum()), len(every))}"
            for name, every in iccs.items()
        }
        rows.append({"Readings": WHO[str(kind)], "Region": REGIONS[str(region)], **cells})
    return pd.DataFrame(rows)


def drawn(table: pd.DataFrame, choice: Icc) -> Figure:
    """Features above every ICC, and the share kept by class and by image type."""
    counts = ", ".join(f"{_cases(table, kind)} ({WHO[kind]})" for kind in _kinds(table))
    title = f"Agreement on features, ICC({choice.kind}): n = {counts} cases, whatever their outcome"
    note = f"Left: features whose ICC is above the value below. Dotted: the cut, {choice.minimum:g}. {_rule(choice)}."
    images = table["image"].nunique()
    figure = headed(title, note, WIDTH, max(3.2, 0.9 + 0.2 * images))
    curves, classes, types = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1.25, 1, 1]})
    _curves(curves, table, choice)
    _bars(classes, table, "class")
    _bars(types, table, "image")
    return figure


def _kinds(table: pd.DataFrame) -> list[str]:
    return [kind for kind in WHO if f"{kind}_estimate" in table]


def _column(end: str, kind: str) -> str:
    return f"{end}_{kind.replace(',', '_')}"


def _every(readings: pd.DataFrame) -> list[str]:
    """Columns of all three ICCs, which runs of earlier versions lack."""
    return [name for kind in KINDS for end in ENDS if (name := _column(end, kind)) in readings]


def _cases(table: pd.DataFrame, kind: str) -> int:
    return int(table[f"{kind}_cases"].iloc[0])


def _says(table: pd.DataFrame, choice: Icc) -> str:
    parts = [
        f"{share(int(own['kept'].sum()), len(own))} of {len(own)} {REGIONS[str(region)]} features"
        for region, own in table.groupby("region", sort=False)
    ]
    who = " and of ".join(f"{WHO[kind]} ({_cases(table, kind)} cases)" for kind in _kinds(table))
    return f"Readings of {who} agree on {' and '.join(parts)}; the models read no others. {_rule(choice)}."


def _perturbed(table: pd.DataFrame, choice: Icc) -> str:
    """What to make of masks that nobody drew."""
    if choice.perturb is None or "perturbed" not in _kinds(table):
        return ""
    masks = "one mask a case was" if choice.perturb.readings == 1 else f"{choice.perturb.readings} masks a case were"
    return (
        f" By lot, {masks} perturbed (Zwanenburg 2019): the surface by {choice.perturb.jitter_mm:g} mm, the place by "
        f"{choice.perturb.shift_mm:g} mm and the volume by {100 * choice.perturb.volume:g}%, standard deviations; this "
        "shows how far a feature depends on the outline, not how differently two people draw."
    )


def _rule(choice: Icc) -> str:
    what = "ICC" if choice.bound == "estimate" else "the lower end of the ICC's interval"
    several = choice.readers == "both" or (choice.perturb is not None and choice.readers != "none")
    each = " in each comparison" if several else ""
    return f"Kept where {what} is above {choice.minimum:g}{each}"


def _counts(table: pd.DataFrame, choice: Icc, results: Results) -> str:
    flat = int(table[[f"{kind}_estimate" for kind in _kinds(table)]].isna().any(axis=1).sum())
    from_ = "training cases only" if choice.cases == "training" else "cases of every set, also of the test set"
    sure = int(table[[f"{kind}_low" for kind in _kinds(table)]].gt(choice.minimum).all(axis=1).sum())
    level = percent(results.run.evaluate.confidence)
    return (
        f"ICC({choice.kind}) after Shrout and Fleiss 1979, from {from_}. {flat} features do not vary over the cases "
        "read twice, so they have no ICC and are not kept. With few cases an ICC is uncertain: "
        f"{share(sure, len(table))} of all features have their whole {level} interval above {choice.minimum:g}."
    )


def _shares(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Features kept in each region, by class or image type, in the order of the features."""
    rows = []
    for name, own in table.groupby(by, sort=False):
        regions = {REGIONS[region]: own[own["region"] == region]["kept"] for region in REGIONS}
        rows.append(
            {by.capitalize(): str(name), **{k: share(int(kept.sum()), len(kept)) for k, kept in regions.items()}}
        )
    return pd.DataFrame(rows)


def _machine(table: pd.DataFrame, choice: Icc) -> pd.DataFrame:
    ends = ("estimate", "low", "high", *(_column(end, kind) for kind in KINDS for end in ENDS))
    columns = [name for kind in _kinds(table) for value in ends if (name := f"{kind}_{value}") in table]
    made = table.assign(kind=choice.kind)[["region", "feature", "kind", *columns, "kept"]]
    return made.rename(columns={f"{kind}_estimate": kind for kind in WHO})


def _curves(axis: Axes, table: pd.DataFrame, choice: Icc) -> None:
    kinds = _kinds(table)
    for region, name in REGIONS.items():
        for kind in kinds:
            values = np.sort(table[table["region"] == region][f"{kind}_estimate"].dropna().to_numpy())
            above = 1 - np.arange(len(values) + 1) / (table["region"] == region).sum()
            above -= 1 - len(values) / (table["region"] == region).sum()
            dash = DASHES[kind] if len(kinds) > 1 else "solid"
            axis.step([-1.0, *values], above, where="post", color=SHADES[name][1], linestyle=dash,
                      label=f"{name}, {WHO[kind]}")  # fmt: skip
    axis.axvline(choice.minimum, color=FAINT, linestyle="dotted", linewidth=1.2)
    axis.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="ICC", ylabel="share of features above", title="All features")
    axis.legend(loc="lower left", fontsize=7)


def _bars(axis: Axes, table: pd.DataFrame, by: str) -> None:
    kept = table.groupby([by, "region"], sort=False)["kept"].mean().unstack("region")
    place = np.arange(len(kept))
    for offset, (region, name) in zip((-0.2, 0.2), REGIONS.items(), strict=True):
        axis.barh(place + offset, kept[region], height=0.36, color=SHADES[name][1], label=name)
    axis.set_yticks(place, [str(name) for name in kept.index])
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", labelsize=6.8)
    axis.set(xlim=(0, 1), xlabel="share kept", title=f"By {'class' if by == 'class' else 'image type'}")
