"""What the API's page says of forms, which are read field by field and so are not known by their types."""

from typing import Any

from fusion.serve.service import Service

FILE = {"type": "string", "format": "binary"}
WORD = {"type": "string"}
FAULTS = {
    413: "more than this server takes",
    415: "of no kind that can be read",
    422: "unreadable, or not fitting the bundle",
    503: "too many requests waiting, or stopping; try again",
    504: "took too long",
}


def predict(service: Service) -> dict[str, Any]:
    """Of POST /api/predict: the fields that the bundles served here know."""
    fields: dict[str, Any] = {}
    for own in service.bundles.values():
        if own.manifest.kind == "regions":
            fields |= {
                "image": FILE | {"description": "NIfTI, NRRD, MHA, one DICOM file, or a zip of a DICOM series"},
                "mask": FILE | {"description": "the tumour; also RT structure set or DICOM SEG"},
                "external2": FILE | {"description": "a hand-refined ring, if there is one"},
                "archive": FILE | {"description": "instead of these: a zip with all of them"},
            }
        for sequence in own.run.used_sequences:
            fields[f"image_{sequence}"] = FILE | {"description": "PNG, JPEG, DICOM slice, or volume"}
            fields[f"mask_{sequence}"] = FILE | {"description": "the tumour on the same pixels"}
        fields |= {f"clinical_{name}": WORD for name in own.run.cohort.clinical}
    return _described(_common(service) | fields, "the answer, and where its files are for some minutes")


def cohort() -> dict[str, Any]:
    """Of POST /api/cohort."""
    fields = {
        "bundle": WORD,
        "archive": FILE | {"description": "a zip with the files, and the table unless it comes by itself"},
        "table": FILE | {"description": "CSV, Excel or Parquet with the columns of the bundle's cohort"},
        "model": {"type": "array", "items": WORD},
    }
    return _described(fields, "answers by row, and the faults of rows without one")


def _common(service: Service) -> dict[str, Any]:
    from fusion.serve.api import OUTPUTS

    return {
        "bundle": {"type": "string", "enum": list(service.bundles), "description": "may be left out if it is one"},
        "model": {"type": "array", "items": WORD, "description": "models to answer, the first as headline"},
        "output": {"type": "array", "items": {"type": "string", "enum": list(OUTPUTS)}},
        "explain": {"type": "string", "enum": ["true", "false"], "description": "heat maps and regions' shares"},
    }


def _described(fields: dict[str, Any], answer: str) -> dict[str, Any]:
    body = {"multipart/form-data": {"schema": {"type": "object", "properties": fields}}}
    faults = {code: {"description": f"faults: {words}"} for code, words in FAULTS.items()}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": body}},
        "responses": {200: {"description": answer}, **faults},
    }
