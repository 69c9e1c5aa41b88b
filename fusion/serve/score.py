"""A bundle's networks asked about one case, through ONNX: means of log-odds, as a run has them of unseen cases."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from fusion.errors import Fault, ModelError
from fusion.heads.plain import Scores
from fusion.serve.bundle import Bundle
from fusion.serve.parts import NetworkFile

Seen = Float32[ndarray, "case branch channel z y x"]
"""What the branches of a source's networks see of one case."""


@dataclass(frozen=True)
class Scorer:
    """Every network of a bundle, ready to answer."""

    networks: tuple[tuple[NetworkFile, Any], ...]
    """Each with its ONNX session."""
    threads: int

    @classmethod
    def of(cls, bundle: Bundle, threads: int = 2) -> "Scorer":
        """The networks of ``bundle``.

        Args:
            bundle: checked; a file is read from the bytes that its digest was taken of.
            threads: networks asked at the same time, each in one thread, so that no number depends on it.
        """
        files = bundle.deployed.networks
        with ThreadPoolExecutor(threads) as pool:
            sessions = list(pool.map(lambda own: _session(bundle.bytes(own.onnx)), files))
        return cls(tuple(zip(files, sessions, strict=True)), threads)

    def scores(self, question: str, seen: Mapping[str, Seen]) -> dict[str, Scores]:
        """By source the mean over its networks: of log-odds, or of logits less their mean over more than two classes.

        Args:
            question: the task, empty for regions.
            seen: the case by source, its branches those of ``NetworkFile.branches``.

        Raises:
            ModelError: a network answers with something else than numbers.
        """
        asked = [(own, net) for own, net in self.networks if own.question == question and own.source in seen]
        with ThreadPoolExecutor(self.threads) as pool:
            found = list(pool.map(lambda pair: _logits(pair[0], pair[1], seen[pair[0].source]), asked))
        return {source: _mean([logits for (own, _), logits in zip(asked, found, strict=True) if own.source == source])
                for source in seen}  # fmt: skip

    def branches(self, question: str, source: str) -> tuple[int, ...]:
        """Regions or sequences that a source's networks see."""
        return next(own.branches for own, _ in self.networks if (own.question, own.source) == (question, source))


def _session(content: bytes) -> Any:
    """One thread a network, as networks answer beside each other; the graph as it was written.

    To optimise 15 graphs takes 0.8 s more at the start, and saves 0.1 s a case (mobilenetv3_large_100, two cores).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena a network would keep the largest case's memory for ever
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _logits(own: NetworkFile, session: Any, seen: Seen) -> Scores:
    logits = session.run(["log_odds"], {"regions": seen})[0].astype(np.float64).reshape(-1)
    if not np.isfinite(logits).all():
        remedy = "check that image and mask are what the bundle's card describes"
        raise ModelError(Fault(f"an answer of network {own.onnx} that is no number", "finite log-odds", remedy))
    return logits


def _mean(logits: list[Scores]) -> Scores:
    mean = np.sum(logits, axis=0) / len(logits)
    return mean if len(mean) == 1 else mean - mean.mean()
