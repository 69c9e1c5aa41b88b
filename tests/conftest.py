"""Shapes are checked while tests run; fixtures that several tests share."""

from jaxtyping import install_import_hook

install_import_hook("fusion", "beartype.beartype")
