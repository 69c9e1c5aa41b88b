"""Messages without names: a file is told by its role, a case not at all."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fusion.errors import Fault, FusionError
from fusion.serve.kind import READABLE

Error = TypeVar("Error", bound=FusionError)
UNREADABLE = re.compile(r"(unreadable [^()]*?)\s*\(.*\)", re.DOTALL)
"""What a library says of a file that it cannot read may quote the file."""
PATH = re.compile(r"(?<![\w.<])(?:/[^\s/:;,'\")\]]+){2,}/?")


def without_names(error: Error, folder: Path) -> Error:
    """The same error in words that hold no path, no case and no quotation from an unreadable file.

    Args:
        error: with the paths of files in ``folder``.
        folder: of the request, in which files are named by role.
    """
    return type(error)(_without_names(fault, folder) for fault in error.faults)


def _without_names(fault: Fault, folder: Path) -> Fault:
    words = {name: _words(getattr(fault, name), folder) for name in ("found", "expected", "remedy")}
    return replace(fault, **words, case=None, file=None if fault.file is None else role(fault.file, folder))


def role(file: str, folder: Path) -> str:
    """The role of a file in ``folder``: its stem, or that of the folder it was unpacked to.

    >>> role("/desk/r1/image/0003.dcm", Path("/desk/r1")), role("/desk/r1/mask.nii.gz", Path("/desk/r1"))
    ('image', 'mask')
    >>> role("mask", Path("/desk/r1")), role("/etc/x/y", Path("/desk/r1"))
    ('mask', 'a file')
    """
    path = Path(file)
    if path.is_relative_to(folder) and path != folder:
        first = path.relative_to(folder).parts[0]
        return next((first.removesuffix(own) for own in READABLE if first.endswith(own)), first)
    return "a file" if path.is_absolute() else file


def _words(words: str, folder: Path) -> str:
    inside = re.compile(re.escape(str(folder)) + r"[^\s:;,'\")\]]*")
    words = inside.sub(lambda match: role(match[0], folder), words)
    return UNREADABLE.sub(r"\1", PATH.sub("a file", words))
