"""Which models of a bundle answer a case, which of them first, and why the others do not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fusion.errors import CohortError, Fault
from fusion.serve.asked import Asked
from fusion.serve.bundle import Bundle
from fusion.serve.patient import Patient, missing, not_given


@dataclass(frozen=True)
class Chosen:
    """Models that answer, the headline first; the others with the reason."""

    models: tuple[str, ...]
    not_answered: dict[str, str]

    @property
    def headline(self) -> str:
        """The model whose answer comes first."""
        return self.models[0]


def chosen(bundle: Bundle, asked: Asked, patient: Patient, lacking: Collection[str] = ()) -> Chosen:
    """The models that ``asked`` names, or all that have what they read.

    The headline is the first that ``asked`` names, or the card's, which then has to have all that it reads.

    Args:
        bundle: whose models answer.
        asked: by whom.
        patient: clinical values that are known.
        lacking: network and radiomics sources that the case has no images for, with their task (``TASK/SOURCE``).

    Raises:
        CohortError: a model that the bundle lacks; of the models named, or else of the headline, every clinical value
            and source that is missing. No other model takes its place.
    """
    known = [name for name in bundle.deployed.judgements if asked.task is None or name.startswith(f"{asked.task}/")]
    if unknown := [name for name in asked.models or () if name not in known]:
        remedy = "name one of these"
        raise CohortError([Fault(f"no model {name!r}", ", ".join(known), remedy, asked.case) for name in unknown])
    why = {name: "; ".join(_lacks(bundle, name, patient, lacking)) for name in known}
    wanted = tuple(dict.fromkeys(asked.models)) if asked.models else (_headline(bundle, asked, why),)
    if faults := [fault for name in wanted for fault in _faults(bundle, name, asked, patient, lacking)]:
        raise CohortError(list(dict.fromkeys(faults)))
    if asked.models:
        return Chosen(wanted, {})
    others = [name for name in known if not why[name] and name not in wanted]
    return Chosen((*wanted, *others), {name: reason for name, reason in why.items() if reason})


def _headline(bundle: Bundle, asked: Asked, why: Mapping[str, str]) -> str:
    """The card's, or of a task that was asked for the model that reads most of those that can answer."""
    if asked.task is None:
        return bundle.card.headline
    able = [name for name in why if not why[name]] or list(why)
    return max(able, key=lambda name: _reads(bundle, name))


def _reads(bundle: Bundle, model: str) -> tuple[int, int, int]:
    """How many scores, clinical columns and images."""
    question, name = bundle.deployed.question(model)
    sources, columns = question.reads(name)
    nets = [own for own in bundle.deployed.networks if own.question == question.name and own.source in sources]
    return len(sources), len(columns), max((len(own.branches) for own in nets), default=0)


def _lacks(bundle: Bundle, model: str, patient: Patient, lacking: Collection[str]) -> list[str]:
    """What ``model`` reads and the case has not, in words."""
    question, name = bundle.deployed.question(model)
    sources, columns = question.reads(name)
    images = [f"no image for {own}" for own in sources if _full(question.name, own) in lacking]
    return images + [f"no value of {own}" for own in missing(columns, patient, bundle.run)]


def _faults(
    bundle: Bundle, model: str, asked: Asked, patient: Patient, lacking: Collection[str]
) -> list[Fault]:  # fmt: skip
    question, name = bundle.deployed.question(model)
    sources, columns = question.reads(name)
    remedy = "give it, or choose another model"
    images = [
        Fault(f"no image for {own}", f"what model {model} reads", remedy, asked.case)
        for own in sources
        if _full(question.name, own) in lacking
    ]
    able = [other for other in bundle.deployed.judgements if not _lacks(bundle, other, Patient({}, {}), lacking)]
    return images + not_given(missing(columns, patient, bundle.run), model, able, bundle.run, asked.case)


def _full(task: str, source: str) -> str:
    return f"{task}/{source}" if task else source
