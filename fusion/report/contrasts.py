"""What a comparison of runs says in plain sentences, and what to be careful about; computed, never typed."""

from collections.abc import Mapping
from itertools import combinations

from fusion.report.findings import TESTABLE
from fusion.report.pairs import Pair, common, corrected, same_cases
from fusion.report.results import Results
from fusion.report.words import SETS, number, p_value, percent


def sentences(runs: Mapping[str, Results], pairs: list[Pair]) -> list[str]:
    """The reference model of each run, and whether any model differs between runs over the same cases."""
    return [*(_reference(name, own) for name, own in runs.items()), _verdict(pairs)]


def cautions(runs: Mapping[str, Results]) -> list[str]:
    """Reasons not to lean on the comparison."""
    told = [
        "Research use only: not a medical device, and not for decisions about patients.",
        "A run picked here because it scores best on a test set is flattered by that set; confirm it on cases that "
        "none of these runs has seen.",
    ]
    names = {f"{own.run.cohort.positive_name} against {own.run.cohort.negative_name}" for own in runs.values()}
    if len(names) > 1:
        told.append(f"The runs do not ask the same question: {'; '.join(sorted(names))}.")
    return told + [text for one, two in combinations(runs, 2) for text in _apart(one, two, runs)]


def _reference(name: str, own: Results) -> str:
    set_, model = own.sets[0], own.reference
    row = own.scores(set_, model)
    where = f"{SETS[set_]}, {row['n']:.0f} cases, {row['events']:.0f} {own.run.cohort.positive_name}"
    level = percent(own.run.evaluate.confidence)
    area = f"AUC {number(row['auc'])} ({level} interval {number(row['auc_low'])} to {number(row['auc_high'])})"
    return f"{name}: {model} has {area} in its {where}."


def _verdict(pairs: list[Pair]) -> str:
    held = [pair for pair in pairs if pair.set != "train_oof"]
    judged = held or pairs
    if not judged:
        return "No two runs have a model over the same cases, so no difference between runs can be tested here."
    clear = [(pair, p) for pair, p in zip(judged, corrected(judged), strict=True) if p < 0.05]
    smaller = min(min(pair.events, pair.n - pair.events) for pair in judged)
    if smaller < TESTABLE:
        return (
            f"With {smaller} cases in the smaller class DeLong's approximation fails, so the tests below show nothing "
            "either way."
        )
    where = "cases set aside" if held else "training cases, out-of-fold"
    whole = f"{len(judged)} paired comparison{'s' if len(judged) > 1 else ''} of the same model over the same {where}"
    if not clear:
        return f"Of {whole} none shows a difference that outlasts Holm's correction; they may all be chance."
    each = "; ".join(
        f"{pair.model} is {number(abs(pair.test.difference))} {'higher' if pair.test.difference > 0 else 'lower'} in "
        f"{pair.first} than in {pair.second} ({SETS[pair.set]}, P {p_value(p)})"
        for pair, p in clear
    )
    return f"Of {whole} {len(clear)} outlast{'s' if len(clear) == 1 else ''} Holm's correction: {each}."


def _apart(one: str, two: str, runs: Mapping[str, Results]) -> list[str]:
    """What makes a difference between these two runs more than their method."""
    first, second = runs[one], runs[two]
    if not same_cases(first, second):
        return [f"{one} and {two} have different cases: a difference between them may come from the cases alone."]
    told, shared = [], common(first, second)
    if len(shared) < max(len(first.cohort), len(second.cohort)):
        told.append(f"{one} and {two} share {len(shared)} of {len(first.cohort)} and {len(second.cohort)} cases.")
    places = [own.cohort.set_index("case")["set"].loc[shared] for own in (first, second)]
    crossed = int(((places[0] == "train") != (places[1] == "train")).sum())
    if crossed:
        told.append(f"{crossed} cases that one of {one} and {two} learned from were set aside by the other.")
    return told
