"""Configs and overrides with other values, names, types or bytes."""

from pathlib import Path
from typing import Any

import yaml

from fusion.config import dump, load
from tests.mutated import Rng, Spoil, Words, one_of

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    10**30,
    0.5,
    float("nan"),
    float("inf"),
    -1e-9,
    "",
    " ",
    "none",
    "1",
    "x" * 2000,
    [],
    [1],
    ["a", "b"],
    {},
    {"kind": "nothing"},
    {"a": {"b": {"c": 1}}},
    "../..",
    "\u4e2d",
    [[]],
    [None],
    "2020-01-01",
    1e308,
    "original",
    "/nowhere/at/all",
    "a: b",
    [0.1, 0.2, 0.3],
    [-200, 400],
    [400, -200],
)


def value(folder: Path, rng: Rng) -> Words:
    """One value of the resolved config is of another kind or out of its range."""
    path, tree = folder / "a.yaml", yaml.safe_load((folder / "a.yaml").read_text())
    place = one_of(rng, *_places(tree))
    _set(tree, place, one_of(rng, *ODD))
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))
    return ["check", str(path)]


def name(folder: Path, rng: Rng) -> Words:
    """A name that is none, at any depth."""
    path, tree = folder / "a.yaml", yaml.safe_load((folder / "a.yaml").read_text())
    place = one_of(rng, *_places(tree))
    _set(
        tree,
        (*place[:-1], one_of(rng, f"{place[-1]}s", "nothing", "kind", "", "1", "x" * 500, "\u00e9")),
        one_of(rng, *ODD),
    )
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))
    return ["check", str(path)]


def text(folder: Path, rng: Rng) -> Words:
    """What is no YAML, or YAML of another kind."""
    path = folder / "a.yaml"
    own = path.read_text()
    deeds = {
        "tab": own.replace("  table", "\ttable"),
        "twice": own + "name: again\n",
        "nothing": "",
        "list": "- 1\n- 2\n",
        "word": "hello",
        "number": "12",
        "bracket": own + "]",
        "anchor": "a: &a [*a]\n" + own,
        "code": "!!python/object/apply:os.system ['true']",
        "merge": own + "<<: {name: b}\n",
        "documents": own + "---\n" + own,
        "deep": "a: " + "[" * 500 + "]" * 500,
        "bomb": "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)),
        "cut": own[: int(rng.integers(len(own)))],
        "quote": own.replace("toy", '"toy'),
        "colon": own.replace("folds: 2", "folds:2"),
        "indent": own.replace("  clinical", " clinical"),
        "upper": own.replace("cohort", "Cohort"),
        "comment": "#" + own.replace("\n", "\n#"),
        "question": "? [a, b]\n: c\n" + own,
        "set": own.replace("[clear, unclear]", "!!set {clear, unclear}"),
        "nul": own.replace("toy", "t\0y"),
        "unknown anchor": own.replace("toy", "*nobody"),
        "date": own.replace("toy", "2020-13-45"),
        "same level": own.replace("[clear, unclear]", "[clear, clear]"),
    }
    content = deeds[one_of(rng, *deeds)].encode()
    path.write_bytes(
        one_of(
            rng,
            content,
            content,
            content,
            content.decode().encode("utf-16"),
            bytes(rng.integers(0, 256, 300, dtype="uint8")),
        )
    )
    return ["check", str(path)]


def override(folder: Path, rng: Rng) -> Words:
    """One word of the command line that sets a field of the whole config to something odd."""
    tree = yaml.safe_load(dump(load(folder / "a.yaml")))
    places = [place for place in _places(tree) if place[0] not in ("output", "cache")]
    where = ".".join(map(str, one_of(rng, *places)))
    word = f"{where}={yaml.safe_dump(one_of(rng, *ODD), default_flow_style=True, allow_unicode=True).splitlines()[0]}"
    word = one_of(
        rng, word, word, word, word.replace("=", ""), f"{where}.more=1", f"x.{word}", f"{where}=[", "=1", f"{where}==1"
    )
    return ["check", str(folder / "a.yaml"), word]


def command(folder: Path, rng: Rng) -> Words:
    """A path that is none, a verb that is none, an option that is none."""
    config = str(folder / "a.yaml")
    return one_of(
        rng,
        ["check", str(folder)],
        ["check", str(folder / "none.yaml")],
        ["chek", config],
        ["check"],
        ["check", config, "--nothing"],
        ["check", str(folder / "c0_ct.nii.gz")],
        ["evaluate", str(folder)],
        ["report", str(folder), str(folder)],
        ["bundle", config],
        ["predict", str(folder), "--image", "a.nii"],
        ["extract", config, f"output={config}"],
        ["regions", config, "output=/dev/null/x"],
        ["check", config, f"output={folder / 'c10_ct'}", "jobs=-3"],
        ["export", config, "--run", str(folder)],
    )


def _places(tree: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(tree, dict):
        return [place]
    return ([place] if place else []) + [found for key, own in tree.items() for found in _places(own, (*place, key))]


def _set(tree: dict[str, Any], place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        tree = tree[key]
    tree[place[-1]] = value


KINDS: dict[str, tuple[int, Spoil]] = {
    "config: a value": (34, value),
    "config: a name": (10, name),
    "config: text": (24, text),
    "command line: an override": (30, override),
    "command line: words": (10, command),
}
