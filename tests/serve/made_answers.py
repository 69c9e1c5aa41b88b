"""Answers made by hand, of regions and of slices, as a sheet is given them."""

import numpy as np

from fusion.data.case import Case
from fusion.data.image import Geometry
from fusion.roi.cut_slice import Piece
from fusion.serve.answer import Answer, Contribution, ModelAnswer, RegionShare
from fusion.serve.parts import Card, Deployed, Judgement, Metric
from fusion.serve.told import Told

RULE = "largest Youden index in the training set, out-of-fold"
REGION_MODELS = ("Combined", "Clinical", "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD", "Tumor_DL",
                 "External2_DL", "Tumor+External2_DL", "Tumor_RAD+DL", "External2_RAD+DL",
                 "Tumor+External2_RAD+DL")  # fmt: skip


def parts(*rows: tuple[str, float, float, float]) -> tuple[Contribution, ...]:
    return tuple(Contribution(predictor=n, value=v, mean=m, log_odds=o) for n, v, m, o in rows)


def model(name: str, probability: float, chosen: tuple[str, ...], **more: object) -> ModelAnswer:
    """Of two classes."""
    return ModelAnswer(
        model=name, probabilities={"benign": 1 - probability, "malignant": probability}, positive="malignant",
        probability=probability, threshold=0.312, threshold_rule=RULE,
        label="malignant" if probability >= 0.312 else "benign", set=chosen, refer=len(chosen) != 1, **more,
    )  # fmt: skip


def answer(first: ModelAnswer, *others: ModelAnswer, case: str = "case-0041", **more: object) -> Answer:
    return Answer(
        case=case, model=first.model, probability=first.probability, threshold=first.threshold, label=first.label,
        contributions=first.contributions, set=first.set, refer=first.refer, answers=(first, *others),
        bundle="shen2026 4be2f6d0c0a94de5b8b06f6a5d3e9c37f6a3c0f5ce21e6a8a9a1d0c6a2b3c4d5", **more,
    )  # fmt: skip


def deployed(told: Answer) -> Deployed:
    known = Judgement(threshold=0.312, rule=RULE, calibration={}, error=0.1)
    return Deployed(questions=(), networks=(), judgements={own.model: known for own in told.answers})


def card(headline: str) -> Card:
    values = {"auc": 0.913, "auc_low": 0.842, "auc_high": 0.966, "n": 108, "events": 27}
    sets = {"train_oof": values | {"n": 249, "events": 62, "auc": 0.902}, "test": values}
    return Card(
        name="shen2026", intended_use="To study malignancy of parotid tumours in contrast-enhanced CT.",
        headline=headline, data=("357 cases.",), limits=("One centre.", "Synthetic cases stand in for the paper's."),
        metrics=tuple(Metric(model=headline, set=name, values=own) for name, own in sets.items()), versions={},
    )  # fmt: skip


def of_regions(heat: bool = True) -> Told:
    """A ball and its ring, eleven models, a case to refer with many warnings."""
    z, y, x = np.ogrid[-8:8, -40:40, -40:40]
    distance = np.sqrt((3.0 * z) ** 2 + y**2 + x**2)
    noise = np.random.default_rng(0).normal(40, 25, distance.shape)
    tumour, ring = distance < 11, (distance >= 11) & (distance < 13)
    size = (16, 80, 80)
    case = Case("case-0041", (noise + 60 * tumour).astype(np.float32), tumour, None,
                Geometry(size, (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel().tolist())))  # fmt: skip
    shown = np.exp(-distance / 9).astype(np.float32)
    maps = {"tumour": shown * tumour, "external2": shown * ring} if heat else {}
    combined = model(
        "Combined", 0.731, ("benign", "malignant"), interval=(0.402, 0.911),
        contributions=parts(("tumour+external2_DL", 1.21, -0.83, 1.104), ("tumour+external2_RAD", 0.62, -1.02, 0.953),
                            ("margin=unclear", 1.0, 0.37, 0.51), ("nodes=yes", 0.0, 0.12, -0.21),
                            ("symptom=yes", 0.0, 0.21, -0.12)),
        features=parts(*((f"tumour:wavelet-LLH_glszm_SmallAreaLowGrayLevelEmphasis{n}", 0.0123 * n, 0.01, 0.6 - 0.1 * n)
                         for n in range(11))),
        regions=(RegionShare(source="tumour+external2_DL", region="tumour", log_odds=0.82,
                             how="log-odds with both regions (1.21) less those with external2 alone (0.39)"),
                 RegionShare(source="tumour+external2_DL", region="external2", log_odds=-0.11,
                             how="log-odds with both regions (1.21) less those with tumour alone (1.32)")),
    )  # fmt: skip
    others = [model(name, 0.05 + 0.09 * n, ("benign",) if n < 4 else ("malignant",), interval=(0.02, 0.1 + 0.09 * n))
              for n, name in enumerate(REGION_MODELS[2:])]  # fmt: skip
    names = ", ".join(f"tumour:log-sigma-{n}-mm-3D_glcm_ClusterShade" for n in range(30))
    warnings = ("spacing along z = 5 mm, training 2.5 to 3 mm (n=249)",
                f"30 more features outside their training ranges: {names}",
                *(f"feature tumour:gradient_glrlm_RunVariance{n} = 12.1, training 3.1 to 9.8 (n=249)" for n in range(7))
                )  # fmt: skip
    told = answer(combined, *others, warnings=warnings, not_answered={"Clinical": "no value of smoking"})
    return Told(told, case, ring, maps)


def of_slices() -> Told:
    """Three sequences; the headline has five classes, the other tasks two."""
    names = ("PA", "Warthin", "other-benign", "MEC", "other-malignant")
    shares = dict(zip(names, (0.55, 0.2, 0.15, 0.0004, 0.0996), strict=True))
    first = ModelAnswer(
        model="all/T2-w", probabilities=shares, positive=None, probability=None, threshold=None,
        threshold_rule="the likeliest class", label="PA", set=("PA",), refer=False,
        contributions=parts(("T2-w:original_firstorder_Mean", 131.0, 90.2, 0.9), ("age", 61, 50.3, -0.2)),
    )  # fmt: skip
    views = ("T2-w", "T1c-w", "ADC", "mean_DL", "all_RAD", "T2-w_RAD", "ADC_RAD")
    tasks = ("benign-malignant", "PA-Warthin", "Warthin-malignant")
    others = [model(f"{task}/{view}", 0.2 + 0.1 * n, ("benign",)) for task in tasks for n, view in enumerate(views)]
    y, x = np.ogrid[-48:48, -48:48]
    grey = np.random.default_rng(1).integers(0, 90, (96, 96)) + 100 * (np.hypot(y, x) < 30)
    piece = Piece(grey.astype(np.uint8), np.hypot(y, x) < 30, np.ones(2))
    heat = np.exp(-np.hypot(y, x) / 20).astype(np.float32)
    told = answer(first, *others, case="uploaded", warnings=(), not_answered={"all/DWI-b0": "no DWI-b0"})
    pieces = dict.fromkeys(("T2-w", "T1c-w", "ADC"), piece)
    return Told(told, pieces=pieces, slice_heat={("all/T2-w", "T2-w"): heat})
