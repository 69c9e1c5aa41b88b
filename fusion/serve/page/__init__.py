"""The page that clinicians see: CT, MRI, many cases, and what is known of the models."""

from fusion.serve.page.build import build
from fusion.serve.page.theme import options

__all__ = ["build", "options"]
