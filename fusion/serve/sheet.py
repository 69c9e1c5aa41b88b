"""A result sheet of one case: one page, for the screen or as PDF, that asks nothing of any network."""

import base64
import io
import json
import re
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from fusion.serve import overlay
from fusion.serve.bundle import Bundle
from fusion.serve.sheet_words import Words, words
from fusion.serve.told import Told
from fusion.store import whole


class Picture(NamedTuple):
    """What the case looks like, as PNG."""

    label: str
    width_px: int
    png: bytes


def html(told: Told, bundle: Bundle) -> str:
    """The sheet as one HTML file; equal answers give equal bytes."""
    import jinja2

    from fusion.report.html import signed

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=signed
    )
    environment.filters |= {"breakable": _breakable, "percent": lambda share: f"{100 * share:.2f}%"}
    template = _template("sheet.html.j2").decode()
    shown = [own._asdict() | {"base64": base64.b64encode(own.png).decode()} for own in pictures(told, bundle)]
    return environment.from_string(template).render(sheet=_words(told, bundle), seen=_seen(told), pictures=shown) + "\n"


def pdf(told: Told, bundle: Bundle) -> bytes:
    """The sheet as one page of A4; equal answers give equal bytes."""
    import matplotlib
    import typst

    from fusion.report.pdf import signed

    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"  # the report's own
    with TemporaryDirectory() as folder:
        shown = [_put(own, Path(folder) / f"{number}.png") for number, own in enumerate(pictures(told, bundle))]
        made = {**asdict(_words(told, bundle)), "seen": _seen(told), "pictures": shown}
        return typst.compile(  # type: ignore[call-overload]  # its stub wants words and paths of one type
            _template("sheet.typ"), root=folder, font_paths=[str(fonts)], ignore_system_fonts=True, format="pdf",
            sys_inputs={"sheet": json.dumps(signed(made))},
        )  # fmt: skip


def write_pdf(told: Told, bundle: Bundle, path: Path) -> Path:
    """The sheet at ``path``, whole or not at all."""
    made = pdf(told, bundle)
    with whole(path) as part:
        part.write_bytes(made)
    return path


def pictures(told: Told, bundle: Bundle) -> tuple[Picture, ...]:
    """The slice of largest tumour area with tumour, ring and heat; of slices every sequence of the case."""
    if told.case is not None:
        return (_picture("Tumour, External2 and heat map", overlay.regions(told, bundle.run.roi.patch.window)),)
    model = told.answer.model
    return tuple(
        _picture(sequence, overlay.slice(told, model if (model, sequence) in told.slice_heat else None, sequence))
        for sequence in told.pieces
    )


def _picture(label: str, drawn: Any) -> Picture:
    held = io.BytesIO()
    drawn.save(held, format="PNG")
    return Picture(label, drawn.width, held.getvalue())


def _seen(told: Told) -> str:
    """What the pictures show, for a reader who cannot read their legend at this size."""
    said = ["Blue: tumour."]
    if told.external2 is not None:
        said.append("Amber, dashed: External2.")
    if told.heat or told.slice_heat:
        first = told.answer.of(told.answer.model)
        shown = first.positive or first.label
        said.append(f"Heat: the paler, the more the place speaks for {shown} in the networks that {first.model} reads.")
    return " ".join(said)


def _breakable(word: str) -> Any:
    """As in a report; features' names may break between their words too."""
    from markupsafe import Markup

    from fusion.report.html import breakable

    return Markup(re.sub("(?<=[a-z])(?=[A-Z])", "<wbr>", breakable(word)))


def _words(told: Told, bundle: Bundle) -> Words:
    return words(told.answer, bundle.deployed, bundle.card)


def _template(name: str) -> bytes:
    return files("fusion.serve").joinpath(name).read_bytes()


def _put(picture: Picture, path: Path) -> dict[str, str | int]:
    path.write_bytes(picture.png)
    return {"label": picture.label, "width_px": picture.width_px, "file": path.name}
