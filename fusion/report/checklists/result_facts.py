"""What the run's record shows of the results: sets judged, measures, intervals, tests, and what was compared."""

from fusion.evaluate import predictions, threshold
from fusion.evaluate.rates import rates
from fusion.report.checklists.data_facts import positive_of, term
from fusion.report.checklists.item import Answer, done, not_applicable, not_done
from fusion.report.checklists.model_facts import end_to_end
from fusion.report.results import Results
from fusion.report.topics.nomogram import shown_model
from fusion.report.words import SETS, interval, number, p_value, percent

MEASURES = (
    "AUC, accuracy, sensitivity, specificity, PPV, NPV, F1, Brier score, calibration slope and intercept, net benefit"
)
VALIDATIONS = {
    "optimism": "bootstrap optimism", "learning_curve": "learning curve", "permutation": "permutation test",
}  # fmt: skip


def testing(results: Results) -> Answer:
    """Whether a test set, an external set or both were judged."""
    found = [name for name in ("test", "external") if name in results.sets]
    if not found:
        return not_done("neither a test set nor an external set; out-of-fold predictions only", "metrics.csv")
    return done("; ".join(f"{SETS[name]} of {positive_of(results, name)}" for name in found), "metrics.csv")


def internal(results: Results) -> Answer:
    """A test set of the same source."""
    if "test" not in results.sets:
        return not_done("no test set; out-of-fold predictions of the training set only", "metrics.csv")
    return done(f"test set of {positive_of(results, 'test')}; nothing was fitted on it", "metrics.csv, splits.csv")


def judged_inside(results: Results) -> Answer:
    """Judged on data of the same source: out-of-fold, and in the test set where there is one."""
    also = f"; test set of {positive_of(results, 'test')}" if "test" in results.sets else "; no test set"
    text = f"training set out-of-fold, {positive_of(results, 'train')}{also}"
    return done(text, "metrics.csv, splits.csv")


def external(results: Results) -> Answer:
    """A set that the cohort table calls external."""
    if "external" not in results.sets:
        return not_done("no external set", "metrics.csv")
    text = f"external set of {positive_of(results, 'external')}, as the cohort table names it"
    return done(text, "metrics.csv, splits.csv")


def analysed(results: Results) -> Answer:
    """Cases and events in each analysis."""
    sets = [name for name in ("train", "test", "external") if (results.cohort["set"] == name).any()]
    text = "; ".join(f"{SETS[name]} {positive_of(results, name)}" for name in sets)
    return done(text, "splits.csv, metrics.csv")


def measures(results: Results) -> Answer:
    """What the models are judged by."""
    return done(f"{MEASURES}; ROC curves and confusion matrices", "metrics.csv, tables/table1.csv")


def classification_measures(results: Results) -> Answer:
    """Measures and confusion matrices; of trained networks also their loss curves, which the run does not draw."""
    if end_to_end(results):
        text = "loss curves of the networks are not drawn; measures and confusion matrices are reported"
        return not_done(text, "metrics.csv, figures/confusion_*.svg")
    return measures(results)


def uncertainty(results: Results) -> Answer:
    """Intervals and how they were made."""
    return done(term(results, "Intervals"), "metrics.csv, tables/table1.csv")


def tests(results: Results) -> Answer:
    """How models are compared, with correction, and the threshold's rule."""
    text = f"{term(results, 'P values')}; threshold: {threshold.describe(results.run.evaluate.threshold)}"
    if len(results.models) < 2:
        return not_applicable("one model only, nothing to compare", "metrics.csv")
    return done(text, "metrics.csv, run.yaml (evaluate)")


def calibrated(results: Results) -> Answer:
    """Calibration of the reference model."""
    set_, model = results.sets[0], results.reference
    slope, intercept = (number(_of(results, set_, name), 2) for name in ("calibration_slope", "calibration_intercept"))
    text = f"{model}, {SETS[set_]}: slope {slope}, intercept {intercept}; curves of every model"
    return done(text, "metrics.csv, figures/calibration_*.svg")


def against_clinical(results: Results) -> Answer:
    """The reference against the Clinical model."""
    if "Clinical" not in results.models or results.reference == "Clinical":
        return not_done("no Clinical model to compare imaging with", "metrics.csv")
    set_, rows = results.sets[0], results.rows(results.sets[0])
    areas = [number(float(rows["auc"][model])) for model in (results.reference, "Clinical")]
    p, corrected = (float(rows[name]["Clinical"]) for name in ("delong_p", "delong_p_holm"))
    tested = "no P, as the difference has no variance" if p != p else f"P {p_value(p)}, {p_value(corrected)} by Holm"
    text = f"{results.reference} against Clinical, {SETS[set_]}: AUC {areas[0]} and {areas[1]}, DeLong {tested}"
    return done(f"{text}; decision curves", "metrics.csv, figures/decision_*.svg")


