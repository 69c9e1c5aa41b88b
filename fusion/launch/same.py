"""What numbers depend on besides the run: the code and the libraries of the machine that computes."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import fusion
from fusion.errors import Fault, RunError

LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "SimpleITK", "pyradiomics", "torch", "timm")


@cache
def versions() -> dict[str, str]:
    """Of Python, of this code and of the libraries that numbers come from; equal ones give equal numbers.

    >>> sorted(versions())[:2]
    ['SimpleITK', 'fusion']
    """
    return {"python": platform.python_version(), "fusion": _code()} | {own: _version(own) for own in LIBRARIES}


def require_same(asked: dict[str, str]) -> None:
    """Refuse to compute what a machine of other versions asked for.

    Raises:
        RunError: this machine's versions are not ``asked``.
    """
    if asked != versions():
        raise RunError(others(asked, versions(), platform.node()))


def others(ours: dict[str, str], theirs: dict[str, str], machine: str) -> list[Fault]:
    """A fault for each version of ``machine`` that is not ours."""
    remedy = "install the same there (the same requirements.lock and the same commit), or numbers would differ, too"
    return [
        Fault(f"{name} {theirs.get(name, 'missing')} on {machine}", f"{name} {version}", remedy)
        for name, version in ours.items()
        if theirs.get(name) != version
    ]


def _code() -> str:
    """The release and a digest of the code itself, as a commit between releases changes numbers, too."""
    root, digest = Path(fusion.__file__).parent, hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{_version('fusion')} ({digest.hexdigest()[:12]})"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
