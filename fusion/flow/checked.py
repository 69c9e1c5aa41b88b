"""What a check leaves: the cohort without a fault, and who is not in it."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from fusion.data.case import Files
from fusion.data.study import Study
from fusion.flow.look import Seen
from fusion.flow.lost import Lost


@dataclass(frozen=True)
class Checked:
    """A cohort without a fault.

    ``cases`` has case, patient, set, fold, event (or outcome, and which sequences there are) and the clinical columns;
    ``files`` is in the same order. Cases that left by a rule, or are lost, are in neither.
    """

    cases: pd.DataFrame
    files: tuple[Files | Study, ...]
    data_sha256: str
    digests: dict[str, str] = field(default_factory=dict)
    """Of each case's files."""
    sets: dict[str, str] = field(default_factory=dict)
    """Of each case, also of lost ones."""
    known: frozenset[str] = frozenset()
    """Every case of the table, also those that left."""
    left: pd.DataFrame = field(default_factory=pd.DataFrame)
    """case, rule, why, outcome: cases that rules of `cohort.eligibility` sent away."""
    flow: pd.DataFrame = field(default_factory=pd.DataFrame)
    """rule, left, remaining: the counts behind ``left``; empty without rules."""
    lost: tuple[Lost, ...] = ()
    """Cases that cannot be read, no more than the run may lose."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """What was found of each case that stays."""

    def document(self) -> dict[str, Any]:
        """The cohort in counts, for JSON."""
        more: dict[str, Any] = {}
        if not self.flow.empty:
            more["eligibility"] = self.flow.to_dict("records")
        if self.lost:
            more["lost"] = [asdict(fault) for own in self.lost for fault in own.faults]
        return {"ok": True, "faults": [], "cases": len(self.cases), "sets": self._sets(), **more}

    def words(self) -> str:
        """The same in words, one line."""
        sets = self._sets()
        if "outcome" in self.cases:
            told = "; ".join(
                f"{name} {', '.join(f'{n} {word}' for word, n in own['outcomes'].items())}"
                for name, own in sets.items()
            )
        else:
            told = ", ".join(f"{name} {own['n']} ({own['events']} events)" for name, own in sets.items())
        away = f"; {len(self.left)} left by cohort.eligibility" if not self.flow.empty else ""
        gone = "".join(f"\nlost: {fault}" for own in self.lost for fault in own.faults)
        return f"{len(self.cases)} cases, no fault: {told}{away}{gone}"

    def _sets(self) -> dict[str, dict[str, Any]]:
        """Each set's cases, and its events or how many there are of each outcome."""
        parts = {str(name): own for name, own in self.cases.groupby("set")}
        if "outcome" in self.cases:
            counts = {name: own["outcome"].value_counts().sort_index().to_dict() for name, own in parts.items()}
            return {name: {"n": sum(own.values()), "outcomes": own} for name, own in counts.items()}
        return {name: {"n": len(own), "events": int(own["event"].sum())} for name, own in parts.items()}
