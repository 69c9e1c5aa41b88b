"""How much of a result is optimism: what is refitted to find out."""

from typing import Annotated, Literal

from pydantic import Field

from fusion.config.part import Part

Refittable = Literal[
    "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD", "Tumor_RAD+DL", "External2_RAD+DL", "Tumor+External2_RAD+DL",
    "Clinical", "Combined",
]  # fmt: skip


class Validation(Part):
    """Internal validation: the heads are fitted again on resampled, fewer or relabelled training patients.

    Trained networks are not trained again; where one's out-of-fold score enters a model, it stays as it is.
    """

    bootstrap: Annotated[int, Field(ge=0)] = 50
    """Resamples of training patients behind the optimism; 0 for none. Each costs a fit of every radiomics score, and of
    those that a stacked model reads one more a fold (`split.folds`): with 3,748 features of both regions 1 s of a core
    for 42 training cases, 12 s for 249."""
    learning_curve: bool = True
    """AUC over growing training sets: four sizes, five draws of each; as many fits a draw as there are folds, and with
    Combined as many more as there are pairs of folds."""
    permutations: Annotated[int, Field(ge=0)] = 50
    """Relabellings of training patients behind the permutation test; 0 for none. Each costs as many fits of the joint
    radiomics score as there are folds, 0.5 s and 8 s of a core, and without networks, where Combined is permuted too,
    as many more as there are pairs of folds; the smallest P is 1 / (permutations + 1)."""
    models: tuple[Refittable, ...] | None = None
    """Models whose optimism is measured; null takes the radiomics scores, Clinical and Combined."""
