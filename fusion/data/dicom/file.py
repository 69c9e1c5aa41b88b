"""Open a DICOM file that nobody vouches for."""

import logging
import mmap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.filereader import read_file_meta_info

from fusion.errors import FusionError

PREFIX = slice(128, 132)
DEFLATED = "1.2.840.10008.1.2.1.99"
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # its warnings quote values, which may be a name


class Unreadable(Exception):
    """Says in a few words why a file is no DICOM that can be read."""


def is_dicom_file(path: Path) -> bool:
    """Whether the file begins as DICOM files do: any 128 bytes, then DICM."""
    with path.open("rb") as file:
        return file.read(PREFIX.stop)[PREFIX] == b"DICM"


@contextmanager
def opened(path: Path, pixels: bool = False) -> Iterator[pydicom.Dataset]:
    """The data set in ``path``, as long as the block lasts.

    The file is mapped, so that a length in it that is larger than the file allocates nothing.

    Raises:
        Unreadable: no DICOM, cut off, deflated (small files that may unpack to any size), or broken in any other way,
            inside the block too: values are parsed when they are asked for.
        OSError: the machine does not give the file, which is no fault of the file.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, _quiet():
            if read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED:
                raise Unreadable("deflated")
            yield pydicom.dcmread(content, stop_before_pixels=not pixels)
    except (Unreadable, FusionError):
        raise
    except Exception as error:  # a parser on any bytes raises anything; its words may quote a name, so they stay here
        if isinstance(error, OSError) and error.errno is not None:  # of the machine, told as such
            raise
        raise Unreadable(f"broken or cut off, {type(error).__name__}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of values that break the standard: they may quote a name, and those that matter are checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
