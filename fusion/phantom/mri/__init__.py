"""The phantom's twin in MRI: one axial slice through a parotid tumour, in six sequences.

histology -> contrasts, malignancy latent and person (``law``; drawn in ``lesion``, ``person``, ``plan``) -> tissue
(``anatomy``, ``contour``, ``tissue``) -> pictures (``signal``, ``picture``) -> files (``files``).
"""
