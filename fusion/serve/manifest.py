"""manifest.json, byte for byte: what the other files of a bundle hash to, and the manifest itself."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from fusion.errors import BundleError, Fault
from fusion.serve.parts import FORMAT, Manifest

NAME = "manifest.json"
ALWAYS = ("run.yaml", "heads.json", "ranges.json", "card.json", "card.md")
_PATH = re.compile(rf"(?:{'|'.join(map(re.escape, ALWAYS))}|networks(?:/[A-Za-z0-9+_-][A-Za-z0-9.+_-]*)+)")
"""Every path that a bundle may have beside its manifest; none is absolute, begins with a dot or goes up."""
_DAMAGED = "copy the bundle again from where it was made"


def digest_of(manifest: Manifest) -> str:
    """SHA-256 of everything that the manifest says but its own digest; with it every byte of the bundle is named."""
    return hashlib.sha256(_canonical(manifest.model_dump(exclude={"digest"}))).hexdigest()


def written(manifest: Manifest) -> bytes:
    """The one way to write ``manifest``, with its digest filled in as the last field."""
    return _canonical(manifest.model_copy(update={"digest": digest_of(manifest)}).model_dump())


def read(content: bytes, file: str) -> Manifest:
    """The manifest that ``content`` is, to the byte.

    Args:
        content: of manifest.json.
        file: names it in faults.

    Raises:
        BundleError: another format, damage, or a path that no bundle has.
    """
    raw = _json(content, file)
    _of_this_format(raw, file)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise BundleError(list(faults_of(error, file))) from error
    if written(manifest) != content:
        raise BundleError(Fault("bytes that do not fit its own digest", "them as written", _DAMAGED, file=file))
    if strange := [path for path in manifest.files if not _PATH.fullmatch(path)]:
        remedy = "do not use this bundle; take one that `fusion bundle` wrote"
        raise BundleError([Fault(f"the path {shown(p)}", "paths of a bundle", remedy, file=file) for p in strange])
    if lacking := [path for path in ALWAYS if path not in manifest.files]:
        raise BundleError(Fault(f"no {', '.join(lacking)} listed", ", ".join(ALWAYS), _DAMAGED, file=file))
    return manifest


def compared(files: Mapping[str, str], manifest: Manifest, bundle: str) -> list[Fault]:
    """Everything that is changed, missing or not listed.

    Args:
        files: SHA-256 by path of what is there, without the manifest.
        manifest: what should be.
        bundle: names the bundle in faults.
    """
    listed = manifest.files
    unlisted = "do not use this bundle if you did not put the file there; if you did, take it out"
    return [
        *(Fault("no such file", "it, as the manifest lists it", _DAMAGED, file=f"{bundle}/{path}")
          for path in listed if path not in files),
        *(Fault("changed bytes", "those that the manifest lists", _DAMAGED, file=f"{bundle}/{path}")
          for path in listed if files.get(path, listed[path]) != listed[path]),
        *(Fault("a file that the manifest does not list", "none", unlisted, file=f"{bundle}/{shown(path)}")
          for path in files if path not in listed),
    ]  # fmt: skip


def faults_of(error: ValidationError, file: str) -> Iterator[Fault]:
    """What pydantic refused, a fault each, without the values."""
    for item in error.errors(include_input=False, include_url=False):
        name = ".".join(map(str, item["loc"])) or "content"
        yield Fault(f"{shown(name)}: {item['msg']}", "what fusion writes", _DAMAGED, file=file)


def shown(name: str) -> str:
    """A name from a stranger, safe to print."""
    text = ascii(name)[1:-1]
    return text if len(text) <= 100 else f"{text[:100]}..."


def _canonical(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode()


def _json(content: bytes, file: str) -> Any:
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise BundleError(Fault("no JSON", "a bundle's manifest", _DAMAGED, file=file)) from error


def _of_this_format(raw: Any, file: str) -> None:
    found = raw.get("format") if isinstance(raw, dict) else None
    if type(found) is int and found > FORMAT:
        what = f"format {found}, written by a newer fusion"
        raise BundleError(Fault(what, f"format {FORMAT} or older", "update fusion", file=file))
