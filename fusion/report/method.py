"""How the numbers were made, in words, from the resolved run."""

from fusion.config.odds import ByP
from fusion.config.split import file_of
from fusion.evaluate import threshold
from fusion.features.radiomics.preset import columns
from fusion.heads.combine import INNER
from fusion.report.origin import origin
from fusion.report.recipe import recipe
from fusion.report.reliability import reliability
from fusion.report.results import Results
from fusion.report.words import minus, percent


def method(results: Results) -> list[tuple[str, str]]:
    """Terms and what they mean in this run, in the order of the data's way."""
    run = results.run
    return [
        ("Positive class", f"{run.cohort.positive_name}; the other class is {run.cohort.negative_name}"),
        ("Regions", _regions(results)),
        ("Radiomics", _radiomics(results)),
        *reliability(run.heads),
        ("Radiomics score", _score(results)),
        ("Networks", _networks(results)),
        ("Stacking", _stacking(results)),
        ("Fused models", _fused(results)),
        ("Split", _split(results)),
        *_clinical(results),
        ("Threshold", f"{threshold.describe(run.evaluate.threshold)}; a case at or above it counts as "
                      f"{run.cohort.positive_name}, in every set"),
        ("Intervals", f"{percent(run.evaluate.confidence)} percentile interval of the AUC over "
                      f"{run.evaluate.bootstrap} stratified bootstrap samples"),
        ("P values", f"DeLong's paired test against {results.reference} over the same cases, with Holm's correction "
                     "over the comparisons in a set"),
        ("Calibration", f"{_calibration(results)}slope and intercept by logistic recalibration; Brier score"),
        ("Decision curve", "net benefit after Vickers and Elkin 2006"),
        ("Validation", _validation(results)),
        ("Seed", str(run.seed)),
    ]  # fmt: skip


def _regions(results: Results) -> str:
    ring = results.run.roi.external2
    grid = "within each slice" if ring.grid == "in_plane" else "in three dimensions"
    shape = "without the tumour" if ring.shape == "shell" else "with the tumour"
    kept = f", grey values {_span(ring.hu_range)} HU kept" if ring.hu_range else ""
    return f"tumour as drawn; External2, {ring.thickness_mm:g} mm around it {grid}, {shape}{kept}, or as drawn by hand"


def _radiomics(results: Results) -> str:
    radiomics = results.run.radiomics
    types = len(radiomics.images)
    spacing = f"{_by(radiomics.spacing_mm)} mm voxels" if radiomics.spacing_mm else "native voxels"
    whole = ", z-scored image" if radiomics.normalise else ""
    bins = f"{radiomics.bin_count} bins" if radiomics.bin_count else f"bin width {radiomics.bin_width:g}"
    made = f"{len(columns(radiomics))} features a region ({types} image types), {spacing}, {bins}{whole}"
    return f"{made}; engine {radiomics.engine}, mode {radiomics.mode}, crop rule {radiomics.crop}"


def _score(results: Results) -> str:
    return f"{recipe(results.run.heads)}; all inside the fold"


def _networks(results: Results) -> str:
    network, patch = results.run.network, results.run.roi.patch
    if network is None:
        return "none"
    start = {"hub": "ImageNet weights", "none": "random weights"}.get(network.weights, "weights from a local file")
    several = f", {network.seeds} seeds a fold" if network.seeds > 1 else ""
    return (
        f"{network.backbone} from {start}, twin branches fused by {network.fuse.kind}; {_by(patch.shape)} voxels of "
        f"{_by(patch.spacing_mm)} mm (z, y, x), grey values {_span(patch.window)}; {network.epochs} epochs{several}"
    )


def _stacking(results: Results) -> str:
    heads = results.run.heads
    if results.run.network is None:
        return "no networks to stack"
    own = "a network's score of a training case comes from the networks that never saw it (mean over seeds)"
    read = "read by a head fitted inside the fold, as the radiomics score is"
    return f"{heads.stacking}: " + {
        "oof_score": f"{own}, of any other case from all networks (mean log-odds over folds and seeds)",
        "frozen_backbone": f"vectors of the untrained ImageNet pyramid, {read}; nothing in the networks is trained",
        "nested_vector": "vectors of a network trained on two thirds of a training part, " + read + " on the last "
                         "third, which the network never saw; mean log-odds over seeds",
        "paper_literal": f"{own}; the paper's plain reading runs beside it, and only the optimism table comes from it",
    }[heads.stacking]  # fmt: skip


def _calibration(results: Results) -> str:
    heads = results.run.heads
    if results.run.network is None or heads.stacking in ("frozen_backbone", "nested_vector"):
        return ""
    fitted = "fitted on out-of-fold log-odds, a fold's by the other folds"
    return {
        "none": "the networks' probabilities as they are; ",
        "temperature": f"the networks' own models by one temperature {fitted}; ",
        "platt": f"the networks' own models by Platt's factor and offset {fitted}; ",
    }[heads.calibration]


def _fused(results: Results) -> str:
    made = "logistic regression on out-of-fold scores of the training cases, fitted inside the fold"
    if not (results.folder / INNER).is_file():
        return made
    return (
        f"{made}; where it judges a fold it learned from scores by heads that saw neither that fold nor the case's own"
    )


def _split(results: Results) -> str:
    folds = int(results.cohort["fold"].max()) + 1
    if file_of(results.run.split):
        return f"by patient; sets and {folds} folds inside the training set read from a file"
    drawn = f"{folds} folds inside the training set, by patient, stratified by outcome, seed {results.run.seed}"
    once = "" if set(results.cohort["set"]) == {"train"} else ", judged once"
    return f"{drawn}; {origin(results)}{once}"


def _clinical(results: Results) -> list[tuple[str, str]]:
    """How the cohort's variables are compared and weighed; none where there are none."""
    odds = results.run.evaluate.odds
    if not results.run.cohort.clinical:
        return []
    variables = odds.variables
    chosen = {"all": "all variables", "named": "variables named beforehand"}.get(variables.kind)
    if isinstance(variables, ByP):
        chosen = f"variables with a univariable P below {variables.below:g}"
    fit = {
        "separation": "maximum likelihood, Firth's penalised one where it has no finite estimate",
        "always": "Firth's penalised likelihood", "never": "maximum likelihood",
    }[odds.firth]  # fmt: skip
    return [
        ("Cohort table", "Student's or Welch's t, Mann-Whitney's U; Pearson's chi-square, Fisher's or Freeman-Halton's "
                         "exact test; standardised mean difference"),
        ("Odds ratios", f"logistic regression, training set, by {fit}; multivariable: {chosen}"),
    ]  # fmt: skip


def _validation(results: Results) -> str:
    asked = results.run.evaluate.validation
    if asked is None:
        return "none beyond the folds (evaluate.validation: null)"
    parts = [f"optimism by {asked.bootstrap} bootstrap resamples of patients (Harrell 1996; Efron & Tibshirani 1997)"]
    parts = parts if asked.bootstrap else []
    parts += ["learning curve"] if asked.learning_curve else []
    parts += [f"permutation test with {asked.permutations} relabellings"] if asked.permutations else []
    return "; ".join([*parts, "the training set alone; heads fitted anew, trained networks not"]) if parts else "none"


def _by(values: tuple[float | int, ...]) -> str:
    return " × ".join(f"{value:g}" for value in values)


def _span(ends: tuple[float | int, float | int]) -> str:
    return minus(f"{ends[0]:g} to {ends[1]:g}")
