"""One topic of the report: what it says, the tables behind it as files, the figures it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd
from matplotlib.figure import Figure

from fusion.report.blocks import Section


@dataclass(frozen=True)
class Topic:
    """A section with its tables (tables/NAME.csv) and plots (figures/NAME.png and .svg, drawn when called).

    A module in ``topics`` has one public function ``topic(results)``, which gives this, or None where the run has
    nothing to say on the matter. Everything is computed once, when that function is called.
    """

    section: Section
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    plots: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)


@runtime_checkable
class Recorded(Protocol):
    """Results of any kind of run, as far as topics read that both kinds share."""

    @property
    def folder(self) -> Path:
        """The run's."""

    @property
    def cohort(self) -> pd.DataFrame:
        """A row a case."""
