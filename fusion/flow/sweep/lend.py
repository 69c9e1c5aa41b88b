"""Networks that several cells have in common: trained in the first cell that asks for them, linked into the others."""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeVar

from fusion.flow.shared import link
from fusion.flow.work import Work
from fusion.heads.parts import word

Key = TypeVar("Key")
DECIDE = {"cohort", "tasks", "sequences", "fused", "roi", "network", "seed"}
"""Fields that networks depend on, beside the cases with their outcomes and folds."""


def trainers(works: Mapping[Key, Work]) -> dict[Key, Key]:
    """For each of ``works`` the first one whose networks are the same: itself where there is no other."""
    first: dict[str | Key, Key] = {}
    return {key: first.setdefault(_trained(work) or key, key) for key, work in works.items()}


def lend(source: Work, target: Work, fold: int) -> None:
    """The networks of a fold's job, with their losses, from the folder of ``source`` into that of ``target``."""
    if source.folder == target.folder:
        return
    if target.run.heads.stacking == "nested_vector":
        place = f"checkpoints/nested/fold_{word(fold)}/**"
        patterns: tuple[str, ...] = (f"{place}/*.safetensors", f"{place}/logs/*/*")
    else:
        patterns = tuple(f"checkpoints/{place}" for place in (
            f"*_fold{fold}_seed*.safetensors", f"logs/*_fold{fold}_seed*/*",
            f"*/checkpoints/*_fold{fold}_seed*.safetensors", f"*/checkpoints/logs/*_fold{fold}_seed*/*",
        ))  # fmt: skip
    link(source.folder, target.folder, patterns)


def _trained(work: Work) -> str | None:
    """Names what the networks learn from and how; None where none are trained."""
    run, stacking = work.run, work.run.heads.stacking
    if run.network is None or stacking == "frozen_backbone":
        return None
    parts = {**run.model_dump(mode="json", include=DECIDE), "nested": stacking == "nested_vector"}
    whole = json.dumps({**parts, "cases": work.cases.to_csv(index=False)}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
