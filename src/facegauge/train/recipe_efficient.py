"""The recipes ``efficient-fiqa`` and ``efficient-fiqa-small``: teacher, self-training, student.

Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from facegauge.train.recipe import require
from facegauge.train.recipe_perceptual import Perceptual, Whole

STARTS = ("fresh", "teacher")
FITS = ("labelled", "held-out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What a journey learns from: names of tables or folders in the data folder."""

    labels: str = "labels"
    """Table ``path,label`` of the labelled pictures, see the recipe ``perceptual``."""
    unlabelled_a: str = ""
    """Folder of the pictures that the teacher labels; a table NAME.csv may say their split."""
    unlabelled_b: str = ""
    """Folder of the pictures that the self-trained teacher labels."""
    reference: str = ""
    """Folder of pictures whose percentiles become scores; empty: the held-out labelled ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network of a journey; the fields are those of the recipe ``perceptual``.

    Where ``batch``, ``legs``, ``steps`` or ``learning_rate`` is 0, the journey's own value holds;
    where that of ``steps`` is 1, a leg is one turn over the pictures.
    """

    network: str = "edgenext_xx_small"
    channels: float = 1.0
    weights: str = ""
    size: int = 224
    short_side: int = 0
    batch: int = 0
    legs: int = 0
    steps: int = 0
    learning_rate: float = 0.0
    average: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientFiqa(Whole):
    """The paper's recipe: Swin-B at 448 teaches EdgeNeXt-XXS at 352.

    MSE and PLCC loss, AdamW 1e-4 with a tenth of it every 10 epochs, 30 epochs of batches of 32,
    80/20 split with the seed 42, the best (SRCC + PLCC) / 2 kept. The paper leaves open whether the
    self-trained teacher starts afresh; here it does.
    """

    data: Data = Data()
    """What is learned from: labels, unlabelled_a, unlabelled_b and reference, by name."""
    teacher: Network = Network(network="efficient-fiqa-teacher", weights="imagenet", size=448)
    """The network that labels A and, trained again with A, B; fields as in ``perceptual``."""
    student: Network = Network(network="efficient-fiqa-student", weights="imagenet", size=352)
    """The network that learns from all of them and is exported."""
    legs: int = 30
    steps: int = 1
    learning_rate: float = 1e-4
    weight_decay: float = 1e-6
    warmup: float = 0.0
    average: float = 0.0
    schedule: str = "step"
    resampling: str = "pillow-bilinear"
    seed: int = 42
    plus_start: str = "fresh"
    """What the self-trained teacher begins with: fresh as the teacher did, or the teacher."""
    plus_legs: int = 0
    """Legs of the self-trained teacher; 0 is those of the teacher."""
    fitted_on: str = "labelled"
    """Where the logistic is fitted that brings predictions to labels: labelled, or held-out."""
    doubt: float = 0.0
    """Largest spread (standard deviation, label units) of a pseudo-label over the picture, its
    mirror image and two other crops; 0 takes every pseudo-label and looks once."""
    alone: int = 0
    """1 trains the student from labels alone as well, to compare with."""

    def __post_init__(self) -> None:
        Whole.__post_init__(self)
        for field, known in (("plus_start", STARTS), ("fitted_on", FITS)):
            value = getattr(self, field)
            require(value in known, field, " or ".join(known), value)
        require(self.alone in (0, 1), "alone", "0 or 1", self.alone)
        for field in ("doubt", "plus_legs"):
            self._require_amount(field)
        for part in (self.teacher, self.student):
            self.of(part, pictures=self.batch)

    def of(self, part: Network, *, pictures: int, legs: int = 0) -> Perceptual:
        """The recipe of one network that learns from so many pictures."""
        own = {field.name for field in dataclasses.fields(Whole)}
        shared = {name: getattr(self, name) for name in own}
        batch = part.batch or self.batch
        steps = part.steps or self.steps
        return Perceptual(
            **shared
            | dataclasses.asdict(part)
            | {
                "labels": self.data.labels,
                "reference": self.data.reference,
                "batch": batch,
                "legs": legs or part.legs or self.legs,
                "steps": max(1, pictures // batch) if steps == 1 else steps,
                "learning_rate": part.learning_rate or self.learning_rate,
                "average": part.average or self.average,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientFiqaSmall(EfficientFiqa):
    """The same stages on two cores: networks from random weights, smaller pictures, a cosine.

    The self-trained teacher goes on from the teacher, and the logistic is fitted on held-out
    pictures, which the teacher has not learned by heart.
    """

    teacher: Network = Network(network="edgenext_x_small", size=160)
    student: Network = Network(network="efficient-fiqa-student", size=160)
    legs: int = 10
    steps: int = 250
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    average: float = 0.99
    schedule: str = "cosine"
    resampling: str = "area"
    seed: int = 0
    plus_start: str = "teacher"
    plus_legs: int = 5
    fitted_on: str = "held-out"
    alone: int = 1
