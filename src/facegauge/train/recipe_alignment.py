"""The recipes ``ai-kd`` and ``ai-kd-xxs``: labels of any technique, made invariant to alignment."""

from __future__ import annotations

from dataclasses import dataclass

from facegauge.train.recipe import require
from facegauge.train.recipe_embedding import Embedding

PAPER_JITTER = 3.0
"""Pixels of the picture by which AI-KD moves landmarks."""
CROP_JITTER = 0.085
"""The same on a crop of 112 pixels, as a share of the inter-eye distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentDistillation(Embedding):
    """A student sees misaligned faces and answers as teachers do of the aligned ones.

    Frozen recognisers give the embedding, tables of labels the quality. Every amount of what goes
    beyond the paper is 0 by default.
    """

    OPTIMISERS = ("adamw", "sgd")

    recognisers: tuple[str, ...] = ("recognisers/*.onnx",)
    """Wrapped recogniser files, the frozen teachers, relative to the data folder; stars are
    allowed."""
    teacher: str = "cached"
    """cached: its answers are computed once and kept; live: at every step anew, for comparison."""
    labels: tuple[str, ...] = ("labels.csv",)
    """Tables ``path,label`` or ``path,label,doubt`` in the data folder, or pickles ``{name:
    quality}`` (.pkl); of several the mean is taken. A face without a label is learned from by its
    embedding alone; without any table the run learns embeddings alone, for the ``start`` of
    another."""
    scale: str = "range"
    """range: labels are brought to 0..1 by the range of the training faces; rank: by their rank."""
    agreement: float = 0.0
    """Spread of several tables' labels (standard deviation; labels span 0..1) at which a face
    counts half; 0: all count alike."""
    doubted: float = 0.0
    """Doubt of a label, as a share of the range of its table, at which it counts half; 0: doubts
    are ignored."""
    trimmed: float = 0.0
    """Share of the labels of a step, those with the largest losses, that is left out after the
    warm-up: most wrong labels are among them."""
    head_width: int = 1024
    """Width of the hidden layer between embedding and quality."""
    label_beta: float = 0.5
    """Where the smooth-L1 loss on labels turns from square to linear; labels span 0..1."""
    embedding_weight: float = 1.0
    """Weight of the cosine distance to recognisers' embeddings of the aligned face."""
    relation_weight: float = 0.0
    """Weight of the difference between student's and recognisers' cosines of all faces of a
    step."""
    jitter_pixels: float = 0.0
    """Landmark noise, half-width in pixels of the picture; excludes ``jitter``."""
    roll: float = 0.0
    """Degrees by which all landmarks turn together, at most."""
    zoom: float = 0.0
    """Share by which all landmarks grow or shrink together, at most."""
    shift: float = 0.0
    """Inter-eye distances by which all landmarks move together, at most."""
    swap_tables: tuple[str, ...] = ()
    """Tables of landmarks of the same pictures by other detectors, in the data folder (what
    ``facegauge detect`` writes, or pickles); a face that is too far from ours is another one."""
    swaps: float = 0.0
    """Share of visits that take the landmarks of another detector, where there are some."""
    mirrored: float = 0.0
    """Share of visits that see the face mirrored."""
    views: int = 4
    """Versions of each face where ``degraded`` is above 0: the clean one and views - 1 degraded
    ones."""
    fall: float = 1.0
    """Power of what a degradation leaves of the similarity to the person's other pictures, by which
    the label is multiplied; 0 leaves labels as they are."""
    trained: int = 0
    """So many weights (tensors) of the embedding network, the last ones, are trained; 0 is all."""
    head_rate: float = 1.0
    """Learning rate of all that stands on the embedding network, as a multiple of its own."""
    momentum: float = 0.9
    """Momentum of what stands on the embedding network (sgd)."""
    body_momentum: float = 0.1
    """Momentum of the embedding network (sgd), which then has no weight decay."""
    schedule: str = "cosine"
    """cosine: linear warm-up, then a cosine to zero; sine: a sine up, then constant, and from
    ``settled`` on ``settled_rate``."""
    settled: float = 0.3
    """Share of all steps after which, with the schedule sine, the rate is ``settled_rate`` and the
    average of the weights is begun, in which all later steps count alike."""
    settled_rate: float = 1.0
    """Rate from then on, as a multiple of the peak."""
    held_jitter: float = CROP_JITTER
    """Landmark noise of held-out faces in the second half of the validation, half-width as a share
    of the inter-eye distance."""
    held_draws: int = 1
    """How often each held-out face is misaligned."""
    chosen_by: str = "loss"
    """loss or pauc of the misaligned held-out faces: what chooses the weights that are kept."""
    devices: int = 1
    """Accelerators (or processes) that share a batch."""

    def __post_init__(self) -> None:
        Embedding.__post_init__(self)
        for field, known in _CHOICES.items():
            value = getattr(self, field)
            require(value in known, field, " or ".join(known), value)
        require(bool(self.recognisers), "recognisers", "given", self.recognisers)
        self._require_counts("head_width", "views", "held_draws", "devices")
        for field in _AMOUNTS:
            self._require_amount(field)
        for field in ("label_beta", "head_rate", "settled_rate"):
            self._require_positive(field)
        self._require_shares("swaps", "mirrored", "settled", "trimmed", "momentum", "body_momentum")
        self._require_sense()

    def _require_sense(self) -> None:
        """What fields must be to one another."""
        for field in ("trimmed", "momentum", "body_momentum", "zoom"):
            require(getattr(self, field) < 1, field, "below 1", getattr(self, field))
        both = self.jitter and self.jitter_pixels
        require(not both, "jitter_pixels", "0 beside a jitter above 0", self.jitter_pixels)
        some = self.labels or self.chosen_by == "loss"
        require(bool(some), "chosen_by", "loss where there are no labels", self.chosen_by)
        whole = self.batch % self.devices == 0 and self.batch // self.devices >= 2
        require(whole, "devices", f"a divisor of the batch, {self.batch}", self.devices)
        seen = not self.degraded or self.views > 1
        require(seen, "views", "2 or more where degraded is above 0", self.views)
        swapped = not self.swaps or self.swap_tables
        require(bool(swapped), "swap_tables", "given where swaps is above 0", self.swap_tables)


