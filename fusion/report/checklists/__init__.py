"""Draft answers to reporting checklists, from what the run's record shows; the rest is left to the authors.

CLEAR, METRICS, TRIPOD+AI and CLAIM: number, section and subject of each item in our own few words. The wording of the
items is their authors'; read them there.
"""

from fusion.report.checklists.claim import CLAIM
from fusion.report.checklists.clear import CLEAR
from fusion.report.checklists.item import Answer, Checklist, Item, answers, table
from fusion.report.checklists.metrics import METRICS
from fusion.report.checklists.tripod_ai import TRIPOD_AI

CHECKLISTS = (CLEAR, METRICS, TRIPOD_AI, CLAIM)

__all__ = ["CHECKLISTS", "CLAIM", "CLEAR", "METRICS", "TRIPOD_AI", "Answer", "Checklist", "Item", "answers", "table"]
