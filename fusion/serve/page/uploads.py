"""The browser's uploads, by role; what a file is called stays unseen."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fusion.errors import Fault
from fusion.serve.kind import DICOM, suffix_of
from fusion.serve.limits import UploadError
from fusion.serve.uploads import Desk

UNREADABLE = ".unreadable"


def nameless(role: str) -> Callable[[str | None], str | None]:
    """Renames an upload after its role as soon as it arrives, so that the page shows no name of a patient."""

    def renamed(upload: str | None) -> str | None:
        if upload is None:
            return None
        path = Path(upload)
        suffix = suffix_of(path, path.name)
        # What cannot be read is told when the button is pressed, with everything else that is wrong.
        return str(path.rename(path.with_name(f"{role}{UNREADABLE if isinstance(suffix, Fault) else suffix}")))

    return renamed


def by_role(uploads: Mapping[str, str | None]) -> dict[str, Path]:
    """The uploads that there are.

    Raises:
        UploadError: one that has been removed since, for its time was over.
    """
    paths = {role: Path(own) for role, own in uploads.items() if own}
    gone = [role for role, path in paths.items() if not path.is_file()]
    if gone:
        found, remedy = "an upload that is no longer kept", "choose the file again"
        raise UploadError([Fault(found, "a file chosen a few minutes ago", remedy, file=role) for role in gone])
    return paths


def is_series(desk: Desk, upload: str | None) -> bool:
    """Whether the image came as DICOM, so that DICOM objects can be given back."""
    if not upload:
        return False
    path = Path(upload)
    if path.suffix != ".zip":
        return path.suffix == DICOM
    try:
        with desk.request() as folder:
            return any(own.suffix == DICOM for own in desk.unpack(path, folder / "image").files.values())
    except UploadError:  # told when the button is pressed
        return False


def field(role: str, label: str, **more: Any) -> Any:
    """A place for a file that loses its name on arrival."""
    import gradio as gr

    own = gr.File(label=label, height=132, elem_id=f"fu-{role}", **more)
    own.upload(nameless(role), own, own, show_progress="hidden", api_visibility="private", queue=False)
    return own
