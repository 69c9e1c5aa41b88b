"""A report as PDF, from the same blocks as the page."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib
import typst

from fusion.errors import Fault, RunError
from fusion.report.blocks import Block, Folded, Interactive, Plot, Report
from fusion.report.figures import WIDTH
from fusion.report.html import kind
from fusion.report.words import minus
from fusion.store import whole

COLUMN_MM, TALLEST_MM = 182.0, 235.0
"""Room for a figure on a page of A4; a figure as wide as the web page's column fills the width."""


def write(report: Report, figures: Path, path: Path) -> Path:
    """``report`` as a PDF at ``path``, with the drawings NAME.svg of the folder ``figures``; equal words and drawings
    give equal bytes.

    Raises:
        RunError: a figure is missing.
    """
    words = {**asdict(report), "sections": [_section(section, figures) for section in report.sections]}
    template = files("fusion.report").joinpath("page.typ").read_bytes()
    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"  # the figures' own
    made = typst.compile(  # type: ignore[call-overload]  # its stub wants words and paths of one type
        template, root=str(figures), font_paths=[str(fonts)], ignore_system_fonts=True, format="pdf",
        sys_inputs={"report": json.dumps(signed(words))},
    )  # fmt: skip
    with whole(path) as part:
        part.write_bytes(made)
    return path


def signed(words: Any) -> Any:
    """``words`` with true minus signs, however deep they lie."""
    if isinstance(words, Mapping):
        return {name: signed(own) for name, own in words.items()}
    if isinstance(words, list | tuple):
        return [signed(own) for own in words]
    return minus(words) if isinstance(words, str) else words


def _section(section: Any, figures: Path) -> dict[str, Any]:
    return {**vars(section), "blocks": [_block(block, figures) for block in section.blocks]}


def _block(block: Block, figures: Path) -> dict[str, Any]:
    """The block as data: its kind and words, and how wide a drawing is."""
    words = {"kind": kind(block), **vars(block)}
    if isinstance(block, Folded):
        return {**words, "blocks": [_block(own, figures) for own in block.blocks]}
    if isinstance(block, Interactive):
        return {"kind": "interactive", "still": _block(block.still, figures)}
    if isinstance(block, Plot):
        return {**words, "width_mm": _width_mm(figures / f"{block.name}.svg")}
    return words


def _width_mm(path: Path) -> float:
    if not path.is_file():
        raise RunError(Fault("no such figure", "the run's figures", "run `fusion report DIR`", file=str(path)))
    text = path.read_text(encoding="utf-8")
    width, height = (float(re.findall(rf' {side}="([\d.]+)pt"', text)[0]) for side in ("width", "height"))
    wide = min(COLUMN_MM, COLUMN_MM * width / 72 / WIDTH)
    return round(wide * min(1.0, TALLEST_MM / (wide * height / width)), 2)
