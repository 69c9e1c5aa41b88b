"""A bundle of tumour and ring, asked about one case."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fusion.data.case import Case, attempted, load
from fusion.errors import CohortError, Fault, FeatureError
from fusion.features.radiomics import engine
from fusion.features.radiomics.preset import columns
from fusion.heads.plain import Scores
from fusion.roi.box import box
from fusion.roi.patch import CasePatch, Patches
from fusion.roi.region import REGIONS, regions
from fusion.roi.upright import upright, upright_geometry
from fusion.serve import unlike
from fusion.serve.answer import Answer, RegionShare
from fusion.serve.asked import Asked
from fusion.serve.asked_models import Chosen, chosen
from fusion.serve.bundle import Bundle
from fusion.serve.judge import Known, judged
from fusion.serve.patient import Patient, patient
from fusion.serve.score import Scorer
from fusion.serve.seen import seen
from fusion.serve.told import Heat, Told
from fusion.types import Mask

IMAGE = "ct"
"""Key of the image's spacing in a bundle's ranges."""
Rows = dict[str, dict[str, float]]
"""Features by radiomics source and name."""


def answer(bundle: Bundle, scorer: Scorer, asked: Asked) -> Told:
    """Every model's answer to one case, its ring, and heat maps of the network score that the headline reads.

    Raises:
        FusionError: whatever a user can mend in files, regions or clinical values.
    """
    own, models, case = _read(bundle, asked)
    masks = regions(case, bundle.run.roi)
    question = bundle.deployed.questions[0]
    sources = {name for model in models.models for name in question.reads(model)[0]}
    rows, doubts = _features(bundle, case, masks, scorer.threads, sources)
    patch = box(case, masks["external2"], bundle.run.roi) if sources & set(question.networks) else None
    scores = _scores(bundle, scorer, patch, sources) if patch else {}
    scores |= {name: question.radiomics_scores(name, rows[name]) for name in question.radiomics if name in sources}
    heat, shares = _explained(bundle, models, case, masks["external2"], patch) if asked.explain else ({}, {})
    known = Known(scores, rows, own.encoded, shares)
    answers = tuple(judged(bundle, name, known) for name in models.models)
    warnings = (*case.notes, *_warnings(bundle, case, masks, rows, patch, own), *doubts)
    name = f"{bundle.name} {bundle.digest}"
    return Told(
        Answer.led_by_first(answers, asked.case, warnings, models.not_answered, name), case, masks["external2"], heat
    )


def _read(bundle: Bundle, asked: Asked) -> tuple[Patient, Chosen, Case]:
    """Clinical values, models and images, or the faults of all of them."""
    faults: list[Fault] = []
    run, files = bundle.run, asked.files
    assert files is not None
    own = attempted(lambda: patient(asked.clinical, run, asked.case), faults)
    models = attempted(lambda: chosen(bundle, asked, own), faults) if own else None
    plain = replace(files, second_reader=None, repeat=None)
    case = attempted(lambda: load(plain, run.cohort, run.roi.resample_mask), faults)
    if own is None or models is None or case is None:
        raise CohortError(faults)
    return own, models, case


def _features(
    bundle: Bundle, case: Case, masks: Mapping[str, Mask], threads: int, sources: Iterable[str]
) -> tuple[Rows, list[str]]:
    """Features by radiomics source, each region's and those of both together, and what to be careful about."""
    radiomics = bundle.run.radiomics
    if not set(sources) & set(bundle.deployed.questions[0].radiomics):
        return {}, []
    try:
        found = engine.measure(case.image, dict(masks), case.geometry, radiomics, threads)
    except FeatureError as error:
        raise FeatureError([replace(fault, case=case.name) for fault in error.faults]) from error
    names = columns(radiomics)
    own = {region: dict(zip(names, found.features[region].tolist(), strict=True)) for region in REGIONS}
    both = {f"{region}:{name}": value for region in REGIONS for name, value in own[region].items()}
    rows = {f"{region}_RAD": own[region] | both for region in REGIONS} | {"+".join(REGIONS) + "_RAD": both}
    return rows, [f"{region}: {words}" for region in REGIONS for words in found.warnings[region]]


def _scores(bundle: Bundle, scorer: Scorer, patch: CasePatch, sources: Iterable[str]) -> dict[str, Scores]:
    assert bundle.run.network is not None
    both = seen(patch, bundle.run.roi, bundle.run.network.input)
    wanted = [name for name in bundle.deployed.questions[0].networks if name in set(sources)]
    return scorer.scores("", {name: both[:, list(scorer.branches("", name))] for name in wanted})


def _explained(
    bundle: Bundle, models: Chosen, case: Case, ring: Mask, patch: CasePatch | None
) -> tuple[dict[str, Heat], dict[str, tuple[RegionShare, ...]]]:
    """Heat maps by region and shares by source, of the network score that the headline reads, if it reads one."""
    question = bundle.deployed.questions[0]
    source = next((name for name in question.reads(models.headline)[0] if name in question.networks), None)
    if source is None or patch is None:
        return {}, {}
    from fusion.serve import explain  # which loads torch

    heat, shares = explain.regions(bundle, Patches.stack([case.name], [patch]), case, ring, source)
    return heat, {source: shares}


def _warnings(
    bundle: Bundle, case: Case, masks: Mapping[str, Mask], rows: Rows, patch: CasePatch | None, own: Patient
) -> list[str]:
    ranges, hu = bundle.ranges, bundle.run.roi.external2.hu_range is not None
    both = rows.get("+".join(REGIONS) + "_RAD", {})
    found = unlike.unlike_grey(case.image, masks, both, ranges, hu)
    found += unlike.cut_off({name: upright(mask, case.geometry) for name, mask in masks.items()})
    if patch is not None and patch.exceeds:
        found.append("the tumour is larger than the box that the networks see: they see its middle")
    found += unlike.unlike_spacing(upright_geometry(case.geometry).spacing_mm, IMAGE, ranges)
    return found + unlike.unlike_numbers(own.numbers, ranges) + unlike.unlike_features(both, ranges)
