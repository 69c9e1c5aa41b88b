"""A sweep: every cell a checked run, what they share measured once, every fold a job, one comparison."""

from fusion.flow.sweep.sweep import Swept, sweep

__all__ = ["Swept", "sweep"]
