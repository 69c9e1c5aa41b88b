"""How the numbers of a task run were made, and where the paper did otherwise."""

from fusion.config.network import Network, Steps
from fusion.config.split import file_of
from fusion.report.blocks import Block, Heading, Listing, Section, Terms
from fusion.report.origin import by_column
from fusion.report.recipe import recipe
from fusion.report.reliability import reliability
from fusion.report.tasks.call import rule
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import classes, listed
from fusion.report.topic import Topic
from fusion.report.words import percent

PAPER = (
    "The paper has no test set: its validation images were watched every 10 iterations, and the printed figures are "
    "theirs.",
    "It judged rotated images: 50 malignant ones in benign-malignant, of 19 malignant tumours in all, and 57 to 58 "
    "Warthin ones of 45, so copies of one tumour count as several (or lie in training too).",
    "Its positive class in benign-malignant is benign: its sensitivity is the benign recall, its specificity the "
    "malignant one. In PA-Warthin it is PA, in Warthin-malignant malignant.",
    "It prints no interval, no AUC and no count of patients, and did not group 117 tumours by their 113 patients.",
    "ImageNet's classifier of 1000 classes seems to have been kept; here the network ends in the task's classes.",
    "It drops the partial batch, so that 448 images make 3 steps an epoch, 90 in all.",
)
"""Kaba 2025, doi:10.58600/eurjther2612."""


def topic(results: TaskResults) -> Topic:
    """The recipe as run, and the paper's differences where the run follows or repeats it."""
    run = results.run
    paper = run.literal is not None or (run.network is not None and run.network.preset == "kaba2025")
    otherwise: list[Block] = [Heading("Where Kaba 2025 did otherwise"), Listing(PAPER)] if paper else []
    blocks: list[Block] = [Terms(terms(results)), *otherwise]
    return Topic(Section("method", "How the numbers were made", blocks, "Method"))


def terms(results: TaskResults) -> list[tuple[str, str]]:
    """Terms and what they mean in this run."""
    run = results.run
    network = [("Networks", _network(run.network)), ("Training", _training(run.network))] if run.network else []
    radiomics = [("Radiomics", f"2-D features inside the mask of every sequence; {recipe(run.heads)}; all inside the "
                               "fold"), *reliability(run.heads)] if run.masked else []  # fmt: skip
    return [
        ("Classes", "; ".join(f"{name} ({classes(task)})" for name, task in results.tasks.items())),
        ("Slices", _slices(results)),
        *network,
        *radiomics,
        ("Split", _split(results)),
        ("Call", rule(results)),
        ("Intervals", f"{percent(run.evaluate.confidence)} percentile intervals over {run.evaluate.bootstrap} "
                      "bootstrap samples of patients, all tumours of one together, stratified by a patient's first "
                      "class"),
        ("Several classes", "sensitivity, specificity, precision and F1 are means over the classes (F1 the mean of "
                            "each class's F1), AUC the mean of one against the rest"),
        ("Calibration", _calibration(results)),
        ("Seed", str(run.seed)),
    ]  # fmt: skip


def _slices(results: TaskResults) -> str:
    run = results.run
    shape = " x ".join(str(side) for side in run.roi.slice.shape)
    crop = run.roi.slice.crop
    cut = f"a square of {crop:g} times the tumour's longest side" if crop and run.masked else "the whole slice"
    missing = "a tumour without a sequence is left out of that sequence's models"
    several = [name for name, own in run.views.items() if len(own) > 1]
    fused = f"; in {listed(several)} its branch is left out of the sum" if several else ""
    return f"one slice a sequence ({listed(run.used_sequences)}), {cut}, {shape} pixels; {missing}{fused}"


def _network(network: Network) -> str:
    start = {"hub": "ImageNet weights", "none": "random weights"}.get(network.weights, "weights from a local file")
    seeds = f", {network.seeds} seeds a fold" if network.seeds > 1 else ""
    preset = "Kaba 2025's" if network.preset == "kaba2025" else "this program's default"
    return (
        f"{network.backbone} from {start}, a branch a sequence, joined by {network.fuse.kind}{seeds}; preset {preset}"
    )


def _training(network: Network) -> str:
    momentum = f", momentum {network.optimiser.momentum:g}" if network.optimiser.kind == "sgd" else ""
    schedule = network.schedule
    course = (
        f"times {schedule.factor:g} after every {schedule.every} epochs" if isinstance(schedule, Steps) else "cosine"
    )
    rates = f"{network.lr_head:g}" if network.lr_head == network.lr_backbone else (
        f"{network.lr_head:g} (head) and {network.lr_backbone:g} (backbone)")  # fmt: skip
    changed = {True: "rotation, flips, scale, shift, grey values", False: "none", "rotation": "rotation alone"}
    frozen = f", {network.warmup_epochs} of them with a frozen backbone" if network.warmup_epochs else ""
    return (
        f"{network.optimiser.kind.upper() if momentum else 'AdamW'}{momentum}, weight decay {network.weight_decay:g}; "
        f"learning rate {rates}, {course}; {network.epochs} epochs{frozen} in batches of {network.batch}; augmentation "
        f"of the training part only: {changed[network.augment]}"
    )


def _split(results: TaskResults) -> str:
    split, folds = results.run.split, int(results.cohort["fold"].max()) + 1
    if file_of(split):
        return f"by patient; sets and {folds} folds read from a file"
    held = {"test": "a test set", "external": "an external set"}
    others = [name for set_, name in held.items() if (results.cohort["set"] == set_).any()]
    return (
        f"{folds} folds inside the training set, by patient, the same for all tasks; "
        + (f"{listed(others)} judged once" if others else "no test set")
        + (f"; {by}" if (by := by_column(split, results.cohort)) else "")
    )


def _calibration(results: TaskResults) -> str:
    kind = results.run.heads.calibration
    fitted = "fitted on out-of-fold scores, a fold's by the other folds"
    return {"none": "the networks' probabilities as they are", "temperature": f"one temperature a network {fitted}",
            "platt": f"one factor and an offset a class {fitted}"}[kind]  # fmt: skip
