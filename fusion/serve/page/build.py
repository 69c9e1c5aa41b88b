"""The page: a tab a bundle, one for many cases, one of model cards; on each the words "research use only"."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fusion.serve.page import batch, card, ct, mri, templates
from fusion.serve.service import Service

if TYPE_CHECKING:
    from fusion.serve.bundle import Bundle

TITLE = "fusion: malignant or benign?"
HEAD = '<div class="fu-head"><h1>Fusion</h1><p>Probabilities from images and clinical values, explained.</p></div>'
ONLY = '<p class="fu-only" role="note">Research use only: not for diagnosis or treatment. A physician decides.</p>'
TABS = {"regions": "CT", "slices": "MRI"}
KEPT = (60, 900)
"""How often uploads are looked at, and how long they are kept, in seconds."""


def build(service: Service) -> Any:
    """The page of ``service``: gradio's Blocks."""
    import gradio as gr

    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=KEPT, fill_width=False) as page:
        templates.panel(HEAD)
        with gr.Tabs():
            for name, bundle in _named(service.bundles.values()):
                with gr.Tab(name):
                    templates.panel(ONLY)
                    (ct.tab if bundle.manifest.kind == "regions" else mri.tab)(service, bundle)
            with gr.Tab("Batch"):
                templates.panel(ONLY)
                batch.tab(service)
            with gr.Tab("Model card"):
                templates.panel(ONLY)
                for bundle in service.bundles.values():
                    templates.panel(card.html(bundle))
    return page


def _named(bundles: "Iterable[Bundle]") -> "list[tuple[str, Bundle]]":
    """Bundles with the names of their tabs: CT or MRI, and the bundle's own where there are several."""
    kinds = [own.manifest.kind for own in bundles]
    return [
        (TABS[own.manifest.kind] + (f": {own.name}" if kinds.count(own.manifest.kind) > 1 else ""), own)
        for own in bundles
    ]
