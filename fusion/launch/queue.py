"""What SLURM says of this user's jobs; its commands are asked, as accounting is switched off on many clusters."""

import os
import pwd
import subprocess
from shutil import which

from fusion.errors import Fault, RunError

SECONDS = 60


def require_slurm() -> None:
    """Refuse a machine that cannot send jobs.

    Raises:
        RunError: a command of SLURM is missing, or the cluster does not answer.
    """
    submits = "a machine that submits SLURM jobs"
    missing = [own for own in ("sbatch", "squeue", "scancel", "srun") if which(own) is None]
    if missing:
        found = f"no command {', '.join(missing)} here"
        raise RunError(Fault(found, submits, "log in to one, or set compute.engine=local"))
    if living("any") is None:
        found = "no answer from SLURM (squeue)"
        raise RunError(Fault(found, submits, "see whether `sinfo` works here, and try again"))


def require_taken(script: str) -> None:
    """Refuse what SLURM would refuse.

    Args:
        script: of a job, as sbatch reads it; it is not sent.

    Raises:
        RunError: with SLURM's reason.
    """
    said = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, timeout=SECONDS)
    if said.returncode:
        raise RunError(refused(said.stderr))


def refused(words: str) -> Fault:
    """What sbatch said of a job that it does not take."""
    found = f"a job that SLURM does not take: {words.strip().splitlines()[-1]}"
    return Fault(found, "one that it takes", "see the fields of compute.slurm and the rules of the cluster")


def living(name: str) -> set[str] | None:
    """Numbers of the jobs of this ``name`` that wait or run; None where SLURM does not answer just now."""
    command = ["squeue", "--me", f"--name={name}", "--noheader", "--format=%A"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return set(said.stdout.split())


def cancel(*jobs: str) -> None:
    """Take jobs out of the queue, running or not; those that ended are passed over."""
    _scancel(*jobs)


def cancel_all(name: str) -> None:
    """Take all jobs of this ``name`` out of the queue, also one whose number never came back."""
    _scancel(f"--user={pwd.getpwuid(os.getuid()).pw_name}", f"--name={name}")


def _scancel(*words: str) -> None:
    subprocess.run(["scancel", *words], capture_output=True, timeout=SECONDS, check=False)
