"""The page of a sweep: what the choice among its cells is worth, and every cell beside the others."""

from fusion.report.sweep.page import write

__all__ = ["write"]
