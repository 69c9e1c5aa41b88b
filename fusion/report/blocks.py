"""What a report is made of: sections of blocks, told once and set twice, as a web page and as a PDF."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Prose:
    """A paragraph; ``faint`` explains, otherwise it says."""

    text: str
    faint: bool = True


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True)
class Listing:
    """A list of sentences, with a title when they are a warning."""

    items: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class Rows:
    """A table of printed words: all cells text, the first ``words`` columns flush left, ``mark`` the row to stress."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    mark: str | None = None
    note: str = ""

    @classmethod
    def of(cls, table: pd.DataFrame, words: int = 1, mark: str | None = None, note: str = "") -> "Rows":
        """The rows of a frame whose cells are already printed words.

        >>> Rows.of(pd.DataFrame({"Model": ["Clinical"], "AUC": ["0.765"]})).rows
        [['Clinical', '0.765']]
        """
        return cls([str(name) for name in table.columns], table.astype(str).to_numpy().tolist(), words, mark, note)


@dataclass(frozen=True)
class Plot:
    """A figure of the run folder, by its file name without suffix, and what it shows for those who cannot see it."""

    name: str
    label: str


@dataclass(frozen=True)
class Terms:
    """Terms and what they mean."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Tiles:
    """A few numbers large enough to be read first: label, value, note."""

    title: str
    numbers: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Folded:
    """Blocks that open when asked; the PDF shows them open."""

    title: str
    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Interactive:
    """A snippet of HTML with a script of its own, for the page, and the plot that stands for it in print."""

    html: str
    still: Plot


Block = Prose | Heading | Listing | Rows | Plot | Terms | Tiles | Folded | Interactive


@dataclass(frozen=True)
class Section:
    """A part of the report: anchor, title in the text, shorter title in the navigation, blocks in reading order."""

    anchor: str
    title: str
    blocks: Sequence[Block]
    short: str = ""


@dataclass(frozen=True)
class Report:
    """A whole report before it is set."""

    title: str
    eyebrow: str
    subtitle: str
    banners: Sequence[str]
    sections: Sequence[Section]
