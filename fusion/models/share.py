"""Which cases of a step are one process's own, where several train the same network."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from fusion.config.network import Network


@dataclass(frozen=True)
class Share:
    """One of ``world`` processes that share out every step's cases in their order, each an unbroken part of them."""

    rank: int = 0
    world: int = 1

    def own(self, cases: int) -> tuple[int, int]:
        """Its first case of a step, and one past its last; no two shares differ by more than one case.

        >>> [Share(rank, 2).own(5) for rank in (0, 1)]
        [(0, 2), (2, 5)]
        """
        return self.rank * cases // self.world, (self.rank + 1) * cases // self.world

    def needed(
        self, case: Int[Tensor, " b"], network: Network, branches: int
    ) -> tuple[Int[Tensor, " row"], slice]:  # fmt: skip
        """Those of a step's cases that it looks at, and where its own are among them.

        More than its own where the network mixes cases: with `mixup` each one's partner, which is the case before it;
        of several pictures all, as a missing one is filled with one of any case before it.

        >>> import torch
        >>> case = torch.tensor([7, 8, 9, 3, 4])
        >>> rows, own = Share(1, 2).needed(case, Network(mixup=0.2), 1)
        >>> rows.tolist(), rows[own].tolist()
        ([8, 9, 3, 4], [9, 3, 4])
        """
        start, stop = self.own(len(case))
        if self.world == 1 or (network.input.kind == "picture" and branches > 1):
            return case, slice(start, stop)
        before = 1 if network.mixup else 0
        return case.roll(before - start)[: before + stop - start], slice(before, None)

    def weighed(self, loss: Float[Tensor, ""], cases: int) -> Float[Tensor, ""]:
        """The mean of its own cases' losses, such that the mean over the processes is that of all ``cases``."""
        start, stop = self.own(cases)
        return loss * ((stop - start) * self.world / cases)


ALONE = Share()
