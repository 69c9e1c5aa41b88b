"""One of several processes that train networks together; ``fusion.models.processes`` starts it."""

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Thread

import torch
import torch.distributed as dist
from pytorch_lightning.plugins.environments import ClusterEnvironment, LightningEnvironment, SLURMEnvironment

from fusion.config.network import Network
from fusion.models import processes
from fusion.models.jobs import Job, Training
from fusion.models.machine import within_memory
from fusion.models.separate import fit
from fusion.models.share import Share
from fusion.progress import each


def main(folder: Path, place: str) -> None:
    """Train what ``folder`` asks for, as one of all.

    Args:
        folder: what ``processes.fit`` handed over, and where errors are left.
        place: this process's number, or `slurm`, which then knows it.
    """
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):  # Ctrl-C, or SLURM's word that time is nearly up
        signal.signal(number, signal.SIG_IGN)  # is for the process that started this one
    Thread(target=_leave_with_the_other_end, daemon=True, name="lifeline").start()
    rank = int(os.environ["SLURM_PROCID"] if place == "slurm" else place)
    try:
        training, jobs, within = pickle.loads((folder / processes.WORK).read_bytes())
        _train(
            training, jobs, Share(rank, training.network.processes), _places(place, folder, training.network), within
        )
    except BaseException as error:  # handed to the process that started this one
        if not _follows(error):
            processes.tell(folder, rank, error)
        os._exit(1)  # at once, as the others wait for this one
    dist.destroy_process_group()


def _train(
    training: Training, jobs: Sequence[Job], share: Share, places: ClusterEnvironment, within: bool
) -> None:  # fmt: skip
    one = partial(fit, training, share=share, places=places)
    with within_memory(training.network):
        if share.rank or within:
            for job in jobs:
                one(job)
        else:
            for _ in each(one, jobs, "networks", 1):
                pass


def _places(place: str, folder: Path, network: Network) -> ClusterEnvironment:
    """How Lightning finds the others: by SLURM's variables, or, on one machine, already found by a file, as a free port
    may be taken by another training before all are there."""
    slurm, gpu = place == "slurm", torch.cuda.is_available()
    rank = int(os.environ["SLURM_LOCALID"] if slurm else place)
    if gpu:
        torch.cuda.set_device(rank)
    if slurm:
        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(network.devices))  # Lightning insists
        return SLURMEnvironment(auto_requeue=False)
    os.environ |= {"LOCAL_RANK": place, "NODE_RANK": "0"}
    dist.init_process_group(
        "nccl" if gpu else "gloo", init_method=f"file://{folder.resolve()}/meeting", rank=rank,
        world_size=network.processes, device_id=torch.device("cuda", rank) if gpu else None,
    )  # fmt: skip
    return LightningEnvironment()


def _leave_with_the_other_end() -> None:
    """Standard input ends when the process that started this one does, also on another machine."""
    os.read(0, 1)  # not sys.stdin, whose lock a thread must not hold when Python ends
    os._exit(1)


def _follows(error: BaseException) -> bool:
    """Whether it is only that another process is gone."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error).lower())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
