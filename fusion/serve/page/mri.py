"""The MRI tab: three slots, each with its picture, sequence and task, answered by one button."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fusion.errors import Fault, FusionError
from fusion.serve.asked import Outputs
from fusion.serve.bundle import Bundle
from fusion.serve.limits import UploadError
from fusion.serve.page import templates, uploads
from fusion.serve.service import Question, Service

SLOTS = 3
"""As many as Kaba 2025's program shows beside each other."""
EMPTY = '<p class="fu-empty">No picture yet.</p>'


@dataclass(frozen=True)
class Slot:
    """What was chosen in a slot."""

    number: int
    sequence: str
    task: str
    image: str | None
    mask: str | None

    @property
    def model(self) -> str:
        """Of the pair."""
        return f"{self.task}/{self.sequence}"


def tab(service: Service, bundle: Bundle) -> None:
    """Lay out the tab of a bundle of slices."""
    import gradio as gr

    chosen: list[Any] = []
    shown: list[Any] = []
    with gr.Row():
        for number in range(SLOTS):
            with gr.Column(min_width=300):
                chosen += _slot(bundle, number)
    button = gr.Button("Answer all", variant="primary", elem_id="fu-ask-slices")
    with gr.Row():
        for number in range(SLOTS):
            with gr.Column(min_width=300, elem_id=f"fu-answer-{number + 1}"):
                shown.append(templates.panel(EMPTY))
    button.click(
        lambda *told: _all(service, bundle, told), chosen, shown, api_visibility="private", concurrency_limit=16
    )


def answered(service: Service, bundle: Bundle, slot: Slot) -> str:
    """The answer to a slot, or what is wrong with it."""
    if not slot.image and not slot.mask:
        return EMPTY
    secret, folder = service.shelf.place()
    try:
        refuse_unknown(slot, bundle.deployed.judgements, bundle.run.used_sequences)
        files = uploads.by_role({f"image_{slot.sequence}": slot.image, f"mask_{slot.sequence}": slot.mask})
        answer = service.ask_uploads(bundle.name, files, Question({}, (slot.model,)), Outputs(folder))
    except FusionError as error:
        service.shelf.drop(secret)
        return templates.faults(error.faults)
    heat, plain = f"heat_{slot.task}_{slot.sequence}.png", f"slice_{slot.sequence}.png"
    name = heat if (folder / heat).is_file() else plain
    about = f"{slot.sequence} as the network saw it" + (", and where it looked" if name == heat else "")
    pictures = {name: about} if (folder / name).is_file() else {}
    return templates.slot(answer.of(slot.model), slot.sequence, secret, pictures)


def _slot(bundle: Bundle, number: int) -> list[Any]:
    """A slot's choices: sequence, task, image, mask."""
    import gradio as gr

    sequences, tasks = bundle.run.used_sequences, tuple(bundle.run.used_tasks)
    sequence = sequences[number % len(sequences)]
    where = f", picture {number + 1}"
    which = gr.Dropdown(list(sequences), value=sequence, label=f"Sequence{where}")
    task = gr.Dropdown(list(tasks), value=tasks[number % len(tasks)], label=f"Task{where}")
    image = uploads.field(f"image{number + 1}", f"Slice or volume{where}")
    mask = uploads.field(f"mask{number + 1}", f"Tumour mask{where}", visible=_masked(bundle, sequence))
    which.change(
        lambda own: gr.update(visible=_masked(bundle, own)), which, mask, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    return [which, task, image, mask]


def _masked(bundle: Bundle, sequence: str) -> bool:
    """Whether slices of this sequence come with the tumour's mask."""
    return bundle.run.cohort.sequences[sequence].mask is not None


def _all(service: Service, bundle: Bundle, told: tuple[Any, ...]) -> list[str]:
    """Every slot's answer."""
    each = len(told) // SLOTS
    slots = [Slot(number, *told[number * each : (number + 1) * each]) for number in range(SLOTS)]
    if not any(slot.image for slot in slots):
        missing = Fault("no picture", "one at least", "choose a slice and its mask", file="picture 1")
        return [templates.faults([missing]), *[EMPTY] * (SLOTS - 1)]
    return list(map(partial(answered, service, bundle), slots))


def refuse_unknown(slot: Slot, models: Iterable[str], sequences: Collection[str]) -> None:
    """Raise UploadError for a pair of sequence and task for which there is no model."""
    known = [name for name in models if name.rpartition("/")[2] in sequences]
    if slot.model not in known:
        found = f"no model of task {slot.task} for sequence {slot.sequence}"
        raise UploadError(Fault(found, f"one of {', '.join(known)}", "choose another task or sequence"))
