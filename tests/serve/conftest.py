"""Two finished runs and their bundles, shared by all tests of this folder and all processes that run them."""

import os
from pathlib import Path

import pytest

from tests.serve import made


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Path:
    """A folder that the processes of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "bundled"


@pytest.fixture(scope="session")
def ct_run(made_once) -> Path:
    """The folder of a finished run of tumour and ring: 24 cases, networks, clinical variables, a test set."""
    return made.once(made_once, "ct", made.ct)


@pytest.fixture(scope="session")
def ct_bundle(ct_run) -> Path:
    """Its bundle; tests that change one copy it."""
    return ct_run / "bundle"


@pytest.fixture(scope="session")
def mri_run(made_once) -> Path:
    """The folder of a finished run of slices: 30 cases, two tasks, one of three classes, two sequences and both."""
    return made.once(made_once, "mri", made.mri)


@pytest.fixture(scope="session")
def mri_bundle(mri_run) -> Path:
    """Its bundle; tests that change one copy it."""
    return mri_run / "bundle"


@pytest.fixture(scope="session")
def service(ct_bundle, mri_bundle, tmp_path_factory):
    """Both bundles served by a worker of its own, small uploads alone."""
    from fusion.serve.limits import Limits
    from fusion.serve.service import Service
    from fusion.serve.worker import Bounds

    limits = Limits(file_bytes=2**24, request_bytes=2**25, files=8, unpacked_bytes=2**24, entries=100)
    bounds = Bounds(seconds=60.0, memory_bytes=3 * 2**30)
    with Service.open([ct_bundle, mri_bundle], limits, bounds, tmp_path_factory.mktemp("desk")) as own:
        yield own


@pytest.fixture(scope="session")
def client(service):
    """Asks the API of ``service`` without a network."""
    from starlette.testclient import TestClient

    from fusion.serve import server

    with TestClient(server.app(service, page=False), base_url="http://127.0.0.1") as own:
        yield own
