import pytest

from fusion.config.compute import Slurm
from fusion.launch import Shape
from fusion.launch.pool import ONE
from fusion.launch.slurm_asked import for_calls, for_cases


@pytest.fixture(autouse=True)
def _srun(tmp_path, monkeypatch):
    """submitit wants to find it."""
    (tmp_path / "srun").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def of_call(tmp_path, shape=ONE, **fields):
    return for_calls(Slurm(**fields), tmp_path, "name", shape).parameters


def test_a_call_is_given_what_the_config_names(tmp_path):
    wanted = of_call(tmp_path, partition="gpu", account="us", gpus=2, cores=4, memory_gb=1.5, minutes=30)
    assert (wanted["partition"], wanted["account"], wanted["gpus_per_node"]) == ("gpu", "us", 2)
    assert (wanted["cpus_per_task"], wanted["mem"], wanted["time"]) == (4, "1536M", 30)


def test_a_call_of_several_processes_names_nodes_tasks_and_gpus(tmp_path):
    wanted = of_call(tmp_path, Shape(nodes=2, tasks=4, gpus=4), gpus=1)
    assert (wanted["nodes"], wanted["ntasks_per_node"], wanted["gpus_per_node"]) == (2, 4, 4)


def test_without_a_gpu_none_is_named(tmp_path):
    assert "gpus_per_node" not in of_call(tmp_path)
    assert "gpus_per_node" not in of_call(tmp_path, Shape(gpus=0), gpus=1)


def test_a_job_runs_one_thread_before_its_own_setup(tmp_path):
    *threads, own = of_call(tmp_path, setup=["module load cuda"])["setup"]
    assert "export OMP_NUM_THREADS=1" in threads
    assert own == "module load cuda"


def test_a_worker_ends_before_its_time_does(tmp_path):
    wanted = for_cases(Slurm(minutes=60, options={"qos": "low"}), tmp_path, "name")
    assert wanted["worker_extra_args"][:2] == ["--lifetime", "3240s"]
    assert (wanted["walltime"], wanted["job_extra_directives"]) == ("60", ["--qos=low"])
