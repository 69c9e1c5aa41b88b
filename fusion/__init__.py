"""Is this tumour malignant? Radiomics, twin-branch networks and the patient, fused into one probability.

Data flows one way, and imports with it:

    errors, types, store, progress, config
    -> phantom -> data -> roi -> features -> radiomics -> models -> heads -> evaluate -> report -> flow -> cli

``fusion.radiomics.extract`` measures the regions of one image without the rest.
"""

import os
from importlib import import_module
from types import ModuleType

# From release 1.29 on, onnxruntime reports to its makers from Linux too, unless it is told so before it loads.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def __getattr__(name: str) -> ModuleType:
    """``fusion.radiomics``, imported when it is first named, so that ``import fusion`` stays light."""
    if name == "radiomics":
        return import_module("fusion.radiomics")
    raise AttributeError(f"module 'fusion' has no attribute {name!r}")
