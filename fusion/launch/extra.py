"""Packages that one engine alone needs."""

from importlib.util import find_spec

from fusion.errors import Fault, RunError


def require(*packages: str) -> None:
    """Refuse to go on without ``packages``.

    Raises:
        RunError: one of them is not installed.
    """
    missing = [own for own in packages if find_spec(own) is None]
    if missing:
        raise RunError(Fault(f"no package {' nor '.join(missing)}", "the extra `cluster`", "install fusion[cluster]"))
