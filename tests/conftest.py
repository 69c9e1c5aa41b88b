"""Shapes are checked while tests run; fixtures that several tests share."""

import os

import pytest
from jaxtyping import install_import_hook

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # Before torch is loaded: threads of several processes that wait for each other on one core take twenty times as
    # long.
    os.environ["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) // int(workers)))

install_import_hook("fusion", "beartype.beartype")


@pytest.fixture(scope="session", autouse=True)
def _coarse_pictures():
    """PNGs of a quarter of their size, as no test looks at their pixels; drawings are as they are."""
    from fusion.report import style

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "DOTS_PER_INCH", 50)
        yield


LONGEST = ("test_configs", "flow/", "serve/", "experiments/", "report/", "models/", "heads/")
"""Below tests/, in this order first, so that no process is left with a long file at the end."""


def pytest_collection_modifyitems(items):
    """Tests of long files first; the order within a file stays."""
    starts = [f"tests/{name}" for name in LONGEST]
    items.sort(key=lambda item: next((n for n, own in enumerate(starts) if item.nodeid.startswith(own)), len(starts)))
