"""The commands of docs/ as a reader types them; those that want a cluster or a wheelhouse are slow."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fusion.config import parse
from tests import toy
from tests.launch.slurm import slurm_node  # noqa: F401, a fixture

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
KINDS = {
    "workstation": {"run", "run-slow"},
    "slurm": {"slurm", "node", "not-run", "config"},
    "dask": {"dask", "dask background"},
    "hospital": {"connected", "offline", "offline background", "not-run"},
}
"""The kinds of blocks that a page may have; a new one wants a test."""
BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPTLY_S = 120


@dataclass(frozen=True)
class Block:
    """Commands, or YAML, and what is written behind the fence."""

    language: str
    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall((ROOT / f"docs/{page}.md").read_text())]


def commands(page: str, *kinds: str) -> list[str]:
    return [own.text for own in blocks(page) if own.kind in kinds]


@pytest.fixture
def typing(tmp_path):
    """A folder with a small cohort, mine.yaml, and `fusion` as a command."""
    toy.cohort(tmp_path)
    text = toy.CONFIG.format(table="table.csv").replace("name: toy", "name: mine")
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/fusion"
    command.write_text(f"#!{sys.executable}\nfrom fusion.cli import main\nmain()\n")
    command.chmod(0o755)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def typed(text: str, folder: Path, *before: str, **more: str) -> str:
    """What the commands print; one that fails ends them."""
    words = [*before, "bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(words, cwd=folder, env=environment(folder) | more, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@contextlib.contextmanager
def background(text: str, folder: Path):
    """Commands of a terminal that stays open, until the block ends."""
    started = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment(folder), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield started
    finally:
        os.killpg(started.pid, signal.SIGINT)
        try:
            started.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def free_port() -> str:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return str(held.getsockname()[1])


def test_the_readme_leads_to_every_page():
    assert {page.stem for page in PAGES} == set(KINDS)
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if f"(docs/{page.name})" not in readme] == []


@pytest.mark.parametrize("page", sorted(KINDS))
def test_every_block_is_of_a_kind_that_is_tested_or_says_that_it_is_not(page):
    found = blocks(page)
    assert {own.kind for own in found} == KINDS[page]
    text = (ROOT / f"docs/{page}.md").read_text()
    assert len(found) * 2 == text.count("```")
    assert "not-run" not in KINDS[page] or re.search(r"[Nn]ot run|was not run", text.rpartition("## How")[2])


@pytest.mark.parametrize("page", sorted(KINDS))
def test_links_within_the_docs_lead_somewhere(page):
    text = (ROOT / f"docs/{page}.md").read_text()
    for place, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        linked = ROOT / "docs" / place if place else ROOT / f"docs/{page}.md"
        assert linked.exists(), place
        titles = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", own.lower()).replace(" ", "-") for own in titles]


def test_the_config_block_of_slurm_is_a_config(tmp_path):
    (block,) = commands("slurm", "config")
    run = parse(toy.CONFIG.format(table="table.csv") + block)
    assert run.compute.engine == "slurm"
    assert set(yaml.safe_load(block)["compute"]["slurm"]) <= set(type(run.compute.slurm).model_fields)


def test_the_quick_part_of_the_workstation_page(typing):
    told = "".join(typed(text, typing) for text in commands("workstation", "run"))
    assert "sweep: 8 of 8 jobs done" in told
    assert "run: 4 of 4 jobs done" in told


@pytest.mark.slow
def test_the_workstation_page(typing):
    for text in commands("workstation", "run", "run-slow"):
        typed(text, typing)
    assert (typing / "runs/mine_sweep/cells/c01/report.html").is_file()
    assert (typing / "runs/two_at_once/comparison.html").is_file()


@pytest.mark.slow
def test_the_dask_page(typing):
    port = free_port()

    def here(text: str) -> str:
        return text.replace("SCHEDULER", "127.0.0.1").replace("8786", port)

    with contextlib.ExitStack() as stack:
        for text in commands("dask", "dask background"):
            stack.enter_context(background(here(text), typing))
            if "scheduler" in text.split():
                until_open(int(port))
        for text in commands("dask", "dask"):
            typed(here(text), typing)
    assert (typing / "runs/mine_sweep/comparison.html").is_file()
    assert (typing / "runs/mine/report.html").is_file()


@pytest.mark.slow
def test_the_slurm_page(typing, slurm_node):  # noqa: F811, the fixture
    for text in commands("slurm", "slurm"):
        typed(text, typing)
    assert (typing / "runs/mine_sweep/comparison.html").is_file()


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a SLURM node")
def test_the_node_to_try_slurm_on(tmp_path):
    (block,) = commands("slurm", "node")
    assert "idle" in typed(f"cd {ROOT}\nexport TMPDIR={tmp_path}\n{block}", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can take the network away from a process")
def test_the_hospital_page(tmp_path):
    """Packages are fetched and built, then installed, run and served by processes that have no network."""
    connected, offline = tmp_path / "connected", tmp_path / "offline"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(connected)], check=True)
    (connected / "carried/weights").mkdir(parents=True)
    weights(connected / "carried/weights/model.safetensors")
    for text in commands("hospital", "connected"):
        typed(text, connected, PYTHONPATH="")
    offline.mkdir()
    shutil.move(connected / "carried", offline / "carried")
    bare = {"PYTHONPATH": "", "PIP_FIND_LINKS": "", "HF_HUB_OFFLINE": ""}
    for text in commands("hospital", "offline"):
        typed(f"ip link set lo up\n{text}", offline, "unshare", "--net", **bare)
    assert (offline / "runs/tiny_ct/report.html").is_file()
    (serve,) = commands("hospital", "offline background")
    ask = (
        "fusion-env/bin/python -c \"from urllib.request import urlopen as o; print(o('http://127.0.0.1:7860').status)\""
    )
    script = f"""
        ip link set lo up
        {serve.strip()} > /dev/null 2>&1 &
        for n in $(seq {PROMPTLY_S}); do sleep 1; {ask} && break; done
        kill -INT $!
    """
    assert typed(script, offline, "unshare", "--net", **bare).strip() == "200"


def weights(path: Path) -> None:
    """A file as timm writes it, of a network at random."""
    import timm
    from safetensors.torch import save_file

    net = timm.create_model("mobilenetv3_small_100", pretrained=False)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)


def until_open(port: int) -> None:
    end = time.monotonic() + PROMPTLY_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(port)
