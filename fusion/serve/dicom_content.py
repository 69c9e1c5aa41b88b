"""What a structured report says of an answer, as coded content (DICOM PS3.16, TID 1500 and 1501)."""

import hashlib
from importlib.metadata import version
from typing import Any

import highdicom as hd
from highdicom.sr import CodedConcept, Measurement, QualitativeEvaluation
from pydicom.sr.codedict import codes

from fusion.serve.answer import Answer, ModelAnswer
from fusion.serve.dicom_source import Source

SCHEME = "99FUSION"
PROCEDURES = {
    "CT": codes.LN.CTUnspecifiedBodyRegion,
    "MR": codes.LN.MRIUnspecifiedBodyRegion,
    "PT": codes.LN.PETUnspecifiedBodyRegion,
}
LONGEST_MEANING = 64


def content(answer: Answer, source: Source) -> Any:
    """The report's tree: who observed, what was imaged, and a group of measurements a model, the headline's first."""
    device = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=hd.UID(), name="fusion", manufacturer_name="fusion", model_name="fusion", serial_number=answer.bundle
        ),
    )
    ordered = sorted(answer.answers, key=lambda own: own.model != answer.model)
    return hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=PROCEDURES[source.modality],
        imaging_measurements=[_group(own, answer, source) for own in ordered],
        title=codes.DCM.ImagingMeasurementReport,
    )


def _group(own: ModelAnswer, answer: Answer, source: Source) -> Any:
    said = [f"bundle: {answer.bundle}", f"threshold: {own.threshold_rule}", answer.note]
    middle = source.datasets[len(source.datasets) // 2]
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=hd.UID(), identifier=own.model),
        finding_type=codes.SCT.Neoplasm,
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=f"fusion {own.model}", version=version("fusion"), parameters=[*said, *answer.warnings]
        ),
        measurements=_numbers(own),
        qualitative_evaluations=_calls(own, answer.note),
        source_images=[hd.sr.SourceImageForMeasurementGroup.from_source_image(middle)],
    )


def _numbers(own: ModelAnswer) -> list[Measurement]:
    """Probabilities of every class, then threshold and interval of the positive class where there are two."""
    told = {f"Probability of {name}": value for name, value in own.probabilities.items()}
    if own.threshold is not None:
        told["Threshold of probability"] = own.threshold
    if own.interval is not None:
        told[f"Low end of 95 % interval, {own.positive}"], told[f"High end of 95 % interval, {own.positive}"] = (
            own.interval
        )
    return [Measurement(name=_coded(name), value=value, unit=codes.UCUM.NoUnits) for name, value in told.items()]


def _calls(own: ModelAnswer, note: str) -> list[QualitativeEvaluation]:
    refer = codes.SCT.Yes if own.refer else codes.SCT.No
    return [
        QualitativeEvaluation(name=_coded("Class called"), value=_coded(own.label)),
        *(QualitativeEvaluation(name=_coded("Class that cannot be left out"), value=_coded(name)) for name in own.set),
        QualitativeEvaluation(name=_coded("To be decided by a human"), value=refer),
        QualitativeEvaluation(name=_coded("Use"), value=_coded(note)),
    ]


def _coded(meaning: str) -> CodedConcept:
    """A concept of our own scheme: a value made of its meaning, as classes have any names."""
    value = hashlib.sha256(meaning.encode()).hexdigest()[:12].upper()
    return CodedConcept(value=f"F{value}", scheme_designator=SCHEME, meaning=meaning[:LONGEST_MEANING])
