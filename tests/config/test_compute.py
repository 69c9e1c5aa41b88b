import pytest
from pydantic import ValidationError

from fusion.config.compute import Compute, Slurm


@pytest.mark.parametrize("spec", ["local", "slurm", "dask tcp://10.0.0.1:8786", "dask tls://head:8786"])
def test_engines_by_name(spec):
    assert Compute(engine=spec).engine == spec


@pytest.mark.parametrize("spec", ["", "ray", "dask", "dask head:8786", "slurm tcp://head:1", "dask tcp://a b"])
def test_other_engines_are_refused(spec):
    with pytest.raises(ValidationError, match="engine"):
        Compute(engine=spec)


@pytest.mark.parametrize("field", ["workers", "cores", "minutes", "at_once", "tries", "memory_gb"])
def test_nothing_of_what_is_asked_for_is_zero(field):
    with pytest.raises(ValidationError, match=field):
        Slurm(**{field: 0})
