"""What the run's record shows of cases and images: the split, missing values, regions, features, readings, scanners."""

import pandas as pd

from fusion.config.cohort import Category
from fusion.config.split import file_of
from fusion.data.cohort import level_word
from fusion.features.icc import FILE as ICC_FILE
from fusion.features.radiomics.preset import columns
from fusion.report import way
from fusion.report.checklists.item import FOR_AUTHORS, Answer, done, not_done
from fusion.report.method import method
from fusion.report.origin import origin
from fusion.report.results import Results
from fusion.report.words import SETS


def term(results: Results, name: str) -> str:
    """What the method section says under ``name``."""
    return dict(method(results))[name]


def positive_of(results: Results, set_: str) -> str:
    """Cases and events of a set: 108 cases, 27 malignant."""
    own = results.cohort[results.cohort["set"] == set_]
    return f"{len(own)} cases, {int(own['event'].sum())} {results.run.cohort.positive_name}"


def source(results: Results) -> Answer:
    """Where the data come from: known to the run only where it made them itself."""
    phantom = results.run.cohort.phantom
    if phantom is None:
        return FOR_AUTHORS
    return done(f"synthetic, a digital phantom of {phantom.cases} cases, no patients", "run.yaml (cohort.phantom)")


def split(results: Results) -> Answer:
    """How cases were parted, with counts."""
    run, folds = results.run, _folds(results)
    if file_of(run.split) is not None:
        how = f"sets and {folds} folds inside the training set read from a file"
    else:
        drawn = f"by patient, stratified by outcome, seed {run.seed}"
        how = f"{folds} folds inside the training set {drawn}; {origin(results)}"
    return done(f"{_sets(results)}; {how}", "splits.csv, run.yaml (split)")


def kept_apart(results: Results) -> Answer:
    """A data partition with a test set that nothing was fitted on."""
    if not {"test", "external"} & set(results.cohort["set"]):
        found = f"no set was kept apart; {_folds(results)} folds by patient inside the training set only"
        return not_done(found, "splits.csv")
    return split(results)


def level(results: Results) -> Answer:
    """Patients that are in two sets or two folds, counted."""
    apart = results.cohort.groupby("patient")[["set", "fold"]].nunique().max(axis=1)
    shared, patients = int((apart > 1).sum()), len(apart)
    if shared:
        return not_done(f"{shared} of {patients} patients are in more than one set or fold", "splits.csv")
    return done(f"by patient; none of {patients} patients is in two sets or folds", "splits.csv")


def flow(results: Results) -> Answer:
    """Cases, patients and events from the cohort table on, and who left on the way."""
    rows = results.cohort
    before = way.says(way.read(results.folder, results.run.cohort, len(rows)))
    cases = f"{len(rows)} cases of {rows['patient'].nunique()} patients: {_sets(results)}"
    text = f"{before}{cases}" if before else f"from the cohort table on, {cases}"
    return done(text, "tables/flow.csv, figures/flow_chart.svg")


def characteristics(results: Results) -> Answer:
    """A table of the clinical variables by set and outcome."""
    names = list(results.run.cohort.clinical)
    if not names:
        return not_done("the cohort describes no clinical variable", "run.yaml (cohort.clinical)")
    return done(f"{len(names)} clinical variables by set and outcome", "tables/cohort.csv")


def sets_compared(results: Results) -> Answer:
    """Training against other sets: variables side by side."""
    others = [name for name in ("test", "external") if (results.cohort["set"] == name).any()]
    if not others:
        return not_done("there is no other set to compare the training set with", "splits.csv")
    if not results.run.cohort.clinical:
        return not_done("the cohort describes no clinical variable to compare", "run.yaml (cohort.clinical)")
    names = " and ".join(SETS[name] for name in others)
    return done(f"clinical variables and outcome of the training set beside the {names}", "tables/cohort.csv")


def missing(results: Results) -> Answer:
    """Empty clinical cells, counted."""
    names = list(results.run.cohort.clinical)
    if not names:
        return done("no clinical variable is read; every case has image, mask and outcome", "cohort.csv")
    empty = int((results.cohort[names].astype(str).isin(["", "nan"])).any(axis=1).sum())
    if empty:
        return not_done(f"{empty} of {len(results.cohort)} cases lack a clinical value", "cohort.csv")
    return done(f"none of {len(results.cohort)} cases lacks a clinical value, image, mask or outcome", "cohort.csv")


def imbalance(results: Results) -> Answer:
    """Events by set, and what is done about their share."""
    network = results.run.network
    weighed = network is not None and network.balanced
    how = (
        "the networks' loss weighs the positive class up, and their log-odds are shifted back"
        if weighed
        else "no case is weighed, doubled or left out"
    )
    return done(f"{_sets(results)}; {how}", "splits.csv, run.yaml")


def subsets(results: Results) -> Answer:
    """Which part of the data is read."""
    return done(f"every case of the cohort table is in a set; regions: {term(results, 'Regions')}", "splits.csv")


