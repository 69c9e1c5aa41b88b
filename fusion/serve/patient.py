"""A case's clinical values: checked as the cells of a cohort table are, then encoded as the heads read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fusion.config.cohort import Number
from fusion.config.run import Run
from fusion.data.cohort import allowed, expected_in_cell
from fusion.data.words import word
from fusion.errors import CohortError, Fault
from fusion.features import clinical


@dataclass(frozen=True)
class Patient:
    """What is known of one patient."""

    encoded: Mapping[str, float]
    """By encoded column, such as ``margin=unclear``; a variable that is not known has none."""
    numbers: Mapping[str, float]
    """Numeric variables as they were given."""


def patient(given: Mapping[str, str], run: Run, case: str) -> Patient:
    """The values in ``given``; an empty word says nothing.

    Args:
        given: words by clinical variable.
        run: what the variables are.
        case: named in errors.

    Raises:
        CohortError: every unknown variable and every value that the table of a cohort could not hold.
    """
    kinds = run.cohort.clinical
    known = {name.strip(): word(value) for name, value in given.items() if word(value)}
    faults = [_unknown(name, run, case) for name in known if name not in kinds]
    for name, value in known.items():
        if name in kinds and (expected := expected_in_cell(value, kinds[name])):
            faults.append(Fault(f"{name} = {value!r}", expected, "mend the value", case))
    if faults:
        raise CohortError(faults)
    row = pd.DataFrame([{n: float(v) if isinstance(kinds[n], Number) else v for n, v in known.items()}])
    encoded = clinical.encode(row, kinds, tuple(known)).iloc[0].to_dict() if known else {}
    numbers = {name: float(value) for name, value in known.items() if isinstance(kinds[name], Number)}
    return Patient({str(name): float(value) for name, value in encoded.items()}, numbers)


def missing(columns: Sequence[str], own: Patient, run: Run) -> tuple[str, ...]:
    """Variables behind the encoded ``columns`` that are not known of the patient."""
    return tuple(dict.fromkeys(variable(name, run) for name in columns if name not in own.encoded))


def not_given(variables: Sequence[str], model: str, others: Sequence[str], run: Run, case: str) -> list[Fault]:
    """A fault a variable that ``model`` reads and nobody gave.

    Args:
        variables: those that are missing.
        model: that reads them.
        others: models that read no clinical value.
        run: what the variables are.
        case: named in the faults.
    """
    remedy = f"give it, or choose model {others[-1]}, which reads no clinical value" if others else "give it"
    kinds = run.cohort.clinical
    return [Fault(f"no value of {name}, which model {model} reads", allowed(kinds[name]), remedy, case)
            for name in variables]  # fmt: skip


def variable(column: str, run: Run) -> str:
    """The clinical variable behind an encoded column: ``margin`` of ``margin=unclear``."""
    if column in run.cohort.clinical:
        return column
    return next(name for name in run.cohort.clinical if column.startswith(f"{name}="))


def _unknown(name: str, run: Run, case: str) -> Fault:
    known = ", ".join(run.cohort.clinical) or "none: this bundle reads no clinical value"
    return Fault(f"clinical variable {name!r}", known, "name one of these, or leave it out", case)
