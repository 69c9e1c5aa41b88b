"""Zips in a case's paths: each unpacked once, as long as a block lasts, into a private folder that is gone afterwards.

Reading a case does so once for its image and masks together. A run that reads a case several times unpacks as often:
200 slices of 512 x 512 take 0.5 s of one core, reading them 0.8 s. In return no copy of patients' files stays anywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fusion.data.archive import ArchiveError, Room, unpack
from fusion.data.dicom.found import BESIDE, LITTER, MOST_FILES
from fusion.data.image import DICOM_SUFFIX, is_zip
from fusion.data.private_folder import private_folder
from fusion.errors import CohortError, Fault

PREFIX = "fusion-zip-"
ROOM = Room(files=MOST_FILES, unpacked_bytes=8 * 2**30)


@contextmanager
def unzipped(*paths: Path | None) -> Iterator[dict[Path, Path]]:
    """By path, where to read it: a zip in the folder that it is unpacked to, anything else where it is.

    Inside the block, and of it, faults name the zip and the number of the file in it, never the file's own name.

    Args:
        paths: of a case's image and masks; None for those that it does not have.

    Raises:
        CohortError: a zip that is broken, too large, or not safe to unpack.
    """
    given = [path for path in dict.fromkeys(paths) if path is not None]
    zips = [path for path in given if is_zip(path) and path.is_file()]
    if not zips:
        yield {path: path for path in given}
        return
    with private_folder(PREFIX) as folder:
        real = {path: folder / f"{number}" for number, path in enumerate(zips, 1)}
        try:
            for path, own in real.items():
                unpack(path, own, ROOM, _suffix, role=str(path))
            yield {path: real.get(path, path) for path in given}
        except ArchiveError as error:
            raise CohortError(error.faults) from error
        except CohortError as error:
            raise CohortError([_told(fault, real) for fault in error.faults]) from error


def _suffix(part: Path, name: str, head: bytes) -> str | Fault:
    """What DICOM may lie beside keeps its suffix, so that it is known for what it is."""
    if head[128:132] == b"DICM":
        return DICOM_SUFFIX
    own = Path(name).name.lower()
    if own in LITTER:
        return ".txt"
    return next((suffix for suffix in sorted(BESIDE, key=len, reverse=True) if own.endswith(suffix)), "")


def _told(fault: Fault, real: dict[Path, Path]) -> Fault:
    """The fault with the zip in place of where it is unpacked."""
    for archive, folder in real.items():
        if fault.file is not None and Path(fault.file).is_relative_to(folder):
            inside = Path(fault.file).relative_to(folder).name.split(".")[0]
            return replace(fault, file=f"{archive} (file {int(inside)} in it)" if inside else str(archive))
    return fault
