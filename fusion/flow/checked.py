"""What a check leaves: the cohort without a fault, and who is not in it."""

from collections import Counter
from collections.abc import Mapping
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
    """case, patient, rule, why, outcome: cases that rules of `cohort.eligibility` sent away."""
    flow: pd.DataFrame = field(default_factory=pd.DataFrame)
    """rule, left, remaining: the counts behind ``left``; empty without rules."""
    lost: tuple[Lost, ...] = ()
    """Cases that cannot be read, no more than the run may lose."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """What was found of each case that stays."""
    rounds: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """case, patient, set and fold in each round of the split, by its name, also of lost cases."""

    def document(self) -> dict[str, Any]:
        """The cohort in counts, for JSON."""
        more: dict[str, Any] = {}
        if not self.flow.empty:
            more["eligibility"] = self.flow.to_dict("records")
        if self.lost:
            more["lost"] = [asdict(fault) for own in self.lost for fault in own.faults]
        if self.notes:
            more["notes"] = [{"case": case, "note": note} for case, note in self.notes]
        if several := self._tested():
            more["rounds"] = several
        return {"ok": True, "faults": [], "cases": len(self.cases), "sets": self._sets(), **more}

    def words(self) -> str:
        """The same in words: a line, one a lost case's fault, and one a kind of note."""
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
        of_note: dict[str, list[str]] = {}
        for case, note in self.notes:
            of_note.setdefault(note, []).append(case)
        noted = "".join(f"\nnoted of {_some(cases)}: {note}" for note, cases in of_note.items())
        rounds = "".join(f"\nround {name}: {own}" for name, own in self._told_rounds().items())
        return f"{len(self.cases)} cases, no fault: {told}{away}{rounds}{gone}{noted}"

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Case and what was decided in reading it; also that it is stored along other axes than most."""
        seen = {case: self.seen[case] for case in self.cases["case"] if case in self.seen}
        orders = Counter(own.stored for own in seen.values() if own.stored)
        usual = orders.most_common(1)[0][0] if orders else ""
        found = []
        for case, own in seen.items():
            found += [(case, note) for note in own.notes]
            if own.stored != usual:
                other = f"stored as {own.stored} and not as {usual}, as most are"
                found.append((case, f"{other}: names of wavelet features mean other directions"))
        return found

    def _tested(self) -> dict[str, dict[str, int]]:
        """Cases by set in each of several rounds."""
        here = self.cases["case"]
        return {
            name: {set_: n for set_ in ("train", "test") if (n := int((own == set_).sum()))}
            for name, table in self.rounds.items()
            if name and (own := table["set"][table["case"].isin(here)]) is not None
        }

    def _told_rounds(self) -> dict[str, str]:
        return {name: ", ".join(f"{set_} {n}" for set_, n in own.items()) for name, own in self._tested().items()}

    def _sets(self) -> dict[str, dict[str, Any]]:
        """Each set's cases, and its events or how many there are of each outcome."""
        parts = {str(name): own for name, own in self.cases.groupby("set")}
        if "outcome" in self.cases:
            counts = {name: own["outcome"].value_counts().sort_index().to_dict() for name, own in parts.items()}
            return {name: {"n": sum(own.values()), "outcomes": own} for name, own in counts.items()}
        return {name: {"n": len(own), "events": int(own["event"].sum())} for name, own in parts.items()}


def _some(cases: list[str]) -> str:
    return f"case {cases[0]}" if len(cases) == 1 else f"{len(cases)} cases, first {cases[0]}"
