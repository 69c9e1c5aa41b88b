"""What a clinician does on the page, step by step, and every request that the browser makes meanwhile."""

import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu-sandbox", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
"""The last three draw WebGL without a graphics card."""
MOST_MS = 60_000
PICTURES = os.environ.get("FUSION_PICTURES")
"""Folder for pictures of the page."""


@dataclass
class Visit:
    """A browser's page on a server."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """Where uploads lie at first, by the names that the browser sent."""

    def tab(self, name: str) -> None:
        """Go to a tab."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def upload(self, role: str, path: Path) -> None:
        """Choose a file, and wait until it has arrived and lost its name."""
        place = self.page.locator(f"#fu-{role}")
        with self.page.expect_response(re.compile(r"/upload\?")) as sent:
            place.locator("input[type=file]").set_input_files(path)
        self.sent += sent.value.json()
        place.locator(f"td[aria-label^='{role}.']").wait_for()

    def choose(self, label: str, option: str) -> None:
        """Choose in a list."""
        self.page.get_by_label(label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def fill(self, values: Mapping[str, object]) -> None:
        """Clinical values: numbers typed, words chosen; those that the page does not ask for are left out."""
        for name, value in values.items():
            box = self.page.get_by_role("textbox", name=re.compile(rf"^{name}\b"))
            if box.count():
                box.fill(str(value))
            elif self.page.get_by_role("combobox", name=name, exact=True).count():
                self.choose(name, str(value))

    def picture(self, name: str) -> None:
        """Keep a picture of what is to be seen, where someone asked for pictures."""
        if PICTURES:
            clip = {"x": 0, "y": 0, "width": 1280, "height": 980}
            self.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True, clip=clip)

    def planes(self) -> "Planes":
        """The viewer, once it shows the case."""
        frame = self.page.frame_locator(".fu-viewer")
        frame.locator("body[data-ready]").wait_for()
        return Planes(frame, self.page)


@dataclass
class Planes:
    """The viewer of three planes."""

    frame: Any
    page: Any

    def pixels(self) -> np.ndarray:
        """What is drawn."""
        self.page.wait_for_timeout(300)
        drawn = Image.open(io.BytesIO(self.frame.locator("canvas").screenshot()))
        return np.asarray(drawn.convert("RGB")).astype(int)

    def toggle(self, name: str, on: bool) -> None:
        """Show or hide a layer."""
        self.frame.locator(f"[name={name}]").set_checked(on)

    def plane(self, name: str) -> None:
        """Show one plane alone."""
        self.frame.locator("[name=plane]").select_option(label=name)

    def right_mm(self, across: float) -> float:
        """How far to the patient's right a click lies, at a share of the picture's width."""
        canvas, place = self.frame.locator("canvas"), self.frame.locator("#place")
        box, before = canvas.bounding_box(), place.text_content()
        canvas.click(position={"x": across * box["width"], "y": 0.5 * box["height"]})
        self.page.wait_for_function(
            "([own, before]) => own.textContent !== before", arg=[place.element_handle(), before]
        )
        side, number = place.text_content().split(",")[0].split()
        return float(number) * (1 if side == "R" else -1)


@contextmanager
def visit(url: str, width: int = 1280, height: int = 900) -> Iterator[Visit]:
    """The page at ``url`` in Debian's chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(MOST_MS)
        own = Visit(context.new_page())
        context.on("request", lambda request: own.requests.append(request.url))
        own.page.on("pageerror", lambda error: own.errors.append(str(error)))
        own.page.goto(url)
        own.page.locator("#fu-ask").wait_for()
        yield own
        browser.close()
