"""What a folder tells by its files while others may be writing there: read only, and damage is told, not refused."""

import csv
import fcntl
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

STALE_S = 600.0
"""A job whose files nobody touched for so long, while nobody is seen at work, has stopped."""
LAST_BYTES = 4096
CASE = re.compile(r"\bcase [^:]+:")
PLACE = re.compile(r"[^\s,;:()'\"]*/[^\s,;:()'\"]+")


@dataclass
class Reading:
    """Files read one after another; ``damaged`` names those that could not be."""

    root: Path
    damaged: list[str] = field(default_factory=list)

    def json(self, path: Path) -> Any:
        """The document in ``path``; None where there is none that can be read."""
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._told(path, error)
            return None

    def json_lines(self, path: Path) -> list[Any]:
        """The documents in ``path``, a line each; the others are damage."""
        found = []
        for number, line in enumerate(self._lines(path), 1):
            try:
                found.append(json.loads(line))
            except ValueError:
                self._told(path, f"line {number} is cut off or damaged")
        return found

    def rows(self, path: Path) -> list[dict[str, str]]:
        """The rows of a CSV, without those that are cut off."""
        rows: list[dict[str, str]] = []
        try:
            for row in csv.DictReader(self._lines(path)):
                if None in row or None in row.values():
                    self._told(path, f"row {len(rows) + 1} is cut off")
                else:
                    rows.append(row)
        except csv.Error as error:
            self._told(path, error)
        return rows

    def values(self, path: Path) -> dict[str, Any]:
        """The mapping in a YAML file, empty where there is none that can be read."""
        try:
            found = _yaml(path, path.stat().st_mtime_ns)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, yaml.YAMLError) as error:
            self._told(path, error)
            return {}
        if not isinstance(found, dict):
            self._told(path, "no mapping")
            return {}
        return found

    def files(self, folder: Path, ending: str = "") -> list[Path]:
        """What lies in ``folder``, by name, without what is half written."""
        try:
            return sorted(p for p in folder.iterdir() if p.name.endswith(ending) and not p.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._told(folder, error)
            return []

    def _lines(self, path: Path) -> list[str]:
        try:
            return path.read_bytes().decode("utf-8", errors="replace").replace("\0", "\ufffd").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            self._told(path, error)
            return []

    def _told(self, path: Path, why: object) -> None:
        place = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        self.damaged.append(f"{place}: {(str(why).splitlines() or ['damaged'])[0]}")


def held(folder: Path) -> bool | None:
    """Whether a process is seen to hold the folder's lock; None where the file system cannot say.

    The lock is asked for, shared, and given back at once; who wants it in that moment tries again (``folder.opened``).
    A lock that another machine holds shows only where the file system passes locks on.
    """
    try:
        with (folder / ".lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return False


def age_s(*paths: Path) -> float | None:
    """Seconds since the youngest of ``paths`` was written; None where none is there."""
    times = list(_times(paths))
    return max(0.0, time.time() - max(times)) if times else None


def since_s(clock: object) -> float | None:
    """Seconds since a time as ``folder.told`` and the files of jobs write it; None for any other value."""
    if isinstance(clock, int | float):
        return max(0.0, time.time() - clock)
    try:
        return max(0.0, time.time() - datetime.fromisoformat(str(clock)).timestamp())
    except ValueError:
        return None


def last_row(path: Path) -> dict[str, str]:
    """The last whole row of a CSV that may be growing; empty where there is none."""
    try:
        with path.open("rb") as file:
            names = file.readline().decode()
            file.seek(max(file.tell(), file.seek(0, 2) - LAST_BYTES))
            lines = file.read().decode().splitlines()
        rows = list(csv.reader([names, *lines[-3:]]))
    except (OSError, ValueError, csv.Error):
        return {}
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    return dict(zip(rows[0], whole[-1], strict=True)) if whole else {}


def without_cases(message: str, folder: Path) -> str:
    """``message`` without names of cases and patients, and without places outside ``folder``."""
    root = str(folder)
    text = CASE.sub("a case:", message)
    text = PLACE.sub(lambda found: found[0] if _own(found[0], root) else "FILE", text)
    for name in _names(folder):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "CASE", text)
    return " ".join(text.split())


def _own(place: str, root: str) -> bool:
    return place.startswith(root) and "/regions/" not in place


def _names(folder: Path) -> set[str]:
    rows = Reading(folder).rows(folder / "cohort.csv")
    return {row[key] for row in rows for key in ("case", "patient") if row.get(key)}


@lru_cache(maxsize=1024)
def _yaml(path: Path, written_ns: int) -> Any:
    """Read once as long as it stays as it was ``written_ns``."""
    return yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _times(paths: tuple[Path, ...]) -> Iterator[float]:
    for path in paths:
        try:
            yield path.stat().st_mtime
        except OSError:
            continue
