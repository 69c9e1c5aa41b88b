"""A deployed model on disk: plain numbers, networks, and a manifest with the SHA-256 of every byte.

A bundle is a folder, or the .zip that ``pack`` makes of it: manifest.json, run.yaml, heads.json, ranges.json,
card.json, card.md, and networks as ONNX and safetensors. Nothing in it is code or a pickle, and nothing is read that
the manifest does not list.

This guards against damage, mix-ups and files put in: any byte that changed is found before anything is used. It does
not guard against someone who rewrites the whole bundle, manifest and all: for that compare ``Bundle.digest``, which
`fusion bundle` prints, with what its maker tells by another way.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from fusion import store
from fusion.config import dump, parse
from fusion.config.part import Part
from fusion.config.run import Run
from fusion.config.split import without_file
from fusion.errors import BundleError, ConfigError, Fault
from fusion.serve import card as cards
from fusion.serve import contents, manifest
from fusion.serve.contents import Contents, Folder, Zip
from fusion.serve.parts import FORMAT, Card, Deployed, Manifest, Ranges

FOLDER = "bundle"
"""Of a run folder."""
_Said = TypeVar("_Said", bound=Part)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose every byte was checked."""

    manifest: Manifest
    run: Run
    """What decides numbers; nothing of the machine that trained, nor of where its cohort lies."""
    deployed: Deployed
    ranges: Ranges
    card: Card
    contents: Contents

    @property
    def name(self) -> str:
        """Of the run."""
        return self.manifest.name

    @property
    def digest(self) -> str:
        """SHA-256 that names every byte of the bundle."""
        return self.manifest.digest

    def bytes(self, path: str) -> bytes:
        """A file's content, checked again as it is read, so that what is used is what the manifest lists.

        Raises:
            BundleError: it changed since the bundle was read.
        """
        return _verified(self.contents, path, self.manifest)


def write(
    folder: Path, deployed: Deployed, ranges: Ranges, card: Card, run: Run, networks: Mapping[str, Path]
) -> Bundle:  # fmt: skip
    """A bundle at ``folder``, whole or not at all; equal content gives equal bytes.

    Args:
        folder: must not be there yet.
        deployed: heads, networks and how answers are read.
        ranges: what the training cases were like.
        card: who may use it for what.
        run: the run; what is of the machine or says where the cohort lies is left out.
        networks: by path in the bundle the file to copy.

    Raises:
        FileExistsError: there is something at ``folder``.
    """
    plain = {
        "run.yaml": dump(portable(run)), "heads.json": _text(deployed), "ranges.json": _text(ranges),
        "card.json": _text(card), "card.md": cards.as_text(card),
    }  # fmt: skip
    with store.whole_folder(folder) as part:
        for path, text in plain.items():
            (part / path).write_text(text, encoding="utf-8", newline="\n")
        for path, file in networks.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(file.read_bytes())
        files = {path: store.sha256(part / path) for path in sorted({**plain, **networks})}
        kind = "slices" if run.cohort.tasks else "regions"
        told = Manifest(format=FORMAT, fusion=version("fusion"), name=run.name, kind=kind, files=files)
        (part / manifest.NAME).write_bytes(manifest.written(told))
    return read(folder)


def read(path: Path) -> Bundle:
    """The bundle at ``path``, every byte of it checked.

    Args:
        path: a bundle's folder or .zip, or the folder of a run that has a bundle.

    Raises:
        BundleError: no bundle, of a newer format, or with changed, missing or strange files, all at once.
    """
    held = _found(path)
    there = held.paths()
    if manifest.NAME not in there:
        remedy = "name a bundle's folder or .zip, or a run folder that has one"
        raise BundleError(Fault(f"no {manifest.NAME}", "a bundle", remedy, file=str(held.where)))
    with held.open(manifest.NAME) as file:
        own = manifest.read(file.read(), f"{held.where}/{manifest.NAME}")
    hashes = {name: contents.sha256(held, name) for name in there if name != manifest.NAME and name in own.files}
    unlisted = {name: "" for name in there if name != manifest.NAME and name not in own.files}
    if faults := manifest.compared({**hashes, **unlisted}, own, str(held.where)):
        raise BundleError(faults)
    return Bundle(own, _run(held, own), _said(Deployed, "heads.json", held, own),
                  _said(Ranges, "ranges.json", held, own), _said(Card, "card.json", held, own), held)  # fmt: skip


def pack(bundle: Bundle, file: Path) -> None:
    """Write the bundle as one .zip, whole or not at all; equal bundles give equal bytes."""
    with store.whole(file) as part, part.open("wb") as target:
        contents.pack(bundle.contents, [manifest.NAME, *bundle.manifest.files], target)


def portable(run: Run) -> Run:
    """The run without what is of the machine or says where the cohort lies; everything that decides numbers stays."""
    network = run.network
    if network is not None and network.weights not in ("hub", "none"):
        network = network.model_copy(update={"weights": Path(network.weights).name})
    return run.model_copy(update={
        "output": None, "cache": None, "jobs": 0, "bundle": True, "network": network,
        "cohort": run.cohort.model_copy(update={"table": Path("cohort.csv")}),
        "split": without_file(run.split),
    })  # fmt: skip


def _found(path: Path) -> Contents:
    """What holds the bundle that ``path`` names."""
    if path.is_file():
        return Zip(path)
    if not path.is_dir():
        remedy = "name a bundle's folder or .zip, or a run folder that has one"
        raise BundleError(Fault("no such file or folder", "a bundle", remedy, file=str(path)))
    if (path / manifest.NAME).is_file():
        return Folder(path)
    if (path / FOLDER).is_dir():
        return Folder(path / FOLDER)
    if (path / "run.yaml").is_file() and not (path / "heads.json").exists():
        remedy = f"`fusion bundle {path}` writes the bundle of a finished run, or says why there can be none"
        raise BundleError(Fault("a run without a bundle", f"its {FOLDER}/", remedy, file=str(path)))
    return Folder(path)


def _verified(held: Contents, path: str, own: Manifest) -> bytes:
    where = f"{held.where}/{manifest.shown(path)}"
    if path not in own.files:
        raise BundleError(Fault("a file that the manifest does not list", "a listed one", "name one", file=where))
    with held.open(path) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != own.files[path]:
        remedy = "copy the bundle again from where it was made, and start again"
        raise BundleError(Fault("changed bytes", "those that the manifest lists", remedy, file=where))
    return content


def _said(kind: type[_Said], path: str, held: Contents, own: Manifest) -> _Said:
    try:
        return kind.model_validate_json(_verified(held, path, own))
    except ValidationError as error:
        raise BundleError(list(manifest.faults_of(error, f"{held.where}/{path}"))) from error


def _run(held: Contents, own: Manifest) -> Run:
    where = f"{held.where}/run.yaml"
    try:
        return parse(_verified(held, "run.yaml", own).decode("utf-8"), source=where)
    except (ConfigError, UnicodeDecodeError) as error:
        faults = (
            error.faults if isinstance(error, ConfigError) else Fault("no text", "YAML", "copy it again", file=where)
        )
        raise BundleError(faults) from error


def _text(part: Part) -> str:
    return part.model_dump_json(indent=1) + "\n"
