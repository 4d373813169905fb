"""The recipes ``cr-fiqa`` and ``magface``: recognisers that learn how sure they are of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facegauge.train.recipe import Recipe, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding(Recipe):
    """An embedding network of aligned crops: what the recipes of published techniques share."""

    network: str = "edgenext_xx_small"
    """Name of the embedding network (see ``embedders``): one of ours, or timm's name of a backbone;
    it begins with random weights."""
    width: int = 256
    """Numbers in an embedding; the papers have 512."""
    start: str = ""
    """Weights to begin with, a file in the data folder that holds the same network with the same
    width: model.safetensors of a run, or a published checkpoint of a network that takes RGB in
    -1..1."""
    size: int = 112
    """Side of the aligned crop in pixels."""
    jitter: float = 0.0
    """Landmark noise, half-width as a share of the inter-eye distance; 0.085 is 3 px on 112."""
    degraded: float = 0.0
    """Share of visits that see the face synthetically degraded."""
    frame: float = 0.9
    """Share of the short side that the exported model is shown of a loose crop."""

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        require(self.batch >= 2, "batch", "2 or more, which are normalised together", self.batch)
        require(bool(self.network), "network", "given", self.network)
        self._require_counts("width", "size")
        self._require_amount("jitter")
        self._require_positive("frame")
        self._require_shares("frame", "degraded")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrFiqa(Embedding):
    """CR-FIQA (Boutros et al., CVPR 2023, arXiv 2112.06592): how near to its own class centre.

    As published: iResNet-50 or -100, width 512, SGD from 0.1, batch 512, clip 5, no degradation.
    """

    name: str = "cr-fiqa"
    batch: int = 64
    clip: float = 5.0
    scale: float = 64.0
    """Factor of the cosines before the softmax (s of ArcFace)."""
    margin: float = 0.5
    """Angle in radians by which a face must be nearer to its own centre (m of ArcFace)."""
    quality_weight: float = 10.0
    """Weight of the quality loss beside the classification loss (lambda)."""
    quality_beta: float = 0.5
    """Where the smooth-L1 loss on the certainty ratio turns from square to linear."""

    def __post_init__(self) -> None:
        Embedding.__post_init__(self)
        for field in ("scale", "quality_beta"):
            self._require_positive(field)
        for field in ("margin", "quality_weight"):
            self._require_amount(field)
        require(self.margin < math.pi, "margin", "below pi", self.margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class MagFace(Embedding):
    """MagFace (Meng et al., CVPR 2021, arXiv 2103.06627): the length of the embedding is quality.

    As published: iResNet-100, width 512, SGD from 0.1, batch 512. Lengths begin near the root of
    the width; below the shortest length nothing lets them grow. The weight of the penalty must
    be at least scale K l^2 u^2 / (u^2 - l^2), with l and u the shortest and longest lengths and K
    the slope of the margin, for every face to have one best length (22.6 with these values).
    """

    name: str = "magface"
    batch: int = 64
    clip: float = 5.0
    scale: float = 64.0
    """Factor of the cosines before the softmax (s)."""
    shortest: float = 10.0
    """Length of an embedding from which the margin grows (l_a)."""
    longest: float = 110.0
    """Length of an embedding up to which the margin grows (u_a)."""
    least_margin: float = 0.45
    """Margin in radians of embeddings of the shortest length."""
    most_margin: float = 0.8
    """Margin in radians of embeddings of the longest length."""
    penalty_weight: float = 35.0
    """Weight of the penalty on short embeddings (lambda_g)."""

    def __post_init__(self) -> None:
        Embedding.__post_init__(self)
        for field in ("scale", "shortest"):
            self._require_positive(field)
        for field in ("least_margin", "most_margin", "penalty_weight"):
            self._require_amount(field)
        good = self.shortest < self.longest < math.inf
        require(good, "longest", "finite and above shortest", self.longest)
        good = self.least_margin <= self.most_margin < math.pi
        require(good, "most_margin", "from least_margin to below pi", self.most_margin)
