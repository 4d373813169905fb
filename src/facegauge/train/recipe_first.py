"""The recipe ``first``: a small utility student that learns from recognisers."""

from __future__ import annotations

from dataclasses import dataclass

from facegauge.train.recipe import Recipe, require


@dataclass(frozen=True, slots=True, kw_only=True)
class First(Recipe):
    """A small utility student: labels from recognisers, embeddings distilled from them.

    The label of a picture is how confident recognisers are in it (length of the embedding) and how
    near it comes to the other pictures of its person (cosine to the centre of the others).
    """

    name: str = "utility"
    recognisers: tuple[str, ...] = ("recognisers/*.onnx",)
    """Wrapped recogniser files, relative to the data folder; stars are allowed."""
    backbone: str = "edgenext_xx_small"
    """timm's name of the network; it starts from random weights."""
    size: int = 112
    """Side of the aligned crop in pixels."""
    head_width: int = 128
    """Width of the hidden layer between the pooled features and the score."""
    views: int = 4
    """Versions of each face: the clean one, seen half the time, and views - 1 degraded ones."""
    jitter: float = 0.085
    """Landmark noise, half-width as a share of the inter-eye distance (3 px on 112)."""
    loose: float = 0.2
    """Share of visits that see the face from further off, turned and shifted: a loose crop."""
    frame: float = 0.9
    """Share of the short side that the exported model is shown of a loose crop."""
    embedding_weight: float = 1.0
    """Weight of the cosine distance to recognisers' embeddings of the clean aligned crop."""
    label_beta: float = 0.5
    """Where the smooth-L1 loss on labels (in standard deviations) turns from square to linear."""

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        for field in ("backbone", "recognisers"):
            require(bool(getattr(self, field)), field, "given", getattr(self, field))
        self._require_counts("size", "views", "head_width")
        for field in ("jitter", "embedding_weight"):
            self._require_amount(field)
        for field in ("label_beta", "frame"):
            self._require_positive(field)
        self._require_shares("loose", "frame")
