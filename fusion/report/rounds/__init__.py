"""The page of a run whose split has several rounds: what the rounds say together, and each by itself."""

from fusion.report.rounds.page import write

__all__ = ["write"]
