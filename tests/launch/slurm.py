"""A real SLURM of one node while tests run; ``from tests.launch.slurm import slurm_node``."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fusion.launch import slurm_cases, slurm_jobs

SCRIPT = Path(__file__).with_name("slurm_node.sh")


@pytest.fixture(scope="module")
def slurm_node() -> Iterator[Path]:
    """The node's folder; its commands find it by SLURM_CONF, which is set meanwhile."""
    if os.getuid() != 0:
        pytest.skip("only root can start a SLURM node")
    with tempfile.TemporaryDirectory(prefix="slurm_") as name:  # short, as a socket's path has 107 letters
        folder = Path(name)
        try:
            try:
                subprocess.run([SCRIPT, "start", name], capture_output=True, text=True, timeout=300, check=True)
            except (subprocess.SubprocessError, OSError) as error:
                pytest.skip(f"no SLURM here: {error}: {str(getattr(error, 'stderr', None) or '')[-300:]}")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
                patch.setattr(slurm_jobs, "SECONDS_BETWEEN_QUESTIONS", 0.5)  # nobody else asks this SLURM
                patch.setattr(slurm_jobs, "SECONDS_FOR_A_RESULT", 1.0)  # nor is its disk shared
                patch.setattr(slurm_jobs, "SECONDS_UNTIL_SENT_AGAIN", 0.5)
                patch.setattr(slurm_cases, "SECONDS_BETWEEN_QUESTIONS", 0.5)
                yield folder
        finally:
            subprocess.run([SCRIPT, "stop", name], capture_output=True, timeout=60)
