"""The bundle of a finished run: its final heads, its networks, what its training cases were like, its card."""

from pathlib import Path

from fusion import store
from fusion.config.run import Run
from fusion.errors import BundleError, Fault
from fusion.flow.bundle_heads import judgements, questions, read_as
from fusion.flow.bundle_ranges import ranges
from fusion.flow.folder import noted, opened, stored_run, told
from fusion.flow.rounds import refuse_rounds
from fusion.progress import one_blas_thread
from fusion.report.page import read as read_results
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.serve import bundle as bundles
from fusion.serve.bundle import FOLDER, Bundle
from fusion.serve.card_of_run import card
from fusion.serve.parts import Deployed


def write_bundle(folder: Path, run: Run) -> Bundle | None:
    """bundle/ of the finished run in ``folder``; one that is there and belongs to the run's predictions stays.

    Returns:
        The bundle; None, with a line printed and logged, for a run that none can be made of.

    Raises:
        RunError: the run is not finished, or a head does not tell again what the run predicted.
        BundleError: bundle/ is there and damaged.
    """
    if why := cannot(run):
        noted(folder, "bundle", f"left out: {why}")
        print(f"no bundle: {why}")
        return None
    from fusion.flow import bundle_networks  # here, as torch takes 650 MB, and other verbs do without

    results, target = read_results(folder, run), folder / FOLDER
    if target.is_dir():
        return _same(target, results)
    with told(folder, "bundle"), store.scratch(folder / "networks") as part:
        with one_blas_thread():  # small matrices: threads cost more than they give, and heads were fitted with one
            asked = questions(results)
            judged = judgements(results, asked)
        heads = tuple(own.question for own in asked)
        networks = bundle_networks.write(part, results)
        deployed = Deployed(questions=heads, networks=networks, judgements=judged)
        files = {path: part / path for own in networks for path in (own.onnx, own.weights)}
        return bundles.write(target, deployed, ranges(results, heads), card(results, deployed), run, files)


def bundle_of(folder: Path) -> Bundle:
    """The bundle of the finished run in ``folder``, written if it is not there.

    Raises:
        BundleError: a run that none can be made of, or a bundle that is damaged.
        RunError: no finished run, or another process at work in it.
    """
    run = stored_run(folder)
    refuse_rounds(run, "one model to bundle", "bundle a run with split.kind=holdout, or the folder of a round")
    with opened(run):
        found = write_bundle(folder, run)
    if found is None:
        raise BundleError(
            Fault(cannot(run), "a run whose models judge a case by itself", "run with another choice", file=str(folder))
        )
    return found


def cannot(run: Run) -> str:
    """Why no bundle can be made of a run; empty where one can."""
    if run.network is not None and run.heads.stacking in ("frozen_backbone", "nested_vector"):
        return f"heads.stacking={run.heads.stacking} leaves no networks that could score a new case"
    if run.heads.harmonise is not None:
        return "heads.harmonise aligns the scanners of the cohort, and a new case's scanner is none of them"
    return ""


def _same(target: Path, results: Results | TaskResults) -> Bundle:
    """The bundle that is there, if it is that of the run's predictions."""
    found, run = bundles.read(target), results.run
    now = read_as(results, found.deployed.questions)
    then = {model: own.model_copy(update={"draws": ()}) for model, own in found.deployed.judgements.items()}
    if found.run != bundles.portable(run) or then != now:
        remedy = f"delete {target} and run again"
        raise BundleError(Fault("the bundle of other predictions", "those of this run", remedy, file=str(target)))
    return found
