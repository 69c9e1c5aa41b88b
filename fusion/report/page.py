"""report.html: one page in one file, which asks nothing of any network."""

import re
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.report import figures, findings, optimism, tables
from fusion.report.method import method
from fusion.report.results import Results, read
from fusion.report.words import SETS, interval, number, percent
from fusion.store import write_text

PX_PER_PT = 100 / 72
"""An inch of figure on the page is 100 px."""
ANSWERS = {
    "roc": "Further towards the upper left is better; the diagonal is chance.",
    "calibration": "On the grey line, about 30 of 100 cases given 30% are events. Slope 1 and intercept 0 are ideal; a "
    "slope below 1 means too extreme probabilities, an intercept above 0 too low ones.",
    "decision": "A model is worth using at the thresholds where its line is above both treat all and treat none.",
    "confusion": "What each model would have called, at a threshold found in training predictions alone.",
}


@dataclass(frozen=True)
class Drawing:
    """An SVG element for the page, and how wide it should be at most."""

    svg: Markup
    width_px: int


def write(folder: Path, run: Run) -> Path:
    """report.html of a finished run whose figures are drawn; returns its path.

    Raises:
        RunError: the run is not finished, or a figure is missing.
    """
    results = read(folder, run)
    drawings = {name: drawing(folder / f"figures/{name}.svg") for name in figures.plan(results)}
    template = files("fusion.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    content = {**_content(results, drawings), "optimism": _optimism(folder), "optimism_set": results.sets[0],
               "level": percent(run.evaluate.confidence)}  # fmt: skip
    text = environment.from_string(template).render(content)
    write_text(folder / "report.html", text)
    return folder / "report.html"


def drawing(path: Path) -> Drawing:
    """An SVG file as an inline element: no prolog, no metadata, no fixed size, ids that are its own on the page.

    Raises:
        RunError: there is no such file.
    """
    if not path.is_file():
        raise RunError(Fault("no such figure", "the run's figures", "run `fusion report DIR`", file=str(path)))
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{path.stem}-', text)
    text = re.sub(r'(href="|url\()#', rf"\g<1>#{path.stem}-", text)
    width_pt = float(re.findall(r' width="([\d.]+)pt"', text)[0])
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    return Drawing(Markup(text.rstrip()), round(width_pt * PX_PER_PT))


def _content(results: Results, drawings: dict[str, Drawing]) -> dict[str, object]:
    cohort = results.run.cohort
    return {
        "name": results.run.name,
        "date": datetime.fromisoformat(results.environment["started"]).strftime("%-d %B %Y"),
        "positive": cohort.positive_name, "negative": cohort.negative_name,
        "banners": findings.banners(results),
        "sentences": findings.sentences(results),
        "cautions": findings.cautions(results),
        "tiles": _tiles(results),
        "flow": _flow(results),
        "cohort": _parts(_once(tables.cohort(results))),
        "table1": _by_set(tables.table1(results)),
        "reference": results.reference, "set_names": SETS,
        "answers": ANSWERS,
        "figures": {kind: {set_: drawings[f"{kind}_{set_}"] for set_ in results.sets} for kind in ANSWERS},
        "features": drawings.get("selected_features"),
        "coefficients": _parts(tables.features(results)),
        "method": method(results),
        "environment": _environment(results),
    }  # fmt: skip


def _tiles(results: Results) -> dict[str, object]:
    """The reference model in the chief set, in five numbers."""
    set_, model = results.sets[0], results.reference
    row = {name: float(results.rows(set_)[name][model]) for name in results.metrics.columns[2:]}
    level = percent(results.run.evaluate.confidence)
    return {
        "title": f"{model}, {SETS[set_]}",
        "numbers": [
            ("AUC", number(row["auc"]), f"{level} CI {interval(row['auc_low'], row['auc_high'])}"),
            ("Sensitivity", number(row["sensitivity"]), f"at threshold {number(row['threshold'])}"),
            ("Specificity", number(row["specificity"]), f"at threshold {number(row['threshold'])}"),
            ("Brier score", number(row["brier"]), "0 is best"),
            ("Calibration slope", number(row["calibration_slope"], 2), "1 is best"),
        ],
    }


def _flow(results: Results) -> list[dict[str, object]]:
    """The whole cohort, then each set: cases, patients, events, folds."""
    rows = results.cohort
    names = sorted(rows["set"].unique(), key=["train", "test", "external"].index)
    sets = {"Cohort": rows, **{SETS[name].capitalize(): rows[rows["set"] == name] for name in names}}
    return [
        {"title": title, "cases": len(own), "patients": own["patient"].nunique(), "events": int(own["event"].sum()),
         "others": int((own["event"] == 0).sum()), "folds": int(own["fold"].max()) + 1}
        for title, own in sets.items()
    ]  # fmt: skip


def _optimism(folder: Path) -> dict[str, list] | None:
    table = optimism.shown(folder)
    return None if table is None else _parts(table)


def _parts(table: pd.DataFrame) -> dict[str, list]:
    return {"head": list(table.columns), "rows": table.to_numpy().tolist()}


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """The cohort table with each variable named in its first row only."""
    return table.assign(Variable=table["Variable"].mask(table["Variable"].duplicated(), ""))


def _by_set(table: pd.DataFrame) -> dict[str, dict[str, list]]:
    return {
        str(set_): _parts(own.drop(columns=["Set", "n", "Events"])) for set_, own in table.groupby("Set", sort=False)
    }


def _environment(results: Results) -> list[tuple[str, str]]:
    noted = results.environment
    hardware = noted["hardware"]
    return [
        ("fusion", noted["fusion"]),
        ("Commit", noted["git_commit"] or "not run from a source tree"),
        ("Started", noted["started"]),
        ("Seed", str(noted["seed"])),
        ("Python", noted["python"]),
        ("Packages", ", ".join(f"{name} {version}" for name, version in noted["packages"].items())),
        ("Machine", f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB memory"),
        ("GPU", hardware["gpu"] or "none"),
        ("Data (SHA-256)", noted["data_sha256"]),
    ]