def predictors(results: Results) -> Answer:
    """Clinical predictors with their levels."""
    run = results.run
    if not run.predictors:
        return not_done("no clinical predictor enters a model", "run.yaml (heads.clinical)")
    words = []
    for name in run.predictors:
        kind = run.cohort.clinical[name]
        levels = ", ".join(map(level_word, kind.values)) if isinstance(kind, Category) else "number"
        words.append(f"{name} ({levels})")
    return done(f"{'; '.join(words)}; the first level is the reference", "run.yaml (cohort.clinical)")


def candidates(results: Results) -> Answer:
    """What could have entered a model, and who chose."""
    count = len(columns(results.run.radiomics))
    clinical = ", ".join(results.run.predictors) or "none"
    text = f"{count} radiomics features a region, selected inside the fold; clinical predictors set beforehand: "
    return done(f"{text}{clinical}", "run.yaml, selection.csv")


def preparation(results: Results) -> Answer:
    """Regions, resampling, grey values."""
    parts = [term(results, "Regions"), term(results, "Radiomics")]
    parts += [f"networks: {term(results, 'Networks')}"] if results.run.network is not None else []
    return done("; ".join(parts), "run.yaml (roi, radiomics)")


def resampling(results: Results) -> Answer:
    """Voxel size and interpolation."""
    own = results.run.radiomics
    if own.spacing_mm is None:
        return done("none; features are measured on the native grid", "run.yaml (radiomics.spacing_mm)")
    size = " × ".join(f"{edge:g}" for edge in own.spacing_mm)
    text = f"voxels of {size} mm (z, y, x), grey values by {own.interpolator}, masks by nearest neighbour"
    return done(text, "run.yaml (radiomics.spacing_mm, radiomics.interpolator)")


def discretisation(results: Results) -> Answer:
    """Bins of grey values."""
    own = results.run.radiomics
    text = f"{own.bin_count} bins" if own.bin_count else f"bin width {own.bin_width:g}"
    return done(text, "run.yaml (radiomics.bin_width, radiomics.bin_count)")


def image_types(results: Results) -> Answer:
    """Filtered images."""
    own = results.run.radiomics.images
    return done(f"{len(own)}: {', '.join(own)}", "run.yaml (radiomics.images)")


def extraction(results: Results) -> Answer:
    """The engine with its version, and whose definitions it follows."""
    own, packages = results.run.radiomics, results.environment["packages"]
    version = results.environment["fusion"] if own.engine == "fusion" else packages["pyradiomics"]
    rules = {"exact": "definitions of PyRadiomics 3.0.1", "ibsi": "definitions of IBSI"}[own.mode]
    return done(f"engine {own.engine} {version}, {rules}", "run.yaml (radiomics.engine), environment.json")


def classes(results: Results) -> Answer:
    """Feature classes with their counts."""
    names = pd.Series(columns(results.run.radiomics)).str.rsplit("_", n=2).str[1]
    words = [f"{name} {count}" for name, count in names.value_counts(sort=False).items()]
    return done(", ".join(words), "run.yaml (radiomics.classes)")


def feature_count(results: Results) -> Answer:
    """Radiomics features a region."""
    count = len(columns(results.run.radiomics))
    return done(f"{count} a region, {2 * count} for tumour and External2 together", "features/radiomics_*.parquet")


def settings(results: Results) -> Answer:
    """Every setting is written down, defaults too."""
    return done("every setting with its value, defaults too, is in the resolved run", "run.yaml")


def readings(results: Results) -> Answer:
    """Agreement of second readings on the features, and what it left out."""
    choice = results.run.heads.icc
    if choice is None or not (results.folder / ICC_FILE).is_file():
        return not_done("no second reading was compared (heads.icc: null)", "run.yaml (heads.icc)")
    found = pd.read_csv(results.folder / ICC_FILE)
    passed = found.groupby(["region", "feature"])["passed"].all()
    counts = ", ".join(f"{kind} {cases} cases" for kind, cases in found.groupby("readings")["cases"].first().items())
    text = f"ICC({choice.kind}) above {choice.minimum:g} kept {int(passed.sum())} of {len(passed)} features ({counts})"
    return done(text, ICC_FILE)


def scanners(results: Results) -> Answer:
    """Performance by scanner."""
    if _scanners(results) < 2:
        return not_done("the cohort does not tell two scanners apart, and no other cluster", "cohort.csv")
    return done(f"AUC by scanner, {_scanners(results)} scanners", "tables/scanners_auc.csv")


def confounders(results: Results) -> Answer:
    """Scanners as a confounder of the features."""
    if _scanners(results) < 2:
        return not_done("no confounder is known to the run: no scanners to tell apart", "cohort.csv")
    how = (
        "features aligned by ComBat, fitted inside the fold"
        if results.run.heads.harmonise is not None
        else "features not aligned (heads.harmonise: null)"
    )
    return done(f"cases and AUC of {_scanners(results)} scanners are shown; {how}", "tables/scanners.csv, run.yaml")


def _scanners(results: Results) -> int:
    if "scanner" not in results.cohort:
        return 0
    named = results.cohort["scanner"].astype(str)
    return int(named[named != ""].nunique())


def _folds(results: Results) -> int:
    return int(results.cohort["fold"].max()) + 1


def _sets(results: Results) -> str:
    names = [name for name in ("train", "test", "external") if (results.cohort["set"] == name).any()]
    return "; ".join(f"{SETS[name]} {positive_of(results, name)}" for name in names)
