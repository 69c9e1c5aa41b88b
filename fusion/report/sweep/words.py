"""How cells, swept fields and times are written on the page of a sweep."""

from collections import Counter
from collections.abc import Mapping, Sequence

LONGEST = 46
"""Letters of a cell's values in a figure."""


def short(fields: Sequence[str]) -> dict[str, str]:
    """Each swept field without the sections that are not needed to tell it from the others.

    >>> short(["heads.top", "radiomics.bin_width", "network.top"])
    {'heads.top': 'heads.top', 'radiomics.bin_width': 'bin_width', 'network.top': 'network.top'}
    """
    counts = Counter(field.rpartition(".")[2] for field in fields)
    return {field: last if counts[last := field.rpartition(".")[2]] == 1 else field for field in fields}


def values(own: Mapping[str, str], names: Mapping[str, str]) -> str:
    """A cell's values in a line: `top=3, kind=lasso`."""
    return ", ".join(f"{names[field]}={value}" for field, value in own.items())


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, with an ellipsis where it would be too long.

    >>> cut("bin_width=25, kind=lasso", 12)
    'bin_width=2…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def few(names: Sequence[str], most: int = 12) -> str:
    """Names in a row, those beyond ``most`` counted.

    >>> few(["c01", "c02", "c03"], 2)
    'c01, c02 and 1 more'
    """
    told = ", ".join(names[:most])
    return told if len(names) <= most else f"{told} and {len(names) - most} more"


def duration(seconds: float) -> str:
    """A time in the unit that suits it.

    >>> duration(8.25), duration(250.0), duration(9000.0)
    ('8 s', '4.2 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def counted(count: int, thing: str) -> str:
    """A number of things.

    >>> counted(1, "cell"), counted(3, "cell")
    ('1 cell', '3 cells')
    """
    return f"{count} {thing}{'' if count == 1 else 's'}"
