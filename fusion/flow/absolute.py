"""The same run and files by paths that mean the same to every machine and in every folder."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.data.study import Study

NO_FILE = ("hub", "none")
"""Values of `network.weights` that name no file."""


def absolute(run: Run) -> Run:
    """``run`` with absolute paths for all that is read or written once it is loaded."""
    update: dict[str, Any] = {"output": run.folder.absolute(), "cache": run.cache and run.cache.absolute()}
    update["cohort"] = run.cohort.model_copy(update={"table": run.cohort.table.absolute()})
    if (file := getattr(run.split, "file", None)) is not None:
        update["split"] = run.split.model_copy(update={"file": file.absolute()})
    if run.network is not None and run.network.weights not in NO_FILE:
        weights = str(Path(run.network.weights).absolute())
        update["network"] = run.network.model_copy(update={"weights": weights})
    return run.model_copy(update=update)


def absolute_files(files: Files | Study) -> Files | Study:
    """A case's files by absolute paths."""
    if isinstance(files, Study):
        return replace(files, scans=tuple(_absolute(scan) for scan in files.scans))
    return _absolute(files)


def _absolute(own: Any) -> Any:
    """A dataclass with its paths made absolute."""
    paths = {name.name: getattr(own, name.name) for name in fields(own)}
    return replace(own, **{name: path.absolute() for name, path in paths.items() if isinstance(path, Path)})
