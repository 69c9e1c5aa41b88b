"""Explanations on disk: heat maps on the case's own image, and what each region says alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.data import cohort
from fusion.data.case import Case, load
from fusion.errors import Fault, RunError
from fusion.models.checkpoints import SOURCES
from fusion.models.explain import HeatMaps, ablation, heat_maps
from fusion.models.export import Trained
from fusion.roi.back import to_image, write_map
from fusion.roi.box import box
from fusion.roi.patch import Patches
from fusion.roi.region import REGIONS
from fusion.store import write_csv

Networks = Mapping[str, Sequence[Trained]]
"""Trained networks by source."""


def write_heat_maps(
    folder: Path, run: Run, network: Network, cases: pd.DataFrame, patches: Patches, nets: Networks,
    names: Sequence[str],
) -> None:  # fmt: skip
    """heat_maps/<case>_<source>_<region>_scale<k>.nii.gz and ..._all.nii.gz; <case>_<source>.csv has a row a map.

    Values are in log-odds a feature map, and comparable within one scale only; `_all` is the mean of the scales, each
    divided by its maximum. The tables say where a map shows nothing.

    Raises:
        CohortError: a case cannot be read any more.
        RunError: its image or mask changed since the networks were trained.
    """
    place = {name: n for n, name in enumerate(cases["case"])}
    images = {name: _image(run, name, patches, place[name]) for name in names}
    asked = np.array([place[name] for name in names])
    for source, own in nets.items():
        found = heat_maps(own, patches, asked, network, run.roi)
        for name in names:
            _write_case(folder / "heat_maps", images[name], source, found[place[name]], run)


def write_ablation(
    folder: Path, run: Run, network: Network, cases: pd.DataFrame, patches: Patches, nets: Networks
) -> None:
    """ablation.csv: log-odds and probability of every case with both regions, and with each alone.

    Only sources with two regions have rows. Probabilities are not calibrated.
    """
    tables = []
    for source, own in nets.items():
        if len(SOURCES[source]) == 2:
            log_odds = ablation(own, patches, network, run.roi)
            values = pd.DataFrame(log_odds, columns=["log_odds", "log_odds_tumour_only", "log_odds_external2_only"])
            for name in [str(column) for column in values]:
                values[name.replace("log_odds", "probability")] = 1 / (1 + np.exp(-values[name]))
            tables.append(pd.concat([cases[["case", "set", "fold"]].assign(source=source), values], axis=1))
    if tables:
        write_csv(folder / "ablation.csv", pd.concat(tables, ignore_index=True))


def _image(run: Run, name: str, patches: Patches, place: int) -> Case:
    """The case's image and tumour, which are still those that the box was cut from."""
    files = {own.case: own for own in cohort.read(run.cohort, run.seed).files}
    if name not in files:
        remedy = "bring its row back"
        raise RunError(Fault("no such row with its files", "one", remedy, name, file=str(run.cohort.table)))
    case = load(files[name], run.cohort, run.roi.resample_mask)
    own = box(case, None, run.roi)
    if not (np.array_equal(own.grey, patches.grey[place]) and np.array_equal(own.distance, patches.distance[place])):
        remedy = "bring the files back, or run again with another output"
        raise RunError(Fault("another image or mask", "those the networks were trained on", remedy, name))
    return case


def _write_case(folder: Path, case: Case, source: str, found: HeatMaps, run: Run) -> None:
    """One case's maps of one source, and their table."""
    rows = []
    for place, number in enumerate(SOURCES[source]):
        region = REGIONS[number]
        shown = {f"scale{scale}": own for scale, own in enumerate(found.maps[place])}
        for kind, values in {**shown, "all": found.all_scales[place]}.items():
            file = f"{case.name}_{source}_{region}_{kind}.nii.gz"
            _write_map(folder / file, values, case, run)
            top = float(values.max())
            rows.append({"case": case.name, "source": source, "region": region, "map": kind, "networks": found.networks,
                         "maximum": top, "shows": "something" if top > 0 else "nothing", "file": file})  # fmt: skip
    write_csv(folder / f"{case.name}_{source}.csv", pd.DataFrame(rows))


def _write_map(path: Path, values: Float[ndarray, "z y x"], case: Case, run: Run) -> None:
    image = to_image(values, case.tumour, case.geometry, run.roi.patch, case.name)
    write_map(path, image, case.geometry)
