"""The page that clinicians see: CT, MRI, many cases, and what is known of the models."""

from fusion.serve.page.build import build, mount

__all__ = ["build", "mount"]
