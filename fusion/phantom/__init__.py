"""The digital parotid phantom: a synthetic cohort with a known answer.

label -> two latents and three flags (``latent``) -> tumour, anatomy, person, scanner (``lesion``, ``anatomy``,
``clinical``, ``scanner``; drawn in ``plan``) -> voxels (``surface``, ``tissue``, ``volume``) -> files (``files``), all
by ``make``. Its twin of slices in six sequences is in ``mri``.
"""

from fusion.phantom.latent import LAWS, ideal_auc
from fusion.phantom.make import make
from fusion.phantom.plan import Plan, plan_cohort
from fusion.phantom.volume import Scan, render

__all__ = ["LAWS", "Plan", "Scan", "ideal_auc", "make", "plan_cohort", "render"]
