"""What the machine refuses, in words that a user can act on: a full disk, a lost drive, no permission, no memory."""

import errno
import os
import re

from fusion.errors import Fault

GOES_ON = "what is done stays done, and the same command goes on from there"
DRIVE = ("a drive that does not answer", "one that can be read and written", f"connect it again; {GOES_ON}")
REFUSED = ("no permission", "a file that this user may read or write", f"ask for the rights or name another; {GOES_ON}")
TOO_MANY_FILES = ("too many open files", "fewer", f"raise the limit (ulimit -n) or set fewer jobs; {GOES_ON}")
FULL = ("a full disk", "room to write", f"free some space; {GOES_ON}")
SAID = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: ("a used up quota", *FULL[1:]),
    errno.EFBIG: ("a file larger than this disk or user may have", "a larger limit", f"raise it; {GOES_ON}"),
    errno.EROFS: ("a read-only disk", "one that can be written", f"name another place, or mount it anew; {GOES_ON}"),
    errno.EACCES: REFUSED,
    errno.EPERM: REFUSED,
    errno.EIO: ("a disk that fails to read or write (EIO)", "a sound one", f"check disk and cable; {GOES_ON}"),
    errno.EMFILE: TOO_MANY_FILES,
    errno.ENFILE: TOO_MANY_FILES,
    errno.ENOMEM: ("too little memory", "more", f"set fewer jobs, or close other programs; {GOES_ON}"),
    errno.ENAMETOOLONG: ("a name too long for this disk", "a shorter one", "shorten names of cases or folders"),
    errno.ENOENT: ("no such file or folder", "one", "check the path, and that nobody moves files meanwhile"),
    errno.EEXIST: ("something of this name already", "none", "name another place, or delete it"),
    errno.ENOTDIR: ("a file where a folder should be", "a folder", "name another place, or move the file"),
    errno.EISDIR: ("a folder where a file should be", "a file", "name another place, or move the folder"),
    errno.EADDRINUSE: ("a port in use", "a free one", "name another with --port"),
    **dict.fromkeys(
        (errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO, errno.EHOSTDOWN, errno.EHOSTUNREACH,
         errno.ENETUNREACH, errno.ENETDOWN, errno.EREMOTEIO), DRIVE,
    ),
}  # fmt: skip
"""By error number: found, expected, remedy."""
EVERYONES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Errors that meet a file by chance: the next one would end like it."""
IN_RUST = re.compile(r"\(os error (\d+)\)")
"""How safetensors tells the system's error."""


def fault_of(error: BaseException) -> Fault | None:
    """``error`` as a fault, where the machine is to blame; None of any other error.

    >>> print(fault_of(OSError(28, "No space left on device", "a.csv")))
    a.csv: found a full disk; expected room to write; free some space; what is done stays done, and the same command \
goes on from there
    """
    if isinstance(error, MemoryError):
        return Fault(*SAID[errno.ENOMEM])
    number = errno_of(error)
    if number is None:
        return _damaged(error)
    name = getattr(error, "filename", None)
    said = SAID.get(number, (f"an error of the system: {os.strerror(number)}", "none", f"mend it; {GOES_ON}"))
    return Fault(*said, file=None if name is None else os.fsdecode(name))


def of_file(error: OSError) -> Fault:
    """``error`` as the fault of the file that it names.

    Raises:
        OSError: ``error`` itself, where that file met it by chance and the next one would, too, as on a full disk.
    """
    if error.errno in EVERYONES:
        raise error
    return fault_of(error) or Fault(f"an error of the system: {error}", "none", f"mend it; {GOES_ON}")


def errno_of(error: BaseException) -> int | None:
    """The system's number of what went wrong, if ``error`` carries one."""
    if isinstance(error, OSError):
        return error.errno
    found = IN_RUST.search(str(error)) if type(error).__module__.startswith("safetensors") else None
    return int(found[1]) if found else None


def _damaged(error: BaseException) -> Fault | None:
    """A file that its library cannot make sense of."""
    kind, words = type(error), str(error).strip().splitlines() or [type(error).__name__]
    if kind.__module__.startswith(("safetensors", "pyarrow", "zipfile")) or kind is OSError:
        reason = words[0]
    elif isinstance(error, RuntimeError) and ("ITK ERROR" in str(error) or "sitk::ERROR" in str(error)):
        reason = words[-1].strip()
    else:
        return None
    remedy = f"delete or replace the file that it names; {GOES_ON}"
    return Fault(f"a damaged file ({reason})", "one as it was written", remedy)
