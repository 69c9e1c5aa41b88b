"""What SLURM is asked for: by submitit for a long call, by dask-jobqueue for a worker that takes cases."""

from pathlib import Path
from typing import Any

from fusion.config.compute import Slurm
from fusion.launch.local import ONE_THREAD
from fusion.launch.pool import ONE, Shape

LIFE = 0.9
"""Of its time limit that a worker takes items for, so that none is cut short."""


def for_calls(slurm: Slurm, folder: Path, name: str, shape: Shape = ONE) -> Any:
    """What submitit sends jobs of this ``shape`` with."""
    from submitit import SlurmExecutor

    gpus = slurm.gpus if shape.gpus is None else shape.gpus
    wanted = {
        "job_name": name,
        "time": slurm.minutes,
        "nodes": shape.nodes,
        "ntasks_per_node": shape.tasks,
        "cpus_per_task": slurm.cores,
        "srun_args": [f"--cpus-per-task={slurm.cores}"],  # SLURM 22.05 and later: srun no longer takes sbatch's
        "gpus_per_node": gpus or None,
        "mem": f"{round(slurm.memory_gb * 1024)}M",
        "partition": slurm.partition,
        "account": slurm.account,
        "signal_delay_s": min(90, 15 * slurm.minutes),
        "stderr_to_stdout": True,
        "setup": [f"export {name}={value}" for name, value in ONE_THREAD.items()] + list(slurm.setup),
        "additional_parameters": dict(slurm.options) or None,
    }
    made = SlurmExecutor(folder, max_num_timeout=slurm.tries)
    made.update_parameters(**{name: value for name, value in wanted.items() if value is not None})
    return made


def for_cases(slurm: Slurm, folder: Path, name: str) -> dict[str, Any]:
    """What dask-jobqueue is asked for: a worker of one thread a job."""
    seconds = round(60 * slurm.minutes * LIFE)
    return {
        "cores": 1,
        "processes": 1,
        "memory": f"{slurm.memory_gb}GiB",
        "walltime": str(slurm.minutes),
        "queue": slurm.partition,
        "account": slurm.account,
        "interface": slurm.interface,
        "job_name": name,
        "job_extra_directives": [f"--{option}={value}" for option, value in slurm.options.items()],
        "job_script_prologue": list(slurm.setup),
        "log_directory": str(folder),
        "worker_extra_args": ["--lifetime", f"{seconds}s", "--no-dashboard"],
        "scheduler_options": {"dashboard": False, "dashboard_address": ":0"},
    }
