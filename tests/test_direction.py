"""Imports run one way, in the order of the data flow."""

import ast
from pathlib import Path

import pytest

FLOW = ["errors", "types", "machine_faults", "store", "volume_file", "progress", "config", "phantom", "data", "roi",
        "features", "radiomics", "models", "heads", "evaluate", "report", "serve", "launch", "flow", "cli"]  # fmt: skip
ROOT = Path(__file__).parents[1] / "fusion"
FILES = sorted(ROOT.rglob("*.py"))


def imported(file: Path) -> set[str]:
    """Rooms of fusion that a file imports, wherever in the file."""
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "fusion":
            rooms |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fusion."):
            rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("fusion.")}
    return rooms


def room(file: Path) -> str:
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", [f for f in FILES if room(f) != "__init__"], ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_imports_only_from_what_comes_before_it(file):
    late = {other for other in imported(file) if FLOW.index(other) > FLOW.index(room(file))}
    assert not late, f"{room(file)} comes before {late}"


def test_the_flow_names_every_room():
    rooms = {room(file) for file in FILES} - {"__init__"}
    assert rooms == set(FLOW)
