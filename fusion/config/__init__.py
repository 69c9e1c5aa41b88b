"""What a run is (``run.py``) and how it is read from a file and a command line (``read.py``)."""

from fusion.config.read import dump, load, parse, schema
from fusion.config.run import MODELS, Run

__all__ = ["MODELS", "Run", "dump", "load", "parse", "schema"]
