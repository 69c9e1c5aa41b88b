"""Where the processes of one training go: to this machine, or to the places that a SLURM job has for them."""

import os
from collections.abc import Mapping

import torch

from fusion.config.network import Network
from fusion.errors import Fault, ModelError


def refuse_missing(network: Network) -> None:
    """Make sure that there is a GPU, or a place in a SLURM job, for every process.

    A machine without any GPU trains on its cores.

    Raises:
        ModelError: there are GPUs, but fewer than ``network.devices``; several nodes are asked for, and this is no
            SLURM job with as many tasks.
    """
    faults = []
    found = torch.cuda.device_count()
    if 0 < found < network.devices:
        remedy = f"set network.devices={found}, or ask for a machine with more"
        faults.append(Fault(f"{found} GPUs", f"{network.devices} (network.devices)", remedy))
    if network.nodes > 1 and not in_slurm(network):
        wanted = f"one of {network.processes} tasks on {network.nodes} nodes"
        remedy = (
            f"start it with sbatch --nodes={network.nodes} --ntasks-per-node={network.devices}, or set network.nodes=1"
        )
        faults.append(Fault(_job(), wanted, remedy))
    if faults:
        raise ModelError(faults)


def in_slurm(network: Network, given: Mapping[str, str] = os.environ) -> bool:
    """Whether this runs inside a SLURM job with a task for each process.

    >>> job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_JOB_NUM_NODES": "2"}
    >>> [in_slurm(Network(devices=2, nodes=nodes), job) for nodes in (1, 2)]
    [False, True]
    """
    nodes, tasks = given.get("SLURM_JOB_NUM_NODES", "1"), given.get("SLURM_NTASKS", "1")
    return "SLURM_JOB_ID" in given and (int(nodes), int(tasks)) == (network.nodes, network.processes)


def srun(network: Network) -> list[str]:
    """The beginning of a command that runs it once for each process, on the places of the job that this is in."""
    places = [f"--nodes={network.nodes}", f"--ntasks={network.processes}", f"--ntasks-per-node={network.devices}"]
    return ["srun", "--overlap", "--kill-on-bad-exit=1", "--quiet", *places]


def _job() -> str:
    if "SLURM_JOB_ID" not in os.environ:
        return "no SLURM job"
    tasks, nodes = os.environ.get("SLURM_NTASKS", "1"), os.environ.get("SLURM_JOB_NUM_NODES", "1")
    return f"a SLURM job of {tasks} tasks on {nodes} nodes"
