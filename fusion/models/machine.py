"""The device that computes, in which precision, with the same numbers on any number of cores."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import torch

from fusion.config.network import Network
from fusion.errors import Fault, ModelError

NO_MEMORY = ("DefaultCPUAllocator", "CUDA out of memory", "_STATUS_ALLOC_FAILED")
"""What torch and its libraries say in a plain RuntimeError."""


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half(network: Network) -> bool:
    """Whether the networks train in bf16."""
    return network.precision == "bf16" or (network.precision == "auto" and device().type == "cuda")


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """Same numbers on any number of cores: one thread and deterministic algorithms, while the block lasts."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filled, memory.fill_uninitialized_memory = memory.fill_uninitialized_memory, False  # no operation reads such memory
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)
        memory.fill_uninitialized_memory = filled


@contextlib.contextmanager
def within_memory(network: Network) -> Iterator[None]:
    """Training that asks for more memory than there is becomes a message.

    Raises:
        ModelError: memory ran out inside the block.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        ours = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not ours and not any(words in str(error) for words in NO_MEMORY):
            raise
        found = f"no memory left on the {device().type} for networks of {network.batch} cases a step"
        remedy = "lower network.batch, or train with network.training=separate (and fewer jobs)"
        raise ModelError(Fault(found, "a training that fits into memory", remedy)) from error
