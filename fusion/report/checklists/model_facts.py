"""What the run's record shows of the models: how features are scaled and kept, what is fitted, with which software."""

from fusion.report.checklists.data_facts import term
from fusion.report.checklists.item import Answer, done, not_applicable, not_done
from fusion.report.findings import EVENTS_PER_PREDICTOR
from fusion.report.results import Results
from fusion.report.topics.nomogram import shown_model
from fusion.report.words import number

TRAINED = ("oof_score", "paper_literal")
"""Stacking modes in which a network's own score is a model."""


def end_to_end(results: Results) -> bool:
    """Whether a trained network gives a probability itself."""
    return results.run.network is not None and results.run.heads.stacking in TRAINED


def scaling(results: Results) -> Answer:
    """Standardisation, and alignment of scanners."""
    ways = {own.scale for own in results.run.heads.recipes}
    words = {"zscore": "z-scores", "quantile_normal": "ranks put on the normal curve"}
    combat = results.run.heads.harmonise is not None
    text = f"radiomics features as {' and '.join(words[own] for own in sorted(ways))}, scores and clinical predictors "
    text += f"as z-scores, all fitted inside the fold{'; ComBat by scanner first' if combat else ''}"
    return done(text, "run.yaml (heads)")


def reduction(results: Results) -> Answer:
    """From all features to those kept."""
    counts = [len(results.final(model)) for model in results.models if model.endswith("_RAD")]
    kept = f"; kept in the end: {', '.join(map(str, counts))} by radiomics model" if counts else ""
    return done(f"{term(results, 'Radiomics score')}{kept}", "selection.csv, run.yaml (heads)")


def redundancy(results: Results) -> Answer:
    """Removal of redundant features."""
    recipes = results.run.heads.recipes
    every = [own.correlation is None and own.selector.kind == "all" for own in recipes]
    if any(every):
        whose = "" if len(every) == 1 else f" in {sum(every)} of {len(every)} recipes"
        return not_done(f"neither a correlation filter nor a selector is set{whose}", "run.yaml (heads)")
    return reduction(results)


def dimensionality(results: Results) -> Answer:
    """Events per predictor in the final models."""
    train = results.cohort[results.cohort["set"] == "train"]["event"]
    smaller = int(min(train.sum(), len(train) - train.sum()))
    counts = {model: len(results.final(model)) for model in results.models if len(results.final(model))}
    if not counts:
        return not_done("no final model's predictors are recorded", "selection.csv")
    worst = max(counts, key=lambda model: counts[model])
    text = (
        f"{smaller} training cases of the smaller class over {counts[worst]} predictors of {worst}, the largest model"
    )
    ratio = smaller / counts[worst]
    found = f"{number(ratio, 1 if ratio >= 0.1 else 3)} events per predictor ({text})"
    if ratio < EVENTS_PER_PREDICTOR:
        return not_done(f"{found}, fewer than {EVENTS_PER_PREDICTOR}", "selection.csv, splits.csv")
    return done(found, "selection.csv, splits.csv")


def algorithm(results: Results) -> Answer:
    """The models and what each is."""
    networks = f"; networks: {term(results, 'Networks')}" if results.run.network is not None else ""
    text = f"radiomics score: {term(results, 'Radiomics score')}; fused models: {term(results, 'Fused models')}"
    return done(f"{text}{networks}", "run.yaml (heads, network)")


def handling(results: Results) -> Answer:
    """How predictors enter: linear, categories against a reference."""
    text = "numbers and scores linear and standardised, categories as levels against the first; nothing is cut into "
    return done(f"{text}groups; radiomics: {term(results, 'Radiomics score')}", "run.yaml (heads, cohort.clinical)")


def building(results: Results) -> Answer:
    """Model type, steps and internal validation."""
    return done(f"{algorithm(results).text.removeprefix('Yes: ')}; {_validated(results)}", "run.yaml, predictions.csv")


def training(results: Results) -> Answer:
    """Optimisation, augmentation, what was tuned."""
    network = results.run.network
    if network is None:
        return done(f"no networks; {_tuned(results)}", "run.yaml (heads)")
    text = (
        f"learning rates {network.lr_backbone:g} (backbone) and {network.lr_head:g} (rest), weight decay "
        f"{network.weight_decay:g}, batches of {network.batch}, {network.epochs} epochs without early stopping, "
        f"backbone frozen for {network.warmup_epochs}; augmentation {'on' if network.augment else 'off'}; "
        f"{_tuned(results)}"
    )
    return done(text, "run.yaml (network, heads)")


def initialisation(results: Results) -> Answer:
    """Where networks start from."""
    network = results.run.network
    if network is None:
        return not_applicable("no networks (network: null)", "run.yaml (network)")
    start = {"hub": "ImageNet weights of the model hub", "none": "random weights"}
    return done(f"{network.backbone}, {start.get(network.weights, 'weights of a local file')}", "run.yaml (network)")


def final_model(results: Results) -> Answer:
    """How the final model was chosen: not by its result."""
    text = f"none is chosen by its result: all {len(results.models)} models are reported, compared with "
    return done(f"{text}{results.reference}; {_tuned(results)}", "run.yaml, metrics.csv")


def ensemble(results: Results) -> Answer:
    """Whose answers are averaged."""
    members = len(results.run.heads.recipes)
    parts = [f"radiomics score: mean log-odds of {members} recipes"] if members > 1 else []
    parts += [f"networks: {term(results, 'Stacking')}"] if results.run.network is not None else []
    if not parts:
        return not_applicable("one regression a model; nothing is averaged", "run.yaml (heads, network)")
    return done("; ".join(parts), "run.yaml (heads, network)")


def software(results: Results) -> Answer:
    """Versions, and the commit of the source where it is known."""
    seen = results.environment
    words = [f"Python {seen['python']}", *(f"{name} {version}" for name, version in seen["packages"].items())]
    commit = f"; git commit {seen['git_commit'][:12]}" if seen.get("git_commit") else ""
    return done(f"{', '.join(words)}{commit}; seed {results.run.seed}", "environment.json")


def predicted(results: Results) -> Answer:
    """How the probabilities that are judged were calculated."""
    text = "training cases by models that did not see their fold, all others by models of the whole training set"
    return done(text, "predictions.csv")


def output(results: Results) -> Answer:
    """A probability, and the rule that makes it a call."""
    return done(f"a probability of {results.run.cohort.positive_name}; threshold: {term(results, 'Threshold')}",
                "predictions.csv, metrics.csv")  # fmt: skip


def specification(results: Results) -> Answer:
    """The whole model as numbers."""
    model = shown_model(results)
    if model is None:
        return not_done("no model of the run is written out as an equation", "selection.csv")
    text = f"intercept and coefficients of {model} on its predictors' own scales"
    if model == "Combined" and not (results.folder / "bundle").is_dir():
        lack = f"{text} are given, but not those of the scores that it reads"
        return not_done(lack, "tables/nomogram_equation.csv, selection.csv")
    return done(text, "tables/nomogram_equation.csv")


def _tuned(results: Results) -> str:
    inner = any(own.selector.kind in ("lasso", "elastic_net") for own in results.run.heads.recipes)
    if not inner:
        return "no setting was tuned on the data"
    return f"tuned on the data: the selector's penalty alone, by {results.run.heads.lasso_folds} inner folds"


def _validated(results: Results) -> str:
    folds = int(results.cohort["fold"].max()) + 1
    more = " and bootstrap optimism" if (results.folder / "validation/optimism.csv").is_file() else ""
    return f"internal validation by {folds}-fold cross-validation{more}"
