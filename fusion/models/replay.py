"""A training step recorded on the GPU: one launch in place of a thousand."""

from collections.abc import Callable

import torch
from torch import Tensor

PLAIN = 3
"""Steps taken before one is recorded; they fill caches and make the optimizer's moments."""


class Replay:
    """Does what ``step`` does: the first few times plainly, then by a CUDA graph.

    All that ``step`` reads and writes must stay where it is in the GPU's memory, and nothing in it may wait for the
    GPU. The plain steps run on a stream of their own, as recording asks for.
    """

    def __init__(self, step: Callable[[], Tensor]) -> None:
        self.step, self.taken, self.stream = step, 0, torch.cuda.Stream()
        self.graph: torch.cuda.CUDAGraph | None = None
        self.result: Tensor

    def __call__(self) -> Tensor:
        """Take the step; the tensor returned is overwritten by the next one."""
        if self.taken < PLAIN:
            self.taken += 1
            return self._plainly()
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):  # records and does nothing
                self.result = self.step()
        self.graph.replay()
        return self.result

    def _plainly(self) -> Tensor:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            result = self.step()
        torch.cuda.current_stream().wait_stream(self.stream)
        return result
