"""The command line: what a user types, each verb a few lines."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fusion import config
from fusion.errors import FusionError
from fusion.machine_faults import fault_of

if TYPE_CHECKING:
    from fusion.serve.typed import Typed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Config = Annotated[Path, typer.Argument(help="A YAML config; see configs/.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="section.field=value", metavar="[KEY=VALUE ...]")]
RunFolder = Annotated[Path, typer.Argument(help="The folder of a run.", metavar="DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]


def main() -> None:
    """Run a verb; what a user can mend, in the input or on the machine, ends with its message and exit code 1."""
    try:
        app()
    except FusionError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if (fault := fault_of(error)) is None:
            raise
        print(fault, file=sys.stderr)
        sys.exit(1)


@app.command()
def phantom(
    kind: Annotated[Literal["ct", "mri"], typer.Argument(help="ct or mri")],
    out: Annotated[Path, typer.Argument(help="Folder for the cohort.")],
    cases: Annotated[int | None, typer.Option(help="ct: 357 cases; mri: 117 tumours.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="0 unless told.", show_default=False)] = None,
    preset: Annotated[
        str | None, typer.Option(help="ct: default, strong, null; mri: default, null, noise.", show_default=False)
    ] = None,
    size: Annotated[str | None, typer.Option(help="Of ct: crop (default) or neck.", show_default=False)] = None,
    pixels: Annotated[int | None, typer.Option(help="Of mri: rows of a slice, 224.", show_default=False)] = None,
    jobs: int = 0,
) -> None:
    """Make a synthetic cohort with a known answer."""
    from fusion.config.cohort import MriPhantom, Phantom
    from fusion.config.read import checked
    from fusion.phantom import make

    typed = {"cases": cases, "seed": seed, "preset": preset, "size": size, "pixels": pixels}
    values = {name: value for name, value in typed.items() if value is not None}
    spec: type[Phantom] | type[MriPhantom] = Phantom if kind == "ct" else MriPhantom
    if foreign := [f"--{name}" for name in values if name not in spec.model_fields]:
        own = ", ".join(f"--{name}" for name in typed if name in spec.model_fields)
        raise typer.BadParameter(f"{', '.join(foreign)}: not of {kind}, which has {own}")
    print(make(out / "clinical.csv", checked(spec, {"kind": kind, **values}), jobs))


@app.command()
def check(config_file: Config, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Read the whole cohort and list every fault at once."""
    from fusion.flow.check import check as check_run

    try:
        checked = check_run(config.load(config_file, overrides or []))
    except FusionError as error:
        if not as_json:
            raise
        print(json.dumps({"ok": False, "faults": [{**asdict(f), "message": str(f)} for f in error.faults]}, indent=2))
        raise typer.Exit(1) from error
    print(json.dumps(checked.document(), indent=2) if as_json else checked.words())


@app.command()
def run(config_file: Config, overrides: Overrides = None) -> None:
    """Everything, to a report; resumes where it stopped."""
    from fusion.flow.run import run as run_all

    print(run_all(config.load(config_file, overrides or [])))


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(help="The folder of a run or of a sweep.", metavar="DIR")],
    as_json: AsJson = False,
) -> None:
    """How far a run or a sweep is, wherever it goes on; reads only."""
    from fusion.flow.status import document
    from fusion.flow.status import status as status_of
    from fusion.flow.status_words import text

    found = status_of(folder)
    print(json.dumps(document(found), indent=2) if as_json else text(found))


@app.command()
def regions(config_file: Config, overrides: Overrides = None) -> None:
    """Write External2 masks for editing in ITK-SNAP or 3D Slicer; edited ones are read back."""
    from fusion.flow.run import REGIONS, part

    print(part(config.load(config_file, overrides or []), REGIONS) / "regions")


@app.command()
def extract(config_file: Config, overrides: Overrides = None) -> None:
    """Radiomics tables only."""
    from fusion.flow.run import EXTRACT, part

    print(part(config.load(config_file, overrides or []), EXTRACT) / "features")


@app.command()
def train(config_file: Config, overrides: Overrides = None) -> None:
    """The networks only."""
    from fusion.flow.run import TRAIN, part

    print(part(config.load(config_file, overrides or []), TRAIN) / "features")


