import pytest
import torch

from fusion.config.network import Network
from fusion.errors import ModelError
from fusion.models.allocation import in_slurm, refuse_missing, srun


def test_missing_gpus_and_nodes_are_told_at_once(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(ModelError) as caught:
        refuse_missing(Network(devices=4, nodes=2))
    assert "found 2 GPUs; expected 4 (network.devices)" in str(caught.value)
    assert "found no SLURM job; expected one of 8 tasks on 2 nodes; start it with sbatch" in str(caught.value)
    refuse_missing(Network(devices=2))


def test_a_machine_without_gpus_trains_on_its_cores(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    refuse_missing(Network(devices=4))


def test_a_job_of_other_tasks_is_refused_for_several_nodes_alone(monkeypatch):
    for name, value in {"JOB_ID": "7", "NTASKS": "2", "JOB_NUM_NODES": "2"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    with pytest.raises(ModelError, match="found a SLURM job of 2 tasks on 2 nodes; expected one of 8 tasks"):
        refuse_missing(Network(devices=4, nodes=2))
    refuse_missing(Network(devices=1, nodes=2))
    refuse_missing(Network(devices=4))


def test_processes_go_to_the_places_of_a_job_with_as_many_tasks():
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_JOB_NUM_NODES": "1"}
    assert in_slurm(Network(devices=4), job)
    assert not in_slurm(Network(devices=2), job)
    assert not in_slurm(Network(devices=4), {})
    assert srun(Network(devices=4, nodes=2))[-3:] == ["--nodes=2", "--ntasks=8", "--ntasks-per-node=4"]
