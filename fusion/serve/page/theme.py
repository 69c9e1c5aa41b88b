"""How the page looks: calm, on white, in the fonts that the computer has."""

from pathlib import Path
from typing import Any

CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
HEAD = "<script>" + (Path(__file__).parent / "page.js").read_text(encoding="utf-8") + "</script>"


def options() -> dict[str, Any]:
    """How to mount the page: its look; errors inside are told by their kind alone, as their words may quote a file."""
    return {"theme": theme(), "css": CSS, "head": HEAD, "show_error": False}


def theme() -> Any:
    """A theme without a font from elsewhere."""
    import gradio as gr

    look = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        font=FONT,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_md,
    )
    return look.set(
        button_primary_background_fill="#17529b",
        button_primary_background_fill_hover="#123f78",
        button_primary_text_color="#ffffff",
        body_background_fill="#ffffff",
        body_text_color="#1f2933",
        body_text_color_subdued="#56616d",
        block_label_text_color="#1f2933",
        block_title_text_color="#1f2933",
        block_info_text_color="#56616d",
        input_border_color="#a9b1bb",
        input_border_color_focus="#17529b",
    )