@app.command()
def export(
    config_file: Config,
    folder: Annotated[Path, typer.Option("--run", help="The folder of that config's finished run.", metavar="DIR")],
    overrides: Overrides = None,
    source: Annotated[list[str] | None, typer.Option(help="Such as tumour_DL; repeat for more. Default: all.")] = None,
    scale: Annotated[
        list[int] | None, typer.Option(help="Only this scale's columns, 0 the finest; repeat for more.")
    ] = None,
    seen: Annotated[bool, typer.Option("--seen", help="In-sample rows too, in files of their own.")] = False,
    onnx: Annotated[bool, typer.Option(help="The networks as ONNX.")] = True,
    heat_maps: Annotated[
        list[str] | None, typer.Option(metavar="CASE", help="Grad-CAM of a case, and every case's ablation; repeat.")
    ] = None,
) -> None:
    """Deep features and out-of-fold scores as parquet and CSV, networks as ONNX, into DIR/export."""
    from fusion.flow.export import Wanted
    from fusion.flow.export import export as export_run
    from fusion.models.checkpoints import SOURCES

    wanted = Wanted(tuple(dict.fromkeys(source or SOURCES)), tuple(dict.fromkeys(scale or ())), seen, onnx,
                    tuple(dict.fromkeys(heat_maps or ())))  # fmt: skip
    print(export_run(config.load(config_file, overrides or []), folder, wanted))


@app.command()
def sweep(
    config_file: Config,
    words: Annotated[
        list[str],
        typer.Argument(help="section.field=value,value for cells, =value for all.", metavar="KEY=A,B ..."),
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the sweep that is there.")] = False,
    by: Annotated[
        str | None, typer.Option(help="By this model's inner loop a cell is chosen.", metavar="MODEL")
    ] = None,
) -> None:
    """Every combination of values a checked run, every fold a job, one comparison table.

    A list that is one value stands in brackets. A cell is a run folder: `fusion run DIR/cells/c03/run.yaml` adds its
    report, bundle and internal validation.
    """
    from fusion.config.sweep import read
    from fusion.flow.sweep import sweep as sweep_all

    try:
        done = sweep_all(read(config_file, words), resume, by)
    except KeyboardInterrupt:
        print("interrupted; the same command with --resume goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    if done.page is not None:
        print(done.page)
    if done.failures:
        cells = len({own.cell for own in done.failures})
        said = f"{cells} cell{'' if cells == 1 else 's'} failed, as failures.csv says; --resume does what is missing"
        print(said, file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def evaluate(folder: RunFolder, as_json: AsJson = False) -> None:
    """Metrics from the predictions that a run has."""
    import pandas as pd

    from fusion.flow import stages
    from fusion.flow.folder import stored_run

    stages.evaluate(folder, stored_run(folder))
    table = pd.read_csv(folder / "metrics.csv")
    print(table.to_json(orient="records", indent=2) if as_json else folder / "metrics.csv")


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="A finished run, a sweep, or several runs.", metavar="DIR ...")],
    pdf: Annotated[bool, typer.Option(help="The same as PDF, beside the page.")] = False,
    out: Annotated[Path | None, typer.Option(help="The page that compares; default compare.html here.")] = None,
) -> None:
    """Tables, figures and report.html from what a run has; of a sweep comparison.html; of several runs one page."""
    from fusion.flow import stages
    from fusion.flow.folder import stored_run

    if len(folders) > 1:
        print(stages.compare(folders, out or Path("compare.html"), pdf))
        return
    if out is not None:
        raise typer.BadParameter("--out is for several runs; the report of one is in its folder")
    if (folders[0] / "sweep.yaml").is_file():
        from fusion.report.sweep import write

        print(write(folders[0], pdf))
        return
    print(stages.report(folders[0], stored_run(folders[0]), pdf))


