import subprocess
import sys

CODE = """
import signal
from fusion.launch.slurm_cases import slurm_cluster

slurm_cluster()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def test_ctrl_c_is_still_an_interrupt_when_the_package_for_slurm_is_there():
    subprocess.run([sys.executable, "-c", CODE], check=True)