def single_image(results: Results) -> Answer:
    """One image a case."""
    return done(f"one image a case (column {results.run.cohort.image})", "run.yaml (cohort.image)")


def explained(results: Results) -> Answer:
    """What can be looked at to see why."""
    parts = ["features kept with their coefficients"] if len(results.selection) else []
    parts += [f"nomogram of {shown_model(results)}"] if shown_model(results) else []
    maps = list((results.folder / "heat_maps").glob("*.csv")) if (results.folder / "heat_maps").is_dir() else []
    parts += ["heat maps of the networks"] if maps else []
    if not parts:
        return not_done("no coefficients, nomogram or heat maps", "selection.csv")
    lack = "; no heat maps of the networks" if end_to_end(results) and not maps else ""
    return done(f"{', '.join(parts)}{lack}", "selection.csv, tables/features.csv")


def kept_features(results: Results) -> Answer:
    """Which features were kept, and by how many folds."""
    if not any(model.endswith("_RAD") and len(results.final(model)) for model in results.models):
        return not_done("no radiomics model kept a feature", "selection.csv")
    return done(
        "features kept, their coefficients, and how many folds chose each", "selection.csv, tables/features.csv"
    )


def performance(results: Results) -> Answer:
    """The reference model's AUC in every set; the rest is in the table."""
    model, level = results.reference, percent(results.run.evaluate.confidence)
    parts = []
    for set_ in results.sets:
        area, low, high = (_of(results, set_, name) for name in ("auc", "auc_low", "auc_high"))
        parts.append(f"{SETS[set_]} {number(area)} ({level} CI {interval(low, high)})")
    return done(f"AUC of {model}: {'; '.join(parts)}; all models in Table 1", "tables/table1.csv, metrics.csv")


def diagnostic(results: Results) -> Answer:
    """Sensitivity and specificity of the reference model at its threshold, each with its interval."""
    set_, model, confidence = results.sets[0], results.reference, results.run.evaluate.confidence
    found = rates(_counts(results, set_), confidence)
    words = [
        f"{name} {number(own.value)} ({percent(confidence)} CI {interval(own.low, own.high)})"
        for name, own in found.items() if name in ("sensitivity", "specificity")
    ]  # fmt: skip
    cut = number(_of(results, set_, "threshold"))
    text = f"{model}, {SETS[set_]}, threshold {cut}: {', '.join(words)}"
    return done(text, "tables/table1.csv, tables/thresholds.csv")


def failures(results: Results) -> Answer:
    """Wrong calls of the reference model, counted."""
    set_, model = results.sets[0], results.reference
    counts = _counts(results, set_)
    n = int(_of(results, set_, "n"))
    text = f"{model}, {SETS[set_]}: of {n} cases missed {counts.fn}, false alarms {counts.fp}"
    return done(text, "tables/wrong_calls.csv, predictions.csv")


def robustness(results: Results) -> Answer:
    """Refits on other patients and other outcomes, where the run did them."""
    files = {name: results.folder / f"validation/{name}.csv" for name in VALIDATIONS}
    found = [VALIDATIONS[name] for name, path in files.items() if path.is_file()]
    if not found:
        return not_done("no optimism, learning curve or permutation test (evaluate.validation)", "run.yaml (evaluate)")
    return done(", ".join(found), "validation/*.csv")


def network_robustness(results: Results) -> Answer:
    """Whether networks were tried on repeated scans, other outlines or changed images."""
    if not end_to_end(results):
        return not_applicable("no network gives a probability itself", "run.yaml (network, heads.stacking)")
    return not_done("the networks were not tried on second outlines, repeated scans or changed images", "run.yaml")


def updating(results: Results) -> Answer:
    """Nothing is changed after it was judged."""
    return not_applicable("no model was changed after it was judged", "predictions.csv, calibration.csv")


def fairness(results: Results) -> Answer:
    """Groups of people."""
    return not_done("no measure is given by group of people", "metrics.csv")


def _counts(results: Results, set_: str) -> threshold.Confusion:
    own = predictions.of(results.predictions, results.reference, set_)
    cut = _of(results, set_, "threshold")
    return threshold.confusion(own["probability"].to_numpy(), own["event"].to_numpy(), cut)


def _of(results: Results, set_: str, name: str) -> float:
    """A measure of the reference model."""
    return float(results.rows(set_)[name][results.reference])
