"""A small sweep on one worker and on more, what each kind of its jobs costs, and what a large sweep would cost.

    python experiments/benchmarks/sweep.py [--cases 24 72] [--workers 1 2] [--backbone mobilenetv3_large_100]

The scaling is that of `fusion sweep configs/tiny_ct.yaml` with four cells, in a process of its own, again for every
number of workers. The costs are those of `many/costs.py`, a process of one thread for each cohort size, so that what a
case more costs is a difference; heads are fitted on made-up features of as many cases as the large sweep has. The large
sweep is `many/model.py` with these costs. Ends with one line of JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path[:] = [place for place in sys.path if Path(place) != Path(__file__).resolve().parent]
# where radiomics.py would be imported instead of PyRadiomics
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from experiments.benchmarks.many.costs import ONE_THREAD, words  # noqa: E402
from experiments.benchmarks.many.model import Costs, large  # noqa: E402
from experiments.benchmarks.scale import Cost, measured  # noqa: E402

COMMAND = [sys.executable, "-c", "from fusion.cli import main; main()", "sweep"]
CELLS = ("heads.top=3,5", "network.dropout=0.1,0.2")
COSTS = Path(__file__).resolve().with_name("many") / "costs.py"


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs=2, default=(24, 72), help="of the cohorts whose costs are compared")
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--backbone", default="mobilenetv3_large_100", help="of networks whose costs are measured")
    parser.add_argument("--heads-cases", type=int, default=1000, help="of the made-up features of heads")
    parser.add_argument("--cells", nargs="+", default=CELLS, help="of the sweep on one worker and on more")
    parser.add_argument("--override", nargs="*", default=(), help="of all runs")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as name:
        scaled = scaling(Path(name), asked.workers, asked.cells, asked.override)
        few, many = (
            costs(Path(name), cases, asked.backbone, asked.heads_cases, asked.override) for cases in asked.cases
        )
    print(json.dumps(figures(scaled, asked.workers, few, many)))


def scaling(folder: Path, workers: Sequence[int], cells: Sequence[str], more: Sequence[str]) -> list[Cost]:
    """What the same sweep costs on so many workers; its phantom is made before."""
    first = words(folder, 24, more)
    subprocess.run([*COMMAND[:-1], "check", *first], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = []
    for number in workers:
        own = [*COMMAND, *first, *cells, f"output={folder}/on_{number}", f"jobs={number}"]
        found.append(measured(own, 24))
        print(f"{number} workers: {found[-1].seconds:.0f} s, {found[-1].cpu_seconds:.0f} CPU s", flush=True)
    return found


def costs(folder: Path, cases: int, backbone: str, heads_cases: int, more: Sequence[str]) -> dict[str, Any]:
    """What every kind of job costs with so many cases, in a process of one thread."""
    asked = [str(folder), str(cases), backbone, str(heads_cases), *more]
    done = subprocess.run(
        [sys.executable, str(COSTS), *asked], stdout=subprocess.PIPE, text=True, check=True, env=os.environ | ONE_THREAD
    )
    return json.loads(done.stdout.splitlines()[-1])


def figures(scaled: list[Cost], workers: Sequence[int], few: dict[str, Any], many: dict[str, Any]) -> dict[str, Any]:
    """Scaling, costs a job, and the large sweep."""
    own = Costs.of(few, many)
    return {
        "workers": list(workers),
        "wall_seconds": [round(cost.seconds, 1) for cost in scaled],
        "cpu_seconds": [round(cost.cpu_seconds, 1) for cost in scaled],
        "parent_mb": [round(cost.parent_mb) for cost in scaled],
        "speed_up": round(scaled[0].seconds / scaled[-1].seconds, 2),
        "costs": own.rounded(),
        "large": large(own),
    }


if __name__ == "__main__":
    main()
