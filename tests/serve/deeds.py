"""What a worker is told to do in tests: functions of a module, as its process finds them by name."""

import ctypes
import os
import time

import numpy as np

from fusion.errors import CohortError, Fault


def setup(word="made"):
    return {"word": word, "done": 0}


def refused_setup():
    raise CohortError(Fault("no bundle", "one", "give one"))


def crashed_setup():
    os._exit(3)


def echo(state, value):
    state["done"] += 1
    return state["word"], value, state["done"]


def pid(state):
    return os.getpid()


def slow(state, seconds):
    time.sleep(seconds)
    return seconds


def refuse(state, folder):
    raise CohortError(Fault(f"an unreadable file (about {folder}/image.nii)", "a volume", "mend it", "Ms Doe",
                            f"{folder}/image.nii"))  # fmt: skip


def fail(state):
    raise KeyError("Ms Doe")


def segfault(state):
    ctypes.string_at(0)


def exhaust(state, gib):
    return float(np.ones(gib * 2**27).sum())


def unpicklable(state):
    return lambda: None


def stamp(state, path, number):
    with open(path, "a") as file:
        file.write(f"{number}\n")
    return number


def shout(state, words):
    print(words, flush=True)
    os.write(2, words.encode())
