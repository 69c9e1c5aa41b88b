"""From a command line to a server that listens: where, for whom, within which bounds."""

import contextlib
import getpass
import ipaddress
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import Fault, FusionError
from fusion.serve.limits import Limits
from fusion.serve.login import User

PASSWORD = "FUSION_PASSWORD"


class ServeError(FusionError):
    """A server that cannot be started as it was asked for."""


@dataclass(frozen=True)
class Place:
    """Where to listen, and with which certificate."""

    host: str = "127.0.0.1"
    port: int = 7860
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether nobody but this computer's users can reach it."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"

    @property
    def address(self) -> str:
        """To open in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}/"


@dataclass(frozen=True)
class Sizes:
    """Bounds as they are typed."""

    limit_mb: int = 1024
    seconds: float = 120.0
    memory_gb: float = 6.0
    waiting: int = 64


def serve(bundles: list[Path], place: Place, user: str | None, sizes: Sizes) -> None:
    """Serve ``bundles`` until Ctrl-C or SIGTERM.

    Raises:
        BundleError: a bundle that cannot be used.
        ServeError: an address beyond this computer without login, a port in use, a certificate that is not there.
    """
    checked(place, user)
    login = None if user is None else User(user, _password())
    with listening(place) as own:
        from fusion.serve.server import run
        from fusion.serve.service import Service
        from fusion.serve.worker import Bounds

        size = sizes.limit_mb * 2**20
        bounds = Bounds(seconds=sizes.seconds, waiting=sizes.waiting, memory_bytes=int(sizes.memory_gb * 2**30))
        with Service.open(bundles, Limits(size, size), bounds, log=_log) as service:
            run(service, place, own, login)


def checked(place: Place, user: str | None) -> None:
    """Raise ServeError with every reason not to listen at ``place``; warn of what is allowed and unwise."""
    faults = []
    if not place.is_local and user is None:
        remedy = f"give --user NAME, and the password in {PASSWORD} or when asked"
        faults.append(Fault(f"no login for {place.host}", "one for any address but this computer's own", remedy))
    if user is not None and (not user or ":" in user):
        faults.append(Fault("a user without a name, or with a colon in it", "a name", "give another --user"))
    if (place.certificate is None) != (place.key is None):
        faults.append(Fault("a certificate without key, or a key alone", "both", "give --certificate and --key"))
    for path in (place.certificate, place.key):
        if path is not None and not path.is_file():
            faults.append(Fault("no such file", "a PEM file", "check the path", file=str(path)))
    if faults:
        raise ServeError(faults)
    if not place.is_local and place.certificate is None:
        print("warning: without --certificate, password and images cross the network in the clear", file=sys.stderr)


def listening(place: Place) -> socket.socket:
    """A socket at ``place``.

    Raises:
        ServeError: the address is in use, or not this computer's.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        found = f"{place.host}, port {place.port}: {error.strerror}"
        raise ServeError(Fault(found, "an address that is free", "stop the other server or give --port")) from error


def _password() -> str:
    """From the environment, or asked for: a command line shows it to every user of the computer."""
    told = os.environ.pop(PASSWORD, None)
    if told is None and sys.stdin.isatty():
        told = getpass.getpass("password for the page: ")
    if not told:
        raise ServeError(Fault("no password", f"one in {PASSWORD}, or typed", f"set {PASSWORD}"))
    return told


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
