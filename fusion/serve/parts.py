"""What a bundle's JSON files say; frozen, unknown names refused, so that nothing in them is unread."""

from typing import Annotated, Literal

from pydantic import Field

from fusion.config.part import Part
from fusion.heads.plain import Question

FORMAT = 1
"""Of bundles written here; a reader refuses a newer one by its number."""


class Manifest(Part):
    """manifest.json: what the bundle is, and the digest of every other file."""

    format: int
    fusion: str
    """Version that wrote it."""
    name: str
    """Of the run."""
    kind: Literal["regions", "slices"]
    files: dict[str, str]
    """SHA-256 by path inside the bundle; a file that is not listed, or is listed and not there, is a fault."""
    digest: str = ""
    """SHA-256 of the fields above; names the bundle with every byte of it."""


class NetworkFile(Part):
    """One trained network, twice: as ONNX, which scores, and as safetensors, which explains."""

    question: str
    """Empty for regions."""
    source: str
    fold: int
    seed: int
    branches: tuple[int, ...]
    """Regions (0 tumour, 1 ring) or numbers of the run's sequences that it sees."""
    onnx: str
    weights: str


class Range(Part):
    """Of the training cases."""

    low: float
    high: float
    n: int


class Ranges(Part):
    """ranges.json: what the training cases were like."""

    features: dict[str, Range]
    """Of every feature that a head reads, as the head names it (``tumour:original_...``, ``T2-w:original_...``)."""
    clinical: dict[str, Range]
    """Of numeric clinical variables."""
    hu: dict[str, tuple[Range, Range]]
    """By region, smallest and largest grey value (original_firstorder_Minimum and Maximum); regions only."""
    spacing_mm: dict[str, tuple[Range, Range, Range]]
    """Along (z, y, x) by image (``ct``), or the cut picture's pixel along (y, x) as (1, y, x) by sequence."""


class Judgement(Part):
    """How one model's probabilities are read."""

    threshold: float | None
    """Probability of the positive class from which a case is called positive; None with more than two classes."""
    rule: str
    """That found the threshold, in words."""
    calibration: dict[str, tuple[float, ...]]
    """By class, the probabilities of that class that its training cases got out of fold; they carry no case."""
    error: float
    """Share of a class's cases whose set may lack it."""
    draws: tuple[tuple[float, ...], ...] = ()
    """A row a resample of the training patients: the model's last regression refitted on it, intercept first, then a
    coefficient a predictor in the order of ``Regression.predictors``, on the predictor as it is, not standardised. Of a
    calibrated network the offset, then the factor. Of a model that is a radiomics head's score the head's own
    regression, in the order of its columns, on their scaled values. Empty where ``fusion.heads.redraw.draws`` has none:
    more than two classes, averages, trees, elastic nets, heads of very many columns, networks without calibration."""


class Metric(Part):
    """A row of the model card."""

    model: str
    """With the task's name, as in metrics.csv."""
    set: str
    values: dict[str, float | None]
    """n, events, auc, auc_low, auc_high, ... as in metrics.csv."""


class Card(Part):
    """card.json: who may use this model for what, and how well it does."""

    name: str
    intended_use: str
    research_only: Literal["research use only"] = "research use only"
    headline: str
    """The model whose answer comes first, with its task."""
    data: tuple[str, ...]
    """Sentences: how many cases, events, patients, scanners; how images and rings were made."""
    limits: tuple[str, ...]
    metrics: tuple[Metric, ...]
    versions: dict[str, str]


class Deployed(Part):
    """heads.json: questions, networks, and how each model's answer is read."""

    questions: tuple[Question, ...]
    networks: tuple[NetworkFile, ...]
    judgements: Annotated[dict[str, Judgement], Field(min_length=1)]
    """By model, with its task: ``Combined``, ``benign-malignant/T2-w``."""

    def question(self, model: str) -> tuple[Question, str]:
        """The question that ``model`` (with its task) answers, and the model's name in it."""
        task, _, name = model.rpartition("/")
        return next(own for own in self.questions if own.name == task), name
