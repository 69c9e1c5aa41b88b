"""Several processes that train networks together: started here, watched, and ended as one."""

import os
import pickle
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fusion import store
from fusion.config.network import Network
from fusion.errors import Fault, FusionError, RunError
from fusion.models.allocation import in_slurm, srun
from fusion.models.jobs import Job, Training
from fusion.progress import WITHIN

WORK = "work.pickle"
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_END = 10.0
"""Left to the others to tell what they met and to end, after one failed."""
LIMIT = 128
"""Exit codes of srun above this are a task's signal."""


def fit(training: Training, jobs: Sequence[Job]) -> None:
    """Train ``jobs`` one after another, every one over all the processes that the network asks for.

    They are ``fusion.models.rank``, a process of its own each: nothing of the command line is run again. In a SLURM job
    with a task for each they start on its places, otherwise here. They end with this process, and all if one ends.

    Raises:
        FusionError: as a process raised it.
        RunError: a process was killed.
        RuntimeError: a process failed otherwise.
    """
    training.fingerprint  # noqa: B018, computed once, before it is handed over
    with store.scratch(training.folder / "checkpoints" / "processes") as folder:
        with (folder / WORK).open("wb") as file:
            pickle.dump((training, list(jobs), WITHIN.get()), file)
        with _started(training.network, folder) as started:
            codes = _ended(started)
        if any(codes):
            raise _met(folder, codes)


def tell(folder: Path, rank: int, error: BaseException) -> None:
    """Leave what a process met for the one that started it."""
    told = "".join(traceback.format_exception(error))
    try:
        content = pickle.dumps((time.time(), error, told))
    except Exception:  # an error of any library may refuse, and is then told in words
        content = pickle.dumps((time.time(), RuntimeError(told), told))
    with store.whole(folder / f"error{rank}") as part:
        part.write_bytes(content)


@contextmanager
def _started(network: Network, folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes, which live until the block ends.

    Their standard input is a lifeline: when this process ends, however it does, it closes, and they leave. Ctrl-C comes
    to this process alone.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command, more in commands(network, folder):
            started.append(_start(command, {**os.environ, "TORCH_CPP_LOG_LEVEL": "ERROR", **more}))
        yield started
    finally:
        _end(started)


def commands(network: Network, folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    """What is to be started, with what it needs in its environment."""
    command = [sys.executable, "-m", "fusion.models.rank", str(folder)]
    if in_slurm(network):  # Lightning's own choice of a port is the same for all trainings of a job
        return [([*srun(network), *command, "slurm"], {"MASTER_PORT": str(_free_port())})]
    return [([*command, str(rank)], {}) for rank in range(network.devices)]


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)


def _ended(started: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Exit codes, when all ended or the first one failed and the others had their time."""
    until = float("inf")
    while time.monotonic() < until:
        codes = [own.poll() for own in started]
        if None not in codes:
            break
        if any(codes) and until == float("inf"):
            until = time.monotonic() + SECONDS_TO_END
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return codes


def _end(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """At once if Ctrl-C comes a second time."""
    for own in started:
        assert own.stdin is not None
        own.stdin.close()
        own.terminate()
    try:
        for own in started:
            own.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        pass
    finally:
        for own in started:
            own.kill()
            own.wait()


def _met(folder: Path, codes: Sequence[int | None]) -> BaseException:
    """What ended the training: the first thing that a user can mend, else the first error, else a kill."""
    told = [pickle.loads(path.read_bytes()) for path in folder.glob("error*")]
    told.sort(key=lambda own: (not isinstance(own[1], FusionError), own[0]))
    if told:
        _, error, words = told[0]
        if not isinstance(error, FusionError):
            error.add_note(words)
        return error
    signals = [code for code in codes if code is not None and (code < 0 or code > LIMIT)]
    found = "a training process that was killed, as the system does when memory runs out"
    if not signals:
        found = f"training processes that ended with {', '.join(str(code) for code in codes if code)}"
    remedy = "set fewer network.devices or a smaller network.batch; what is done stays done"
    return RunError(Fault(found, "processes that live", remedy))


def _free_port() -> int:
    """One that nobody listens at on this machine, which is the first of the job."""
    with socket.socket() as own:
        own.bind(("", 0))
        return own.getsockname()[1]
