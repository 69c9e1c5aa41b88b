"""METRICS, 30 items in 9 categories (Kocak 2024, doi:10.1186/s13244-023-01572-w), with weights and conditions.

Weights of items 1 to 23 as its Table 1 prints them; those of 24 to 30 agree with the three decimals of the authors'
calculator (v1.0), and all thirty add up to 1. A condition that is not met takes its items out of the score.
"""

from fusion.report.checklists import data_facts as data
from fusion.report.checklists import model_facts as model
from fusion.report.checklists import result_facts as result
from fusion.report.checklists.item import Answer, Checklist, Item

METRICS = Checklist("metrics", "METRICS", "Kocak 2024, doi:10.1186/s13244-023-01572-w", (
    Item("1", "Study design", "guidelines followed", None, 0.0368),
    Item("2", "Study design", "eligibility, representative of the patients meant", None, 0.0735),
    Item("3", "Study design", "reference standard of high quality", None, 0.0919),
    Item("4", "Imaging data", "several centres", None, 0.0438),
    Item("5", "Imaging data", "images as the clinic makes them", None, 0.0292),
    Item("6", "Imaging data", "imaging protocol", None, 0.0438),
    Item("7", "Imaging data", "time between image and reference standard", None, 0.0292),
    Item("8", "Segmentation", "how outlines were drawn", None, 0.0337),
    Item("9", "Segmentation", "fully automatic outlines evaluated", None, 0.0225),
    Item("10", "Segmentation", "test set outlined by one reader or tool", None, 0.0112),
    Item("11", "Image processing and feature extraction", "image pre-processing", data.preparation, 0.0622),
    Item("12", "Image processing and feature extraction", "standardised software", data.extraction, 0.0311),
    Item("13", "Image processing and feature extraction", "extraction settings", data.settings, 0.0415),
    Item("14", "Feature processing", "non-robust features removed", data.readings, 0.0200),
    Item("15", "Feature processing", "redundant features removed", model.redundancy, 0.0200),
    Item("16", "Feature processing", "dimensionality against data size", model.dimensionality, 0.0300),
    Item("17", "Feature processing", "robustness of end-to-end networks", result.network_robustness, 0.0200),
    Item("18", "Preparation for modelling", "data partition", data.kept_apart, 0.0599),
    Item("19", "Preparation for modelling", "confounders", data.confounders, 0.0300),
    Item("20", "Metrics and comparison", "performance measures", result.classification_measures, 0.0352),
    Item("21", "Metrics and comparison", "uncertainty", result.uncertainty, 0.0234),
    Item("22", "Metrics and comparison", "calibration", result.calibrated, 0.0176),
    Item("23", "Metrics and comparison", "one kind of image, or proof for more", result.single_image, 0.0117),
    Item("24", "Metrics and comparison", "comparison with a non-radiomic model", result.against_clinical, 0.0293),
    Item("25", "Metrics and comparison", "comparison with a simple model", result.against_clinical, 0.0176),
    Item("26", "Testing", "internal testing", result.internal, 0.0375),
    Item("27", "Testing", "external testing", result.external, 0.0749),
    Item("28", "Open science", "data shared", None, 0.0075),
    Item("29", "Open science", "code shared", None, 0.0075),
    Item("30", "Open science", "model shared", None, 0.0075),
))  # fmt: skip


def score_range(found: list[Answer]) -> tuple[float, float]:
    """METRICS score if every item left to the authors is a no, and if every one is a yes; shares of 1.

    Answered items count as yes, items not done as no; items that do not apply leave the total. Item 9 asks only where
    outlines are fully automatic, which the run does not know; left out, the score lies inside the range too.
    """
    weights = {"answered": 0.0, "not done": 0.0, "for the authors": 0.0, "not applicable": 0.0}
    for item, answer in zip(METRICS.items, found, strict=True):
        weights[answer.status] += item.weight
    whole = sum(weights.values()) - weights["not applicable"]
    return weights["answered"] / whole, (weights["answered"] + weights["for the authors"]) / whole
