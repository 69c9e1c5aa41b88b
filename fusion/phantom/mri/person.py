"""The clinical columns of one patient."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from fusion.phantom.mri.law import Law


@dataclass(frozen=True)
class Person:
    """Age in years."""

    age: int
    female: bool
    smoking: bool


def draw_person(law: Law, rng: Generator) -> Person:
    """The patient of a tumour with ``law``; sex and smoking are independent given the histology."""
    age, (sex, smoking) = float(rng.standard_normal()), rng.random(2).tolist()
    return Person(
        age=round(float(np.clip(law.age + law.age_sd * age, 18, 88))),
        female=sex >= law.male,
        smoking=smoking < law.smoking,
    )
