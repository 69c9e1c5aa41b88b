"""Who may talk to a scheduler of ours: whoever can read its key, as any other user could have it run code."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fusion.errors import Fault, RunError

DAYS = 365
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@contextlib.contextmanager
def security(folder: Path, name: str) -> Iterator[Any]:
    """What distributed encrypts with: a key of this ``name`` in ``folder``, for this user alone, while the block lasts.

    Raises:
        RunError: there is no openssl to make it.
    """
    from distributed import Security

    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / f"{name}.key", folder / f"{name}.certificate"
    try:
        _make(key, certificate)
        both = {
            f"tls_{role}_{part}": str(file)
            for role in ("scheduler", "worker", "client")
            for part, file in (("key", key), ("cert", certificate))
        }
        yield Security(require_encryption=True, tls_ca_file=str(certificate), **both)
    finally:
        key.unlink(missing_ok=True)
        certificate.unlink(missing_ok=True)


def _make(key: Path, certificate: Path) -> None:
    named = ("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=fusion", "-days", str(DAYS))
    key.touch(mode=0o600)
    try:
        subprocess.run(["openssl", "req", "-x509", *NEW_KEY, *named], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        expected = "one, so that other users of the cluster are kept out"
        raise RunError(Fault(f"no openssl that makes a key ({error})", expected, "install openssl")) from error
