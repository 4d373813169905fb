"""The recipe ``judge``: a second look that tells faces from what the first took for faces."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facegauge.train.recipe import require
from facegauge.train.recipe_detector import Scenery


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Scenery):
    """A small network that learns from what a finished detector takes for faces."""

    name: str = "detector"
    version: str = "3"
    batch: int = 96
    legs: int = 10
    steps: int = 200
    learning_rate: float = 4e-3
    clip: float = 5.0
    precision: str = "32-true"
    detector: str = "detector"
    """The detector whose finds are judged: embedded, or a model file in the data folder. Export
    writes it anew, with the judge in it."""
    least: float = 0.01
    """Confidence of the detector from which its finds are learned from."""
    scenes: int = 2600
    """Scenes that are drawn for suspects."""
    doubted: float = 4.0
    """How much more often than what the detector is right about that is seen which it is wrong
    about."""
    empty: float = 0.2
    defocused: float = 0.2
    widths: tuple[int, ...] = (16, 32, 64, 96)
    """Channels after strides 2, 4, 8 and 16."""
    depths: tuple[int, ...] = (4, 2)
    """Blocks at strides 8 and 16."""
    gathered: int = 160
    """Channels that are gathered over places 4×4."""
    hidden: int = 64
    """Width of the layer before the last."""
    start: str = ""
    """Weights to begin with, a file in the data folder: those of a run of the recipe ``detector``
    of the same widths and no fewer blocks, whose first layers are taken over."""
    spoiled: float = 0.3
    """Share of squares that suffer blur, noise, other light or compression, once more."""
    embossed: float = 0.03
    """Share of visits turned into a relief in one colour, which is no face."""
    moved: float = 0.03
    """Standard deviation of the shift, as a share of the square."""
    scaled: float = 0.08
    """Standard deviation of the logarithm of the scale."""
    turned: float = 6.0
    """Standard deviation of the roll in degrees."""
    weight: float = 0.2
    """How much the judge's logit counts beside the detector's."""
    box_weight: float = 0.5
    """Weight of the box loss beside the confidence loss."""
    landmark_weight: float = 4.0
    """Weight of the landmark loss beside the confidence loss."""

    def __post_init__(self) -> None:
        Scenery.__post_init__(self)
        self._require_counts("scenes", "gathered", "hidden")
        require(self.batch >= 2, "batch", "2 or more", self.batch)
        self._require_shares("least", "spoiled", "embossed", "moved", "scaled")
        good = 1.0 <= self.doubted < math.inf
        require(good, "doubted", "a finite number of 1 or more", self.doubted)
        for field in ("turned", "weight", "box_weight", "landmark_weight"):
            self._require_amount(field)
        self._require_layers(widths=4, depths=2)
