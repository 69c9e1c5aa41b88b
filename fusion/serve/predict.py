"""A bundle that answers: one case's images and clinical values to every model's probability."""

from collections.abc import Callable
from dataclasses import dataclass

from fusion.errors import CohortError, Fault
from fusion.features import slices
from fusion.features.radiomics import engine
from fusion.features.slice_preset import on_slices
from fusion.progress import cores
from fusion.serve.asked import Asked
from fusion.serve.bundle import Bundle
from fusion.serve.score import Scorer
from fusion.serve.told import Told


@dataclass(frozen=True)
class Predictor:
    """A bundle, warm: its networks are loaded and the features' code is compiled."""

    bundle: Bundle
    scorer: Scorer

    @classmethod
    def of(cls, bundle: Bundle, threads: int = 0, explain: bool = False) -> "Predictor":
        """``bundle``, ready to answer.

        Args:
            bundle: checked.
            threads: that work on one case; 0 for one a core. No number depends on it.
            explain: load what heat maps need too, which takes longer than all else; otherwise the first one does.
        """
        threads = cores(threads)
        _answering(bundle.manifest.kind)
        if any(own.radiomics for own in bundle.deployed.questions):
            _compile_once(bundle)
        if explain:
            load_networks(bundle)
        return cls(bundle, Scorer.of(bundle, threads))

    def answer(self, asked: Asked) -> Told:
        """Everything that the bundle tells of a case; equal questions give equal answers.

        Raises:
            FusionError: whatever a user can mend, all faults of files and clinical values at once: files of the other
                kind, a model that the bundle lacks, a value that the model to answer reads and nobody gave.
        """
        kind = self.bundle.manifest.kind
        given = asked.files if kind == "regions" else asked.study
        if given is None:
            raise CohortError(_other_kind(kind, asked.case))
        return _answering(kind)(self.bundle, self.scorer, asked)


def _answering(kind: str) -> Callable[[Bundle, Scorer, Asked], Told]:
    """What answers; loaded where it is needed, as slices load torch."""
    if kind == "regions":
        from fusion.serve import of_regions

        return of_regions.answer
    from fusion.serve import of_slices

    return of_slices.answer


def _compile_once(bundle: Bundle) -> None:
    if bundle.manifest.kind == "regions":
        engine.compile_once(bundle.run.radiomics)
    else:
        slices.compile_once(on_slices(bundle.run.radiomics))


def load_networks(bundle: Bundle) -> None:
    """Those that the headline reads, as heat maps need them."""
    from fusion.serve import explain

    question, name = bundle.deployed.question(bundle.card.headline)
    for source in question.reads(name)[0]:
        if source in question.networks:
            explain.networks(bundle, question.name, source)


def _other_kind(kind: str, case: str) -> Fault:
    if kind == "regions":
        remedy = "give one image and its mask, or choose a bundle of slices"
        return Fault("slices by sequence", "an image and a tumour mask, as this bundle reads", remedy, case)
    remedy = "name the sequence of each image, or choose a bundle of tumour and ring"
    return Fault("one image without a sequence", "slices by sequence, as this bundle reads", remedy, case)
