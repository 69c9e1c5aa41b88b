import multiprocessing
import os
import time

import numpy as np
import pytest

from fusion.features.radiomics import memory
from fusion.features.radiomics.memory import Kept, recall, remember

KEY, OTHER = "ab" * 32, "cd" * 32
KEPT = Kept(np.array([0.1, 1 / 3, np.nan, -0.0, 1e-300]), ("a warning\nof two lines", "µ"))


def same(found, kept=KEPT):
    return found is not None and found.features.tobytes() == kept.features.tobytes() and found.warnings == kept.warnings


def test_what_is_remembered_is_recalled_bit_for_bit(tmp_path):
    assert recall(tmp_path, KEY) is None
    remember(tmp_path, KEY, KEPT)
    assert same(recall(tmp_path, KEY))
    assert recall(tmp_path, KEY).features.flags.writeable


def test_nothing_but_the_whole_file_is_used(tmp_path, capsys):
    """Cut off after any byte, or with any byte changed: told, deleted and never used."""
    remember(tmp_path, KEY, KEPT)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    spoiled = [whole[:n] for n in range(len(whole))] + [whole + b"\0"]
    spoiled += [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(len(whole))]
    for content in spoiled:
        path.write_bytes(content)
        assert recall(tmp_path, KEY) is None
        assert not path.exists()
        assert capsys.readouterr().err == f"{path}: damaged, so it is deleted and measured again\n"
    remember(tmp_path, KEY, KEPT)
    assert same(recall(tmp_path, KEY))


def test_another_region_s_file_in_its_place_is_not_used(tmp_path):
    for key in (KEY, OTHER):
        remember(tmp_path, key, KEPT)
    os.replace(tmp_path / f"{OTHER}{memory.SUFFIX}", tmp_path / f"{KEY}{memory.SUFFIX}")
    assert recall(tmp_path, KEY) is None


def hammer(folder, number):
    """Remember and recall the same keys as others do, and count what came back wrong."""
    wrong = 0
    for turn in range(300):
        key = f"{turn % 7:064x}"
        kept = Kept(np.full(1000, float(turn % 7)), (key,))
        remember(folder, key, kept)
        found = recall(folder, key)
        wrong += found is not None and not same(found, kept)
    os._exit(min(wrong, 255))


def test_processes_that_share_a_folder_never_see_half_a_file(tmp_path, capfd):
    started = [multiprocessing.get_context("fork").Process(target=hammer, args=(tmp_path, n)) for n in range(4)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    assert [one.exitcode for one in started] == [0] * 4
    assert capfd.readouterr().err == ""
    assert len(list(tmp_path.iterdir())) == 7


@pytest.mark.parametrize(("age_s", "left"), [(0, 1), (2 * memory.IDLE_S, 0)])
def test_only_what_a_dead_writer_left_is_tidied(tmp_path, age_s, left):
    half = tmp_path / f".0a1b2c3d-{KEY}{memory.SUFFIX}"
    half.write_bytes(b"half")
    os.utime(half, (time.time() - age_s,) * 2)
    memory.tidy(tmp_path)
    assert len(list(tmp_path.iterdir())) == left
