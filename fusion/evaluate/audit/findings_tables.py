"""What odds ratios, patient characteristics and image counts were found to say, in sentences."""

from collections.abc import Iterator, Sequence
from typing import Literal

from fusion.evaluate.audit import odds
from fusion.evaluate.audit.characteristics import TESTS, Compared
from fusion.evaluate.audit.conflict import listed
from fusion.evaluate.audit.copies import Copies
from fusion.evaluate.audit.odds import Checked

Said = tuple[Literal["impossible", "doubtful", "remark"], str, str, str]
"""Level, part, what it is about, words."""
SMALL = 5
"""An expected count below it calls for a test other than Pearson's (Cochran 1954, doi:10.2307/3001616)."""
TIMES = 1.5
"""How far above the null error a univariable error may be before it is told."""


def of_odds(checked: Sequence[Checked], events: int | None = None) -> Iterator[Said]:
    """Asymmetric intervals, P values of another test, changes of direction, errors too large for one variable."""
    symmetric = sum(own.symmetric for own in checked)
    for own in checked:
        about = f"{own.odds.variable} ({own.odds.model})" if own.odds.model else own.odds.variable
        if not own.symmetric:
            slip = f"; {listed(own.slips)} would be: digits exchanged?" if own.slips else ""
            words = (f"odds ratio {own.odds.ratio.text} is not the middle of {own.odds.low.text} to "
                     f"{own.odds.high.text} on the log scale, {own.centre:.2f}, as {symmetric} of {len(checked)} here "
                     f"are{slip}")  # fmt: skip
            yield "doubtful", "odds", about, words
        if own.p_agrees is False and own.odds.p is not None:
            words = f"P {own.odds.p.text}, but ratio and interval give a Wald P of {own.p[0]:.3g} to {own.p[1]:.3g}"
            yield "doubtful", "odds", about, words
    yield from _flips(checked)
    yield from _errors(checked, events)


def _flips(checked: Sequence[Checked]) -> Iterator[Said]:
    rows = [own.odds for own in checked]
    turned, both = odds.flips(rows), odds.in_more_than_one(rows)
    if turned:
        told = "; ".join(f"{name} {' / '.join(ratios.values())}" for name, ratios in turned.items())
        why = ": the coding is opposite" if len(turned) == both else ""
        words = f"{len(turned)} of the {both} variables in more than one model change direction{why} ({told})"
        yield "doubtful", "odds", listed(turned), words


def _errors(checked: Sequence[Checked], events: int | None) -> Iterator[Said]:
    known = [(own, own.error / own.null_error) for own in checked if own.error and own.null_error]
    large = sorted(ratio for _, ratio in known if ratio > TIMES)
    if large:
        told = [f"{own.odds.variable} {own.error:.3f} / {own.null_error:.3f}" for own, ratio in known if ratio > TIMES]
        per = f", with {events / len(known):.1f} events a variable" if events else ""
        words = (f"{len(large)} of {len(known)} standard errors are {large[0]:.1f} to {large[-1]:.1f} times those of a "
                 f"model of one variable without effect: these look like ratios of one model of all {len(known)} "
                 f"variables{per} ({'; '.join(told)})")  # fmt: skip
        yield "doubtful", "odds", "univariable", words


def of_baseline(compared: Sequence[Compared]) -> Iterator[Said]:
    """Counts and percentages that do not add up; P values of no test, or of another test than the rest."""
    for own in compared:
        for words in own.faults:
            yield "impossible", "baseline", own.variable.name, words
        for words in own.missing:
            yield "doubtful", "baseline", own.variable.name, f"{words}: missing, or a wrong count"
    counted = [own for own in compared if own.variable.counts and own.variable.p]
    tests = {test: sum(test in own.by for own in counted) for test in TESTS}
    most = max(tests, key=lambda test: tests[test])
    for own in compared:
        yield from _test(own, most)
    if tests[most]:
        words = f"{tests[most]} of {len(counted)} P of counts are those of {TESTS[most]}"
        yield "remark", "baseline", "", words


def _test(own: Compared, most: str) -> Iterator[Said]:
    """A P that no test gives, or not the test of most others: doubtful unless a small expected count calls for it."""
    printed, name = own.variable.p, own.variable.name
    if printed is None or not own.p:
        return
    others = ", ".join(f"{TESTS[test]} {_words(span)}" for test, span in own.p.items() if test not in own.by)
    if not own.by:
        near = "; within reach of a Monte Carlo estimate of the exact P" if own.near_exact else ""
        yield "doubtful", "baseline", name, f"P {printed.text} is given by none of: {others}{near}"
    elif own.variable.counts and most not in own.by:
        small = own.least_expected is not None and own.least_expected < SMALL
        why = f"; an expected count is {own.least_expected:.1f}" if small else ""
        words = f"P {printed.text} is that of {listed(TESTS[test] for test in own.by)} (others: {others}){why}"
        yield "remark" if small else "doubtful", "baseline", name, words


def of_counts(copies: Sequence[Copies]) -> Iterator[Said]:
    """Images that outnumber lesions; how many were made of each; what stands behind a row of whole lesions."""
    for own in copies:
        about = f"{own.own.name} in {own.own.task}"
        if own.certain:
            words = f"{own.own.images} images are evaluated and {own.own.lesions} lesions exist: some are copies"
            yield "doubtful", "counts", about, words
        elif own.factor is not None and own.own.share is not None and own.factor > 1:
            words = (f"{own.own.images} images are {own.own.share:.0%} of all, so {own.own.images / own.own.share:.0f} "
                     f"images were made of {own.own.lesions} lesions")  # fmt: skip
            yield "doubtful", "counts", about, words
        if own.factor is not None and own.low is not None and own.factor > 1:
            all_of = f"{own.held_out} of {own.held_out}"
            words = (f"{about}: either {own.factor:.1f} images were made of each lesion before images were split, so "
                     f"copies stand on both sides; or some {own.held_out} lesions stand behind the row, and {all_of} "
                     f"right has a 95 % interval from {100 * own.low:.0f} to 100 %")  # fmt: skip
            yield "remark", "counts", "", words
    factors = [own for own in copies if own.factor is not None]
    if len({round(own.factor or 0, 1) for own in factors}) > 1:
        told = ", ".join(f"{own.own.name} in {own.own.task} x{own.factor:.1f}" for own in factors)
        yield "remark", "counts", "", f"images a lesion differ by class and task: {told}"


def _words(span: tuple[float, float]) -> str:
    low, high = (f"{p:.3f}" for p in span)
    return low if low == high else f"{low} to {high}"