@app.command()
def canary(
    config_file: Config,
    overrides: Overrides = None,
    seeds: Annotated[int, typer.Option(min=1, help="Shuffles of the outcome.")] = 5,
    networks: Annotated[bool, typer.Option("--networks", help="Train the networks too, on every shuffle.")] = False,
    as_json: AsJson = False,
) -> None:
    """Does the flow score chance on a shuffled outcome, and would it notice a leak? Exit 1 if not."""
    from fusion.flow import canary as flow

    verdict = flow.canary(config.load(config_file, overrides or []), seeds, networks)
    flow.told(verdict, as_json)
    if not verdict.clean:
        raise typer.Exit(1)


@app.command()
def audit(
    table: Annotated[str, typer.Argument(help="CSV of a results table, or shen2026, kaba2025.", metavar="TABLE")],
    positive: Annotated[int | None, typer.Option(min=1, max=10**6, help="Cases of the positive class.")] = None,
    negative: Annotated[int | None, typer.Option(min=1, max=10**6, help="Cases of the other class.")] = None,
    reference: Annotated[str | None, typer.Option(help="Model that every P compares with.")] = None,
    odds: Annotated[Path | None, typer.Option(help="CSV: variable, or, or_low, or_high; p, model.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="CSV: variable, level, a column a group, p.")] = None,
    counts: Annotated[Path | None, typer.Option(help="CSV: task, class, images, lesions; share.")] = None,
    odds_group: Annotated[str | None, typer.Option(help="Group of --baseline behind --odds.")] = None,
    odds_events: Annotated[int | None, typer.Option(min=1, help="Events in that group.")] = None,
    rounding: Annotated[Literal["nearest", "any"] | None, typer.Option(help="any: also cut off.")] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Most cases to try without class counts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Is this printed results table possible?"""
    from fusion.evaluate import audit as auditing

    if (positive is None) != (negative is None):
        raise typer.BadParameter("--positive and --negative go together")
    options = {"positive": positive, "negative": negative, "reference": reference, "odds": odds, "baseline": baseline,
               "counts": counts, "odds_group": odds_group, "odds_events": odds_events, "rounding": rounding,
               "limit": limit}  # fmt: skip
    try:
        found = auditing.audit(auditing.asked(table, options))
    except FusionError as error:
        if not as_json:
            raise
        print(json.dumps({"faults": [{**asdict(f), "message": str(f)} for f in error.faults]}, indent=2))
        raise typer.Exit(1) from error
    print(json.dumps(auditing.as_json(found), indent=2) if as_json else auditing.as_text(found))


@app.command()
def bundle(
    folder: RunFolder,
    file: Annotated[Path | None, typer.Option("--zip", help="Pack it into this file too.", metavar="FILE")] = None,
) -> None:
    """The deployable model of a finished run, in DIR/bundle; prints its place and the digest that names it."""
    from fusion.flow.bundle import bundle_of
    from fusion.serve.bundle import pack

    own = bundle_of(folder)
    if file is not None:
        pack(own, file)
    print(file or own.contents.where)
    print(f"sha256 {own.digest}")


@app.command()
def predict(
    bundle: Annotated[Path, typer.Argument(help="A bundle's folder or .zip, or the folder of a run that has one.")],
    image: Annotated[list[str] | None, typer.Option(help="Path; of slices SEQUENCE=path, repeat.")] = None,
    mask: Annotated[list[str] | None, typer.Option(help="Of the tumour; of slices SEQUENCE=path, repeat.")] = None,
    external2: Annotated[Path | None, typer.Option(help="A ring drawn by hand; default the automatic one.")] = None,
    clinical: Annotated[list[str] | None, typer.Option(help="Such as age=61; repeat.", metavar="NAME=VALUE")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Whose answer; the first is the headline.")] = None,
    task: Annotated[str | None, typer.Option(help="Of a bundle of slices: this one alone.")] = None,
    case: Annotated[str | None, typer.Option(help="Names the case in the answer; `case` unless told.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for ring, heat maps, pictures.", metavar="DIR")] = None,
    sheet: Annotated[list[str] | None, typer.Option(help="A page to print, in --out: html, pdf; repeat.")] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="External2 as SEG and the answer as SR, in --out.")] = False,
    heat_map: Annotated[bool, typer.Option(help="Where the networks look, and each region's share.")] = True,
    cohort: Annotated[Path | None, typer.Option(help="Many cases: a table as the run's.", metavar="TABLE")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes for --cohort; 0 for one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, which is what comes anyway.")] = False,
) -> None:
    """Answer one case with a run's bundle, or every case of a table; JSON on stdout."""
    from fusion.serve.typed import Typed

    if out is None and (sheet or dicom or cohort):
        raise typer.BadParameter("--sheet, --dicom and --cohort leave files; say where with --out DIR")
    if unknown := [name for name in sheet or () if name not in ("html", "pdf")]:
        raise typer.BadParameter(f"--sheet {', '.join(unknown)}: html or pdf")
    typed = Typed(case or "case", image or (), mask or (), external2, clinical or (), model or (), task, heat_map)
    if cohort is None:
        _predict_one(bundle, typed, out, sheet or [], dicom)
        return
    alone = {"--image": image, "--mask": mask, "--external2": external2, "--clinical": clinical, "--case": case}
    if given := [name for name, value in alone.items() if value is not None]:
        raise typer.BadParameter(f"{', '.join(given)}: for one case; with --cohort they stand in the table")
    assert out is not None
    _predict_many(bundle, typed, cohort, out, sheet or [], dicom, jobs)


def _predict_one(bundle: Path, typed: "Typed", out: Path | None, sheet: list[str], dicom: bool) -> None:
    from fusion.serve import bundle as bundles
    from fusion.serve.asked import Outputs
    from fusion.serve.deliver import deliver
    from fusion.serve.predict import Predictor
    from fusion.serve.typed import asked

    own = bundles.read(bundle)
    question = asked(typed, own)
    predictor = Predictor.of(own)
    if out is None:
        answer = predictor.answer(question).answer
    else:
        answer = deliver(predictor, question, Outputs(out, "html" in sheet, "pdf" in sheet, dicom))
    print(answer.model_dump_json(indent=2))


def _predict_many(
    bundle: Path, typed: "Typed", table: Path, out: Path, sheet: list[str], dicom: bool, jobs: int
) -> None:  # fmt: skip
    from fusion.serve import bundle as bundles
    from fusion.serve.cohort_predict import Wanted, predict_cohort
    from fusion.serve.typed import models

    named = models(typed, bundles.read(bundle))
    wanted = Wanted(named, typed.task, typed.explain, "html" in sheet, "pdf" in sheet, dicom)
    done = predict_cohort(bundle, table, out, wanted, jobs)
    faults = [{**asdict(fault), "message": str(fault)} for fault in done.faults]
    print(json.dumps({"predictions": str(done.predictions), "answered": done.answered, "faults": faults}, indent=2))
    if done.faults:
        raise FusionError(done.faults)


@app.command()
def serve(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles, or runs that have one.", metavar="BUNDLE ...")],
    host: Annotated[str, typer.Option(help="Any but this computer's own needs --user.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    user: Annotated[str | None, typer.Option(help="Login; its password from FUSION_PASSWORD, or asked for.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM, for https.", metavar="FILE")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM, of --certificate.", metavar="FILE")] = None,
    limit_mb: Annotated[int, typer.Option(min=1, help="Largest upload, and largest request.")] = 1024,
    seconds: Annotated[float, typer.Option(min=1, help="Longest time for a case.")] = 120.0,
    memory_gb: Annotated[float, typer.Option(min=0.5, help="Largest memory of a case.")] = 6.0,
    waiting: Annotated[int, typer.Option(min=1, help="Requests that may wait.")] = 64,
) -> None:
    """The web page and API of one or more bundles, until Ctrl-C; nothing leaves this machine."""
    from fusion.serve import start

    place = start.Place(host, port, certificate, key)
    start.serve(bundles, place, user, start.Sizes(limit_mb, seconds, memory_gb, waiting))


@app.command("config")
def config_command(schema: Annotated[bool, typer.Option("--schema", help="JSON schema of a run.")] = False) -> None:
    """The JSON schema of a run; editors complete from it."""
    if not schema:
        raise typer.BadParameter("say --schema")
    print(config.schema())


if __name__ == "__main__":
    main()
