"""The recipe ``detector``: faces and five landmarks in photographs, in one small network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facegauge.train.recipe import Recipe, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery(Recipe):
    """How pictures with known faces are drawn: for a detector, and for what judges its finds."""

    backgrounds: tuple[str, ...] = ()
    """Folders in the data folder whose pictures show no face."""
    shares: tuple[float, ...] = (1.0,)
    """How often pictures of each table are seen, relative to the others, in the order of the tables
    (by name when none are named); the last counts for all that follow."""
    surest: float = 0.5
    """Faces of less confidence in the table are doubtful: nothing is learned from them."""
    hard: float = 6.0
    """How much more often than the face of highest confidence that of lowest is seen."""
    mosaic: float = 0.35
    """Share of training pictures that are joined of four parts, and of parts that are again."""
    empty: float = 0.1
    """Share of parts without a face: backgrounds, or photographs with painted-over faces."""
    degraded: float = 0.4
    """Share of training pictures with blur, noise, other light, compression."""
    defocused: float = 0.15
    """Share of parts that are out of focus, in measure of their faces' size."""
    covered: float = 0.12
    """Share of faces that are partly covered."""
    upright: float = 10.0
    """Standard deviation of the roll in degrees; one part in ten rolls three times as far."""

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        self._require_shares("surest", "mosaic", "empty", "degraded", "defocused", "covered")
        self._require_amount("upright")
        good = bool(self.shares) and all(0 < share < math.inf for share in self.shares)
        require(good, "shares", "one or more finite numbers above 0", self.shares)
        require(1.0 <= self.hard < math.inf, "hard", "a finite number of 1 or more", self.hard)

    def _require_layers(self, **counts: int) -> None:
        """Refuse fields that are not so many whole numbers of 1 or more."""
        for field, count in counts.items():
            values = getattr(self, field)
            good = len(values) == count and all(isinstance(v, int) and v >= 1 for v in values)
            require(good, field, f"{count} whole numbers of 1 or more", values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector(Scenery):
    """An anchor-free detector that learns from another detector's boxes and landmarks."""

    name: str = "detector"
    version: str = "2"
    batch: int = 24
    legs: int = 30
    steps: int = 250
    learning_rate: float = 2e-3
    optimiser: str = "muon"
    clip: float = 5.0
    precision: str = "32-true"
    start: str = ""
    """Weights to begin with, a file in the data folder: those of a run of this recipe that had the
    same widths and neck and no more blocks; blocks that it lacks begin near the identity."""
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """Channels after strides 2, 4, 8, 16 and 32."""
    depths: tuple[int, ...] = (4, 5, 4)
    """Blocks at strides 8, 16 and 32."""
    neck: int = 64
    """Channels of the neck and of the heads."""
    head: int = 2
    """Blocks of each head before its last layer."""
    size: int = 320
    """Side of a training picture in pixels, a multiple of 64."""
    wide: int = 640
    """Side of the wide training pictures: so many fewer make a step."""
    every: int = 5
    """One step in so many sees wide pictures."""
    long_side: int = 640
    """Long side at which the exported model looks at a whole photograph."""
    box_weight: float = 2.0
    """Weight of the box loss beside the confidence loss."""
    landmark_weight: float = 20.0
    """Weight of the landmark loss beside the confidence loss."""

    def __post_init__(self) -> None:
        Scenery.__post_init__(self)
        self._require_counts("batch", "neck", "head", "every", *("size", "wide", "long_side"))
        for field in ("box_weight", "landmark_weight"):
            self._require_amount(field)
        self._require_layers(widths=5, depths=3)
        for field in ("size", "wide", "long_side"):
            value = getattr(self, field)
            require(value % 64 == 0, field, "a multiple of 64", value)
