"""Read by every Python of a watched server when it starts: each connection that it tries is written down."""

import os
import sys

LOG = os.environ.get("FUSION_WATCH")
EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}


def _note(event: str, args: tuple[object, ...]) -> None:
    if event in EVENTS:
        _write(f"{event}\t{args[EVENTS[event]]!r}")


def _write(line: str) -> None:
    with open(str(LOG), "a", encoding="utf-8") as file:
        file.write(line + "\n")


if LOG:
    _write(f"watching\t{os.getpid()}")
    sys.addaudithook(_note)
