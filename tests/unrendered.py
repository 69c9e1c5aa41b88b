"""Reports whose figures are composed but not rendered, for tests of other things: rendering takes most of a report."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from matplotlib.figure import Figure

from fusion.report import page, style


@contextmanager
def unrendered() -> Iterator[None]:
    """Inside, empty pictures of the figures' sizes are saved in their place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "save", lambda figure, *place: style.save(Figure(figure.get_size_inches()), *place))
        yield
