"""`fusion serve` as a user starts it, with every connection that it tries written down."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WATCH = Path(__file__).parent / "watch"
LOCAL = re.compile(r"127\.0\.0\.1|::1|localhost|None")
FAMILY = re.compile(r"sa_family=AF_INET6?, .*?(?:inet_addr\(\"([^\"]+)\"|inet_pton\(AF_INET6, \"([^\"]+)\")")


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]
    python: Path
    """What its Pythons tried to reach."""
    kernel: Path | None
    """What it asked the system to connect to, where strace is there."""

    def watched(self) -> int:
        """Processes of Python under watch."""
        return sum(line.startswith("watching\t") for line in self.python.read_text(encoding="utf-8").splitlines())

    def foreign(self) -> list[str]:
        """Connections to anywhere but this machine."""
        return elsewhere(self.python.read_text(encoding="utf-8")) + (
            traced(self.kernel.read_text(encoding="utf-8")) if self.kernel else []
        )


@contextmanager
def serve(bundles: list[Path], folder: Path) -> Iterator[Served]:
    """`fusion serve BUNDLES` on a free port, ready to answer; its uploads lie in ``folder``."""
    port, log = free_port(), folder / "watch.txt"
    kernel = folder / "strace.txt" if can_trace() else None
    trace = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(kernel)]
    command = [
        sys.executable,
        "-c",
        "from fusion.cli import main; main()",
        "serve",
        *map(str, bundles),
        "--port",
        str(port),
    ]
    with (folder / "out.txt").open("w") as out:
        process = subprocess.Popen(
            [*(trace if kernel else []), *command], text=True, stdout=out, stderr=out, env=watched_environment(folder)
        )
        try:
            yield Served(_ready(process, folder / "out.txt", port), process, log, kernel)
        finally:
            process.terminate()
            process.wait(20)


def watched_environment(folder: Path) -> dict[str, str]:
    """For a Python that is to be watched."""
    path = os.pathsep.join(filter(None, [str(WATCH), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "FUSION_WATCH": str(folder / "watch.txt"), "TMPDIR": str(folder)}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


def can_trace() -> bool:
    """Whether strace is there and may be used."""
    found = shutil.which("strace")
    return found is not None and subprocess.run([found, "-qq", "-e", "trace=connect", "true"], capture_output=True,
                                                timeout=20).returncode == 0  # fmt: skip


def elsewhere(log: str) -> list[str]:
    """Of the watch's lines those with another machine's address."""
    tried = [line for line in log.splitlines() if not line.startswith("watching\t")]
    return [line for line in tried if not LOCAL.search(line) and not _is_path(line)]


def traced(log: str) -> list[str]:
    """Of strace's lines those with another machine's address."""
    found = [(line, match[1] or match[2]) for line in log.splitlines() if (match := FAMILY.search(line))]
    return [line for line, address in found if not address.startswith("127.") and address != "::1"]


def _is_path(line: str) -> bool:
    """An address of a socket in the file system."""
    return line.partition("\t")[2].startswith(("'", 'b"', "b'", '"')) and line.startswith("socket.connect")


def _ready(process: subprocess.Popen[str], out: Path, port: int, seconds: float = 180) -> str:
    """The server's address, once its models are ready."""
    end = time.monotonic() + seconds
    while "models ready" not in out.read_text() or "listening" not in out.read_text():
        assert process.poll() is None, out.read_text()
        assert time.monotonic() < end, out.read_text()
        time.sleep(0.1)
    return f"http://127.0.0.1:{port}/"
