"""Reporting checklists: what the run's record answers, and what is left to the authors."""

from collections import Counter

import pandas as pd

from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.checklists import CHECKLISTS, METRICS, Checklist, answers, table
from fusion.report.checklists.item import BLANK, Status
from fusion.report.checklists.metrics import score_range
from fusion.report.results import Results
from fusion.report.topic import Topic

READ = (
    "Drafts to be checked: an item is answered only where the run folder shows it. Subjects are in our words; the "
    f"items themselves stand in their sources. {BLANK} marks what no run can know, such as ethics, eligibility or "
    "funding."
)

WORDS: dict[Status, str] = {
    "not done": "not done", "not applicable": "not applicable", "for the authors": "left to the authors",
}  # fmt: skip


def topic(results: Results) -> Topic:
    """CLEAR, METRICS, TRIPOD+AI and CLAIM, each with a sentence and its items folded."""
    tables = {f"checklist_{own.key}": table(own, results) for own in CHECKLISTS}
    blocks: list[Block] = [Prose(sentence(own, results), faint=False) for own in CHECKLISTS]
    blocks += [Prose(READ)]
    for own in CHECKLISTS:
        blocks.append(Folded(f"{own.name}, {len(own.items)} items", [_shown(own, tables[f"checklist_{own.key}"])]))
    return Topic(Section("checklists", "Reporting checklists", blocks, "Checklists"), tables)


def sentence(checklist: Checklist, results: Results) -> str:
    """How many items the run answers, has not done, and leaves to the authors; of METRICS also its score's range."""
    found = answers(checklist, results)
    counts = Counter(answer.status for answer in found)
    rest = "; ".join(f"{word}: {counts[status]}" for status, word in WORDS.items())
    told = f"{checklist.name}: of {len(found)} items the run answers {counts['answered']}; {rest}."
    if checklist is not METRICS:
        return told
    low, high = score_range(found)
    return (
        f"{told} Its score lies between {100 * low:.0f}%, if all that is left to the authors is a no, and "
        f"{100 * high:.0f}%, if all is a yes."
    )


def _shown(checklist: Checklist, rows: pd.DataFrame) -> Rows:
    """Three columns, as a fourth would push the answers off the page."""
    answer = rows["answer"] + rows["source"].map(lambda files: f" [{files}]" if files else "")
    shown = pd.DataFrame({"Item": rows["item"], "Subject": rows["topic"], "Draft answer [shown by]": answer})
    return Rows.of(shown, words=3, note=f"{checklist.source}.")
