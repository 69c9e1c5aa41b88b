"""The CT tab: image and mask, what is known of the patient, and the answer with its three planes."""

from collections.abc import Sequence
from typing import Any

from fusion.errors import FusionError
from fusion.serve.asked import Outputs
from fusion.serve.bundle import Bundle
from fusion.serve.page import templates, uploads, words
from fusion.serve.page.fields import fields, given, needed
from fusion.serve.patient import variable
from fusion.serve.service import Question, Service

EMPTY = '<p class="fu-empty">The answer appears here.</p>'
FILES = {
    "sheet.pdf": "Sheet (PDF)", "sheet.html": "Sheet (HTML)", "answer.json": "Answer (JSON)",
    "external2.nii.gz": "External2 (NIfTI)", "heat_tumour.nii.gz": "Heat map, tumour (NIfTI)",
    "heat_external2.nii.gz": "Heat map, External2 (NIfTI)", "overlay.png": "Overlay (PNG)",
    "external2_seg.dcm": "External2 (DICOM SEG)", "answer_sr.dcm": "Answer (DICOM SR)",
}  # fmt: skip
"""What can be taken away, where it is there."""


def tab(service: Service, bundle: Bundle) -> None:
    """Lay out the tab of a bundle of regions."""
    import gradio as gr

    names = needed(bundle)
    image = words.image_name(bundle.run)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            picture = uploads.field("image", f"{image} image, or zip of a DICOM series")
            mask = uploads.field("mask", "Tumour mask (not where the zip holds it)")
            with gr.Accordion("External2 drawn by hand", open=False):
                ring = uploads.field("external2", "External2 mask (optional)")
            model = gr.Dropdown(list(models(bundle)), value=bundle.card.headline, label="Model that answers first")
            if names:
                templates.panel('<h2 class="fu-h">Patient</h2>')
            with gr.Row():
                known = fields(bundle, names)
            objects = gr.Checkbox(False, label="Make DICOM SEG and SR", visible=False)
            button = gr.Button("Answer", variant="primary", elem_id="fu-ask")
        with gr.Column(scale=3, min_width=340):
            shown = templates.panel(EMPTY)
    picture.change(
        lambda own: _offered(uploads.is_series(service.desk, own)), picture, objects, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    button.click(
        lambda *told: answered(service, bundle, names, told),
        [picture, mask, ring, model, objects, *known], shown, api_visibility="private", concurrency_limit=16,
    )  # fmt: skip


def _offered(series: bool) -> Any:
    """DICOM objects are made of DICOM series alone."""
    import gradio as gr

    return gr.update(value=series, visible=series)


def models(bundle: Bundle) -> tuple[str, ...]:
    """The bundle's models, the headline first."""
    return tuple(dict.fromkeys((bundle.card.headline, *bundle.deployed.judgements)))


def answered(service: Service, bundle: Bundle, names: Sequence[str], told: Sequence[Any]) -> str:
    """The answer to what was chosen and filled in, or what is wrong with it."""
    image, mask, ring, model, objects, *values = told
    clinical = given(names, values)
    secret, folder = service.shelf.place()
    try:
        files = uploads.by_role({"image": image, "mask": mask, "external2": ring})
        outputs = Outputs(folder, sheet_html=True, sheet_pdf=True, dicom=bool(objects), viewer=True)
        answer = service.ask_uploads(bundle.name, files, Question(clinical, wanted(bundle, model, clinical)), outputs)
    except FusionError as error:
        service.shelf.drop(secret)
        return templates.faults(error.faults)
    there = {name: about for name, about in FILES.items() if (folder / name).is_file()}
    return templates.answer(answer, secret, there, viewer=(folder / "view_image.nii.gz").is_file())


def wanted(bundle: Bundle, model: str, clinical: dict[str, str]) -> tuple[str, ...] | None:
    """``model`` first, then all that the values given are enough for; None where it is the headline anyway."""
    if model == bundle.card.headline:
        return None

    def enough(other: str) -> bool:
        question, name = bundle.deployed.question(other)
        return all(variable(column, bundle.run) in clinical for column in question.reads(name)[1])

    return (model, *(other for other in models(bundle) if other != model and enough(other)))
