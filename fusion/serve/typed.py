"""What a user types of one case, as a question to a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.data.case import Files
from fusion.data.cohort import SAFE_NAME
from fusion.data.study import Scan, Study
from fusion.errors import CohortError, Fault
from fusion.serve.asked import Asked
from fusion.serve.bundle import Bundle


@dataclass(frozen=True)
class Typed:
    """Options of `fusion predict`, as typed."""

    case: str
    images: Sequence[str] = ()
    """A path, or ``SEQUENCE=path`` for slices."""
    masks: Sequence[str] = ()
    external2: Path | None = None
    clinical: Sequence[str] = ()
    """``NAME=value``."""
    models: Sequence[str] = ()
    task: str | None = None
    """Whose models ``models`` are then, with or without its name."""
    explain: bool = True


def asked(typed: Typed, bundle: Bundle) -> Asked:
    """The question to ``bundle``.

    Raises:
        CohortError: every option that says nothing to the bundle.
    """
    faults = [] if SAFE_NAME.fullmatch(typed.case) else [_no_name(typed.case)]
    clinical, more = pairs(typed.clinical, "--clinical", "NAME=value", typed.case)
    given, wrong = _study(typed) if bundle.manifest.kind == "slices" else _files(typed)
    if faults := [*faults, *more, *wrong]:
        raise CohortError(faults)
    files, study = (None, given) if isinstance(given, Study) else (given, None)
    return Asked(files, study, clinical, models(typed, bundle), typed.explain, typed.task)


def models(typed: Typed, bundle: Bundle) -> tuple[str, ...] | None:
    """Models with their task's name.

    Raises:
        CohortError: a task that the bundle lacks.
    """
    known = [own.name for own in bundle.deployed.questions if own.name]
    if typed.task is not None and typed.task not in known:
        expected = f"one of {', '.join(known)}" if known else "no task, as this bundle has one question alone"
        raise CohortError(Fault(f"task {typed.task!r}", expected, "mend --task", typed.case))
    start = "" if typed.task is None else f"{typed.task}/"
    return tuple(f"{start}{name.removeprefix(start)}" for name in typed.models) or None


def pairs(words: Sequence[str], option: str, form: str, case: str) -> tuple[dict[str, str], list[Fault]]:
    """``NAME=value`` by name; words of another form and names that come twice as faults."""
    found: dict[str, str] = {}
    faults = []
    for own in words:
        name, sign, value = own.partition("=")
        if not sign or not name:
            faults.append(Fault(f"{option} {own}", form, "say what it is", case))
        elif name in found:
            faults.append(Fault(f"{option} {name} twice", "each once", "leave one out", case))
        found[name] = value
    return found, faults


def _files(typed: Typed) -> tuple[Files | None, list[Fault]]:
    given = {"--image": typed.images, "--mask": typed.masks}
    faults = [
        Fault(f"{len(words) or 'no'} {option}", "one", f"give one {option}", typed.case)
        for option, words in given.items()
        if len(words) != 1
    ]
    if faults:
        return None, faults
    return Files(typed.case, Path(typed.images[0]), Path(typed.masks[0]), typed.external2), []


def _study(typed: Typed) -> tuple[Study | None, list[Fault]]:
    """The slices by sequence; whether the bundle knows these, and which needs a mask, the answer tells."""
    form = "SEQUENCE=path, as this bundle reads slices"
    images, faults = pairs(typed.images, "--image", form, typed.case)
    masks, more = pairs(typed.masks, "--mask", form, typed.case)
    alone = [Fault(f"--mask {name}=... without its image", "both", "give --image too", typed.case)
             for name in masks if name not in images]  # fmt: skip
    if typed.external2 is not None:
        alone.append(Fault("--external2", "images of tumour and ring", "leave it out of slices", typed.case))
    paths = {name: Path(mask) for name, mask in masks.items()}
    scans = tuple(Scan(name, Path(image), paths.get(name)) for name, image in images.items())
    return Study(typed.case, scans), [*faults, *more, *alone]


def _no_name(case: str) -> Fault:
    return Fault(f"case name {case!r}", "letters, digits and . _ - + = @", "say another --case")
