"""Is this tumour malignant? Radiomics, twin-branch networks and the patient, fused into one probability.

Data flows one way, and imports with it:

    errors, types, store, progress, config
    -> phantom -> data -> roi -> features -> models -> heads -> evaluate -> report -> flow -> cli
"""
