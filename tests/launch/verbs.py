"""What tests send to engines."""

import os
import signal
import time
from pathlib import Path
from uuid import uuid4

import numpy as np

from fusion.errors import ConfigError, Fault
from fusion.progress import each


def halved(number: int) -> float:
    return number / 2


def product(seed: int) -> bytes:
    """Bits that differ with the number of BLAS threads."""
    table = np.random.default_rng(seed).normal(size=(300, 300))
    return (table @ table).tobytes()


def refused(number: int) -> int:
    raise ConfigError(Fault(str(number), "another", "change it"))


def once_killed(folder: Path, number: int) -> int:
    """Kills its own process the first time it is done."""
    first = folder / f"{number}_started"
    if not first.exists():
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def asleep(folder: Path, seconds: float) -> int:
    (folder / f"asleep_{os.getpid()}").touch()
    time.sleep(seconds)
    return os.getpid()


def who(_: int) -> int:
    time.sleep(0.2)
    return os.getpid()


def nested(number: int) -> set[int]:
    """Processes that work inside a job asks for."""
    return {process for _, process in each(who, [1, 2], "inner", 2)} | {os.getpid()}


def device(_: int) -> tuple[str | None, str | None]:
    time.sleep(0.5)
    return os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("OMP_NUM_THREADS")


class Table:
    """Leaves a file in ``folder`` for each time that it arrives somewhere."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return arrived, (self.folder,)


def arrived(folder: Path) -> Table:
    (folder / f"arrived_{uuid4().hex}").touch()
    return Table(folder)


def with_table(table: Table, number: int) -> int:
    return number


def named(folder: Path, number: int) -> int:
    time.sleep(1)
    return number


def rank() -> tuple[str, str]:
    """Which of how many processes this is."""
    return os.environ["SLURM_PROCID"], os.environ["SLURM_NTASKS"]


def in_pieces(folder: Path, pieces: int, seconds: float) -> int:
    """Passes over the pieces that are done, as our calls do."""
    with (folder / "runs").open("a") as runs:
        print("run", file=runs)
    for number in range(pieces):
        if not (folder / f"piece_{number}").exists():
            time.sleep(seconds)
            (folder / f"piece_{number}").touch()
    return len(list(folder.glob("piece_*")))
