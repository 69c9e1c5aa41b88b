"""Small made-up cohorts on disk: a bright blob in noise, brighter and rougher in events."""

from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

SHAPE, SPACING = (8, 40, 40), (3.0, 1.0, 1.0)


def volume(event: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    centre = np.array([3.5, 19.5, 19.5]) + rng.uniform(-0.5, 0.5, 3) * (1, 4, 4)
    radius = rng.uniform(7, 9)
    distance = np.sqrt(((z - centre[0]) * 3) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
    tumour = distance <= radius
    noise = rng.normal(0, 15, SHAPE)
    return (20 + tumour * (40 + 25 * event + noise * (1 + event)) + noise).astype(np.int16), tumour.astype(np.uint8)


def write(path: Path, values: np.ndarray, spacing=SPACING, origin=(0.0, 0.0, 0.0)) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing[::-1])
    image.SetOrigin(origin)
    sitk.WriteImage(image, str(path))
    return path


def cohort(folder: Path, cases: int = 16, seed: int = 0, suffix: str = ".nii.gz") -> pd.DataFrame:
    """Images, masks and table.csv in ``folder``; returns the table."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(cases):
        event = number % 2
        image, tumour = volume(event, rng)
        write(folder / f"c{number}_ct{suffix}", image)
        write(folder / f"c{number}_tumour{suffix}", tumour)
        rows.append(
            {"case": f"c{number}", "patient": f"p{number}", "ct": f"c{number}_ct{suffix}",
             "tumour": f"c{number}_tumour{suffix}", "malignant": event,
             "margin": "unclear" if rng.random() < 0.3 + 0.4 * event else "clear", "age": round(rng.uniform(20, 80))}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    table.to_csv(folder / "table.csv", index=False)
    return table


CONFIG = """
name: toy
cohort:
  table: {table}
  clinical:
    margin: {{kind: category, values: [clear, unclear]}}
    age: {{kind: number, low: 0, high: 120}}
split: {{folds: 2}}
radiomics: {{images: [original]}}
heads: {{lasso_folds: 2, top: 3}}
evaluate: {{bootstrap: 200, validation: null}}
network: null
bundle: false
"""


def run(folder: Path, *overrides: str):
    from fusion.config import parse

    text = CONFIG.format(table=folder / "table.csv")
    return parse(text, [f"output={folder / 'run'}", "jobs=1", *overrides])
