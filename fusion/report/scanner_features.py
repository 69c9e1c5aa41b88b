"""How far radiomics features depend on the scanner, as measured and after ComBat fitted on other cases."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from fusion.config.harmonise import Combat
from fusion.errors import HeadError
from fusion.evaluate.scanners import discovered, kruskal_wallis
from fusion.heads.harmonise import harmonised
from fusion.heads.parts import FINAL, folds, parts
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, INK, headed
from fusion.report.words import share

REGIONS = ("tumour", "external2")
LEAST = 5
"""Cases of one class that a scanner needs to be compared."""
RATE = 0.05
"""False discovery rate at which a feature counts as different."""
FAR = 3.0
"""Standard deviations at which values are cut before principal components, so that no single case sets them."""
COLOURS = ("#17529b", "#cc6c0c", "#158f7f", "#a0559b", "#8a6d1d", "#b0413e", "#5c6670")
READ = (
    "Left and middle: each point is a case; clusters by colour mean that the scanner shows in the features. Only one "
    "class is compared, so that one that saw more tumours of a kind is not taken for one that sees differently. "
    "After: each training case is aligned by ComBat (Johnson 2007) fitted on the training cases of the other folds."
)
Values = Float[ndarray, "case feature"]


@dataclass(frozen=True)
class Compared:
    """Cases of one class in the training set, their features before and after, and the P values adjusted."""

    features: list[str]
    scanner: np.ndarray
    event: int
    before: Values
    after: Values
    p_before: np.ndarray
    p_after: np.ndarray


def compared(results: Results, cohort: pd.DataFrame) -> Compared | str | None:
    """Features of the larger class's training cases by scanner; a reason where they cannot be compared.

    None where the run folder holds no radiomics.

    Args:
        results: the run.
        cohort: its cases with a known scanner.
    """
    paths = {region: results.folder / f"features/radiomics_{region}.parquet" for region in REGIONS}
    if not all(path.is_file() for path in paths.values()):
        return None
    train = cohort[cohort["set"] == "train"].reset_index(drop=True)
    event = int(train["event"].mean() > 0.5)
    of_class = train[train["event"] == event]["scanner"].value_counts()
    enough = of_class[of_class >= LEAST].index
    if len(enough) < 2:
        return f"Features are not compared: fewer than two scanners have {LEAST} training cases of one class."
    train = train[train["scanner"].isin(enough)].reset_index(drop=True)
    table = pd.concat([pd.read_parquet(path).add_prefix(f"{region}:") for region, path in paths.items()], axis=1)
    table = table.loc[train["case"]]
    try:
        aligned = _out_of_fold(table, train, results.run.heads.harmonise or Combat())
    except HeadError as error:
        return f"Features are not compared, as ComBat cannot be fitted: {error}."
    own = (train["event"] == event).to_numpy()
    scanner, before, after = train["scanner"].to_numpy(str)[own], table.to_numpy()[own], aligned[own]
    p_before, p_after = (discovered(kruskal_wallis(values, scanner)) for values in (before, after))
    return Compared(list(table.columns), scanner, event, before, after, p_before, p_after)


def says(found: Compared, results: Results) -> str:
    """How many features differ before and after, and which of the two the models read."""
    before, after = (_different(p, np.ones(len(p), bool)) for p in (found.p_before, found.p_after))
    scanners = len(np.unique(found.scanner))
    name = (results.run.cohort.negative_name, results.run.cohort.positive_name)[found.event]
    on = results.run.heads.harmonise is not None
    read = "aligned by ComBat inside the fold" if on else "as measured (heads.harmonise is off)"
    return (
        f"Among {len(found.scanner)} {name} training cases on {scanners} scanners {before} features "
        f"differ as measured and {after} after ComBat (Kruskal-Wallis, false discovery rate {100 * RATE:.0f}% after "
        f"Benjamini and Hochberg). {_newly(found, results)}The models of this run read features {read}."
    )


def _newly(found: Compared, results: Results) -> str:
    """What ComBat costs where outcomes are mixed unevenly: it reads none, so it cannot tell them from the scanner."""
    count = int(((found.p_after < RATE) & ~(found.p_before < RATE)).sum())
    if not count:
        return ""
    name = results.run.cohort.positive_name
    return (
        f"Of the latter {count} did not differ before: ComBat reads no outcome, so of a scanner that saw more {name} "
        "cases it can take part of that for the scanner's own. "
    )


def shares(found: Compared) -> pd.DataFrame:
    """Features that differ by region and class, before and after, of those that vary."""
    rows = []
    for region in REGIONS:
        kinds = np.array([_kind(name) if name.startswith(f"{region}:") else "" for name in found.features])
        for kind in dict.fromkeys(kinds[kinds != ""]):
            own = kinds == kind
            rows.append({"Region": region, "Class": str(kind), "As measured": _different(found.p_before, own),
                         "After ComBat": _different(found.p_after, own)})  # fmt: skip
    return pd.DataFrame(rows)


def drawn(found: Compared, results: Results) -> Figure:
    """First two principal components by scanner, before and after, and the share of features that differ by class."""
    names = (results.run.cohort.negative_name, results.run.cohort.positive_name)
    title = (
        f"Features by scanner, training set, {names[found.event]} cases only: n = {len(found.scanner)} "
        f"({len(found.scanner) * found.event} {names[1]}, the positive class)"
    )
    rate = f"Right: Kruskal-Wallis, false discovery rate {100 * RATE:.0f}%."
    note = f"Components of both regions' standardised features, cut at {FAR:g} SD. {rate}"
    figure = headed(title, note, WIDTH, 3.7)
    before, after, classes = figure.subplots(1, 3)
    _components(before, found.before, found.scanner, "As measured")
    _components(after, found.after, found.scanner, "After ComBat, out of fold")
    before.legend(loc="upper left", bbox_to_anchor=(-0.05, -0.14), fontsize=7, handlelength=1)
    _bars(classes, found)
    return figure


def _out_of_fold(table: pd.DataFrame, train: pd.DataFrame, choice: Combat) -> Values:
    choice = choice.model_copy(update={"unseen": "as_is"})
    aligned = table.to_numpy(copy=True)
    for fold in folds(train):
        if fold != FINAL:
            fit, apart = parts(train, fold)
            aligned[apart] = harmonised(table, train, fit, choice).to_numpy()[apart]
    return aligned


def _different(p: np.ndarray, own: np.ndarray) -> str:
    tested = own & ~np.isnan(p)
    count = int((p[tested] < RATE).sum())
    return f"{share(count, int(tested.sum()))} of {int(tested.sum())}"


def _kind(feature: str) -> str:
    return feature.split("_")[1]


def _components(axis: Axes, values: Values, scanner: np.ndarray, title: str) -> None:
    spread = values.std(axis=0)
    varies = spread > 1e-10 * np.abs(values).max(axis=0)
    standard = np.clip((values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies], -FAR, FAR)
    standard -= standard.mean(axis=0)
    left, size, right = np.linalg.svd(standard, full_matrices=False)
    points = left[:, :2] * size[:2] * np.sign(right[:2].sum(axis=1))
    for number, name in enumerate(np.unique(scanner)):
        own = scanner == name
        axis.plot(*points[own].T, "o", color=COLOURS[number % len(COLOURS)], markersize=3.4, alpha=0.8, label=str(name))
    explained = 100 * size[:2] ** 2 / (size**2).sum()
    axis.set(xlabel=f"component 1 ({explained[0]:.0f}% of the variance)", ylabel=f"component 2 ({explained[1]:.0f}%)",
             title=title)  # fmt: skip


def _bars(axis: Axes, found: Compared) -> None:
    kinds = np.array([_kind(name) for name in found.features])
    names = list(dict.fromkeys(kinds))
    for offset, p, colour, label in ((-0.2, found.p_before, INK, "as measured"),
                                     (0.2, found.p_after, "#9db7cf", "after ComBat")):  # fmt: skip
        tested = [p[(kinds == name) & ~np.isnan(p)] for name in names]
        values = [(own < RATE).mean() if len(own) else 0.0 for own in tested]
        axis.barh(np.arange(len(names)) + offset, values, height=0.36, color=colour, label=label)
    axis.set_yticks(np.arange(len(names)), names)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    axis.axvline(0, color=FAINT, linewidth=0.8)
    axis.set(xlim=(0, None), xlabel="share of features that differ", title="By class")
    axis.legend(loc="upper left", bbox_to_anchor=(-0.05, -0.14), fontsize=7)
