"""The recipe ``perceptual``: one network learns to say how good whole pictures of faces look."""

from __future__ import annotations

from dataclasses import dataclass

from facegauge.train.recipe import Recipe, require

SCHEDULES = ("cosine", "step")
RESAMPLING = ("area", "pillow-bilinear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Recipe):
    """What every recipe on whole pictures has in common: how they are seen, and the losses."""

    name: str = "perceptual"
    batch: int = 32
    learning_rate: float = 1e-3
    head_width: int = 128
    """Width between the two last layers, which have no activation in between, as published."""
    resampling: str = "area"
    """How the short side is resized: area (averages), or pillow-bilinear as published."""
    mirror: float = 0.5
    """Share of visits that see the picture mirrored."""
    mse_weight: float = 1.0
    """Weight of the squared error of the labels."""
    plcc_weight: float = 1.0
    """Weight of the PLCC loss (see ``correlation_loss``)."""
    schedule: str = "cosine"
    """cosine: warm-up, then a cosine to zero; step: a tenth of the rate every ``decay_every``."""
    decay_every: int = 10
    """Legs between two steps of the schedule ``step``."""
    held_out: float = 0.2
    """Share of the labelled pictures kept for validation where the table has no split."""

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        require(self.batch >= 2, "batch", "2 or more, for the PLCC loss", self.batch)
        for field, known in (("schedule", SCHEDULES), ("resampling", RESAMPLING)):
            value = getattr(self, field)
            require(value in known, field, " or ".join(known), value)
        self._require_counts("head_width", "decay_every")
        self._require_shares("mirror", "held_out")
        for field in ("mse_weight", "plcc_weight"):
            self._require_amount(field)
        require(self.mse_weight + self.plcc_weight > 0, "mse_weight", "above 0 or plcc_weight", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perceptual(Whole):
    """A network that repeats the labels of whole pictures: a teacher, or a student by itself."""

    labels: str = "labels"
    """Table NAME.csv in the data folder (``path,label``; optionally ``split``, ``identity``,
    ``source``) beside the folder NAME/ of its pictures."""
    reference: str = ""
    """Folder of pictures in the data folder whose percentiles become scores; empty: the labelled
    pictures held out for validation."""
    network: str = "edgenext_xx_small"
    """timm's name of the network, or efficient-fiqa-student or -teacher for the published ones."""
    channels: float = 1.0
    """Channels as a multiple of the network's own; edgenext networks only."""
    weights: str = ""
    """What the network begins with: nothing (random), imagenet (from the hub), or a file."""
    size: int = 224
    """Side in pixels of what the network sees: a random crop in training, the centre in use."""
    short_side: int = 0
    """Short side in pixels to which a picture is resized before; 0 is ``size``."""

    def __post_init__(self) -> None:
        Whole.__post_init__(self)
        for field in ("labels", "network"):
            require(bool(getattr(self, field)), field, "given", getattr(self, field))
        self._require_counts("size")
        self._require_positive("channels")
        fits = self.short_side == 0 or self.short_side >= self.size
        require(fits, "short_side", f"0, or the size {self.size} or more", self.short_side)
