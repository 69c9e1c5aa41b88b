import pickle

import pytest

from fusion.errors import ConfigError, FusionError, RunError
from fusion.launch import engine, extra
from fusion.launch.same import versions
from fusion.launch.slurm_call import Answer, Call
from tests.launch import verbs


class Odd(Exception):
    """Cannot be made anew from what it tells of itself."""

    def __init__(self, one: int, two: int):
        super().__init__(f"{one} and {two}")


def odd() -> None:
    raise Odd(1, 2)


def call(tmp_path, verb, *given, tries=2, asked=None) -> Call:
    return Call(verb, given, asked or versions(), tmp_path / "starts", tries)


@pytest.mark.parametrize("kind", FusionError.__subclasses__())
def test_an_error_of_ours_survives_being_sent(tmp_path, kind):
    from fusion.errors import Fault

    error = kind([Fault("a", "b", "c", case="7"), Fault("d", "e", "f")])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.faults == error.faults


def test_an_error_arrives_as_itself_with_where_it_was_raised(tmp_path):
    error = pickle.loads(pickle.dumps(call(tmp_path, verbs.refused, 3)())).error
    assert isinstance(error, ConfigError)
    assert "in refused" in error.__notes__[0]


def test_of_an_error_that_cannot_be_sent_the_words_arrive(tmp_path):
    assert "1 and 2" in str(pickle.loads(pickle.dumps(call(tmp_path, odd)())).error)


def test_a_call_is_started_so_many_times_and_no_more(tmp_path):
    once = call(tmp_path, verbs.halved, 3)
    assert [once().value, once().value] == [1.5, 1.5]
    assert isinstance(once().error, RunError)
    assert "started or sent 2 times" in str(once().error)


def test_other_versions_compute_nothing(tmp_path):
    assert "expected numpy 1.0" in str(call(tmp_path, verbs.halved, 3, asked=versions() | {"numpy": "1.0"})().error)


def test_a_machine_without_slurm_is_a_message(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="no command sbatch, squeue, scancel, srun here"), engine("slurm", tmp_path):
        pass


@pytest.mark.parametrize("spec", ["slurm", "dask tcp://127.0.0.1:9"])
def test_a_missing_extra_is_a_message(tmp_path, monkeypatch, spec):
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"no package distributed.*; install fusion\[cluster\]"), engine(spec, tmp_path):
        pass


def test_a_call_of_several_places_is_made_on_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "1")
    once = call(tmp_path, verbs.refused, 3)
    assert once() == Answer()
    assert not once.starts.exists()
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert isinstance(once().error, ConfigError)
