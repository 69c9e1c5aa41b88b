"""On a real SLURM the processes of a training are tasks of the job that it is in."""

import subprocess
import sys
from pathlib import Path

import pytest

from fusion.models.train import train
from tests.launch.slurm import slurm_node  # noqa: F401, a fixture

from .conftest import EVENTS, FOLDS, ROI, SMALL, patches

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TWO = SMALL.model_copy(update={"devices": 2})
CODE = """
import sys
from pathlib import Path
from tests.models.conftest import EVENTS, FOLDS, ROI, SMALL, patches
from fusion.errors import ModelError
from fusion.models.train import train
own = SMALL.model_copy(update={{"devices": 2, {more}}})
try:
    train(patches(), EVENTS, FOLDS, own, ROI, 0, Path(sys.argv[1]), 1, (0,), {{"tumour_DL": (0,)}})
except ModelError as error:
    sys.exit(f"message: {{error}}")
"""


def job(folder: Path, more: str = "") -> subprocess.CompletedProcess[str]:
    """A SLURM job of two tasks whose batch script trains; its output is in ``folder``/out."""
    folder.mkdir()
    (folder / "code.py").write_text(CODE.format(more=more))
    line = f"cd {ROOT} && PYTHONPATH=. {sys.executable} {folder}/code.py {folder}"
    asked = ["sbatch", "--wait", "--nodes=1", "--ntasks-per-node=2", f"--output={folder}/out", f"--wrap={line}"]
    return subprocess.run(asked, capture_output=True, text=True, timeout=600, check=False)


def test_the_tasks_of_a_job_train_what_processes_of_one_machine_do(slurm_node, tmp_path):  # noqa: F811
    done = job(tmp_path / "job")
    assert done.returncode == 0, (tmp_path / "job/out").read_text()
    train(patches(), EVENTS, FOLDS, TWO, ROI, 0, tmp_path / "here", 1, only=(0,), sources={"tumour_DL": (0,)})
    name = "checkpoints/tumour_DL_fold0_seed0.safetensors"
    assert (tmp_path / "job" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    number = done.stdout.split()[-1]
    assert f"launch task StepId={number}.0 " in (slurm_node / "slurmd.log").read_text(), "no srun was used"


def test_a_task_that_fails_ends_the_others_with_one_message(slurm_node, tmp_path):  # noqa: F811
    done = job(tmp_path / "job", '"lr_head": 1e30, "clip": 1e30, "epochs": 4, "ema": 0.0')
    told = (tmp_path / "job/out").read_text()
    assert done.returncode == 1, told
    assert told.count("message: found loss") == 1
    assert "Traceback" not in told