_CHOICES = {
    "teacher": ("cached", "live"),
    "scale": ("range", "rank"),
    "schedule": ("cosine", "sine"),
    "chosen_by": ("loss", "pauc"),
}
_AMOUNTS = (
    *("agreement", "doubted", "embedding_weight", "relation_weight", "jitter_pixels", "roll"),
    *("zoom", "shift", "fall", "trained", "held_jitter"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AiKd(AlignmentDistillation):
    """AI-KD (Babnik et al., IWBF 2024, arXiv 2404.09555) to the letter.

    The student is iResNet-100 and begins as its teacher: set ``start`` to the teacher's weights.
    As published: 3 pixels of noise on every landmark, SGD 0.05, a batch of 64, one turn over the
    pictures (set ``steps`` to a tenth of it), validated ten times, 1 % held out.
    """

    name: str = "ai-kd"
    network: str = "iresnet100"
    width: int = 512
    batch: int = 64
    legs: int = 10
    steps: int = 4900
    learning_rate: float = 0.05
    optimiser: str = "sgd"
    weight_decay: float = 5e-4
    warmup: float = 0.15
    clip: float = 5.0
    schedule: str = "sine"
    jitter_pixels: float = PAPER_JITTER
    trained: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AiKdXxs(AlignmentDistillation):
    """Ours: EdgeNeXt-XXS on crops of 112 pixels, moved as much as its own size allows.

    Small enough for a processor; what goes beyond the paper is off but for the geometry and the
    kind of scale, until an experiment in ``docs/log.md`` says otherwise.
    """

    name: str = "ai-kd-xxs"
    network: str = "edgenext_xx_small"
    width: int = 256
    head_width: int = 256
    scale: str = "rank"
    jitter: float = CROP_JITTER
    roll: float = 8.0
    zoom: float = 0.08
    shift: float = 0.05
    mirrored: float = 0.5
    chosen_by: str = "pauc"
