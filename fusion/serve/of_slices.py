"""A bundle of slices, asked about one case: every task by every model that the case has a sequence for."""

from collections.abc import Iterator

from jaxtyping import Float32
from numpy import ndarray

from fusion.config.run import Run
from fusion.data.picture import SUFFIXES
from fusion.data.study import Study
from fusion.features.radiomics.preset import columns
from fusion.features.slice_preset import on_slices
from fusion.features.slices import case_features
from fusion.heads.plain import Question
from fusion.roi.cut_slice import look, stack
from fusion.roi.slice import Slices
from fusion.serve import unlike
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked
from fusion.serve.asked_models import Chosen, chosen
from fusion.serve.bundle import Bundle
from fusion.serve.judge import Known, judged
from fusion.serve.patient import Patient, patient
from fusion.serve.score import Scorer
from fusion.serve.seen_slices import noted_units, seen_slices
from fusion.serve.study_fits import refuse_unfit
from fusion.serve.told import Told

SliceHeat = dict[tuple[str, str], Float32[ndarray, "y x"]]
"""By model, with its task, and sequence."""
Row = dict[str, float]
"""Features by ``SEQUENCE:FEATURE``."""

_UNKNOWN = "its file does not say how large a pixel is, which is taken as 1 mm; "


def answer(bundle: Bundle, scorer: Scorer, asked: Asked) -> Told:
    """Every model's answer to one case, and for each task and sequence the heat map of the first model that sees it.

    A model of several sequences answers where one of them is given at least, as it does in a run.

    Raises:
        FusionError: whatever a user can mend in slices, masks or clinical values.
    """
    assert asked.study is not None
    run = bundle.run
    refuse_unfit(asked.study, run)
    own, pieces = patient(asked.clinical, run, asked.case), look(asked.study, run.cohort, run.roi.slice)
    slices = stack([asked.study], [pieces], run.used_sequences)
    models = chosen(bundle, asked, own, _lacking(bundle, slices))
    row, warnings = _features(run, slices, scorer.threads) if _reads_radiomics(bundle, models) else ({}, [])
    known = {q.name: _known(bundle, scorer, q, models, slices, row, own) for q in bundle.deployed.questions}
    answers = tuple(judged(bundle, name, known[bundle.deployed.question(name)[0].name]) for name in models.models)
    warned = (*_warnings(bundle, asked.study, models, slices, row, own), *warnings)
    made_by = f"{bundle.name} {bundle.digest}"
    whole = Answer.led_by_first(answers, asked.case, warned, models.not_answered, made_by)
    heat = _explained(bundle, whole, slices) if asked.explain else {}
    return Told(whole, pieces=pieces, slice_heat=heat)


def _lacking(bundle: Bundle, slices: Slices) -> set[str]:
    """``TASK/SOURCE`` of networks none of whose sequences is given, and of radiomics with cells that nothing fills."""
    nets = {(own.question, own.source) for own in bundle.deployed.networks if not slices.has(own.branches)[0]}
    drawn = {name for n, name in enumerate(slices.sequences) if slices.mask[0, n].any()}
    rads = {
        (question.name, source)
        for question in bundle.deployed.questions
        for source, heads in question.radiomics.items()
        if any(own.fill is None and own.name.partition(":")[0] not in drawn for head in heads for own in head.columns)
    }
    return {f"{task}/{source}" for task, source in nets | rads}


def _reads_radiomics(bundle: Bundle, models: Chosen) -> bool:
    asked = [bundle.deployed.question(model) for model in models.models]
    return any(source in question.radiomics for question, name in asked for source in question.reads(name)[0])


def _features(run: Run, slices: Slices, threads: int) -> tuple[Row, list[str]]:
    """The case's features, of sequences that it lacks NaN, and what to be careful about."""
    radiomics = on_slices(run.radiomics)
    found, names = case_features(slices, radiomics, threads), columns(radiomics)
    row = {f"{sequence}:{name}": float("nan") for sequence in slices.sequences for name in names}
    for sequence, own in found.items():
        row |= {f"{sequence}:{name}": value for name, value in zip(names, own.features.tolist(), strict=True)}
    return row, [f"{sequence}: {words}" for sequence, own in found.items() for words in own.warnings]


def _known(
    bundle: Bundle, scorer: Scorer, question: Question, models: Chosen, slices: Slices, row: Row, patient: Patient
) -> Known:  # fmt: skip
    """Scores of the sources that the task's chosen models read."""
    asked = [name for task, _, name in (model.rpartition("/") for model in models.models) if task == question.name]
    sources = {source for name in asked for source in question.reads(name)[0]}
    seen = {
        source: seen_slices(slices, scorer.branches(question.name, source), noted_units(scorer, question.name, source))
        for source in question.networks
        if source in sources
    }
    scores = scorer.scores(question.name, seen)
    rows = {source: _filled(question, source, row) for source in question.radiomics if source in sources}
    scores |= {source: question.radiomics_scores(source, own) for source, own in rows.items()}
    return Known(scores, rows, patient.encoded)


def _filled(question: Question, source: str, row: Row) -> Row:
    """With the training medians that heads put into empty cells, so that contributions tell the values that counted."""
    heads = question.radiomics[source]
    fill = {own.name: own.fill for head in heads for own in head.columns if own.fill is not None}
    return {name: fill.get(name, value) if value != value else value for name, value in row.items()}


def _warnings(
    bundle: Bundle, study: Study, models: Chosen, slices: Slices, row: Row, patient: Patient
) -> Iterator[str]:  # fmt: skip
    """What is not given and what is unlike the training cases."""
    for number, name in enumerate(slices.sequences):
        if (scan := study.scan(name)) is not None:
            pixel_mm = slices.pixel_mm[0, number].tolist()
            if words := "; ".join(unlike.unlike_spacing((1.0, *pixel_mm), name, bundle.ranges)):
                yield f"{name}: {_UNKNOWN if scan.image.name.lower().endswith(SUFFIXES) else ''}{words}"
        elif without := [model for model in models.models if number in _read(bundle, model)]:
            yield f"no {name} given: {', '.join(without)} answer from the other sequences"
    yield from unlike.unlike_numbers(patient.numbers, bundle.ranges)
    yield from unlike.unlike_features(row, bundle.ranges)


def _read(bundle: Bundle, model: str) -> set[int]:
    """Numbers of the sequences behind a model's scores."""
    question, name = bundle.deployed.question(model)
    sources = question.reads(name)[0]
    nets = [own for own in bundle.deployed.networks if own.question == question.name and own.source in sources]
    every = range(len(bundle.run.used_sequences)) if set(sources) & set(question.radiomics) else ()
    return {*every, *(number for own in nets for number in own.branches)}


def _explained(bundle: Bundle, whole: Answer, slices: Slices) -> SliceHeat:
    """Of several classes the maps speak for the one that the model called."""
    from fusion.serve import explain  # which loads torch

    found: SliceHeat = {}
    for own in whole.answers:
        task = own.model.rpartition("/")[0]
        done = {sequence for model, sequence in found if model.rpartition("/")[0] == task}
        if set(explain.sequences(bundle, slices, own.model)) - done:
            maps = explain.slices(bundle, slices, own.model, own.label)
            found |= {(own.model, sequence): heat for sequence, heat in maps.items()}
    return found
