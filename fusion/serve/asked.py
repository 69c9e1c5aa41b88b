"""What is asked about one case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fusion.data.case import Files
from fusion.data.study import Study


@dataclass(frozen=True)
class Asked:
    """A case's files and clinical values.

    ``files`` for a bundle of regions (image, tumour, perhaps a hand-refined ring), ``study`` for one of slices.
    """

    files: Files | None = None
    study: Study | None = None
    clinical: Mapping[str, str] = field(default_factory=dict)
    """Words by clinical variable, as in a cohort table's cells."""
    models: tuple[str, ...] | None = None
    """Models to answer, the first as headline; None for all that the case has inputs for, the card's headline first."""
    explain: bool = True
    """Heat maps and each region's share of the networks' scores."""
    task: str | None = None
    """Of slices, without ``models``: this task's models alone, first the one that reads most of what the case has."""

    @property
    def case(self) -> str:
        """The case's name."""
        known = self.files or self.study
        assert known is not None
        return known.case


@dataclass(frozen=True)
class Outputs:
    """What to leave in a folder beside answer.json."""

    folder: Path
    sheet_html: bool = False
    sheet_pdf: bool = False
    dicom: bool = False
    """SEG of External2 and SR of the answer, which need a DICOM series as image."""
    viewer: bool = False
    """What a three-plane viewer shows: image, tumour, ring and heat maps round the tumour as NIfTI."""
