"""The recipe ``difiqa``: a diffusion network that restores faces, to see how much they change."""

from __future__ import annotations

from dataclasses import dataclass

from facegauge.train.recipe import Recipe, require


@dataclass(frozen=True, slots=True, kw_only=True)
class DifFiqa(Recipe):
    """DifFIQA (Babnik et al., IJCB 2023, arXiv 2305.05768): the diffusion network, small.

    As published: dim 128, multiples 1,2,4,8, Adam 8e-5, batch 64 in four parts, 100,000 steps,
    average 0.995.
    """

    name: str = "difiqa"
    batch: int = 16
    learning_rate: float = 8e-5
    weight_decay: float = 0.0
    average: float = 0.995
    precision: str = "32-true"
    size: int = 112
    """Side of the aligned crop in pixels, a multiple of 2^(multiples - 1)."""
    dim: int = 32
    """Channels at full size, a multiple of 8; the paper has 128."""
    multiples: tuple[int, ...] = (1, 2, 4)
    """Channels as multiples of dim at full size, half size, ...; the paper has 1,2,4,8."""
    blocks: int = 2
    """Residual blocks at each size."""
    timesteps: int = 1000
    """Steps of the cosine schedule from a picture to pure noise."""
    horizon: int = 100
    """Steps that are trained, T; at the last one the picture is wholly the degraded one."""

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        self._require_counts("size", "blocks", "horizon")
        good = self.dim >= 8 and self.dim % 8 == 0
        require(good, "dim", "a multiple of 8, 8 or more", self.dim)
        good = bool(self.multiples) and all(each >= 1 for each in self.multiples)
        require(good, "multiples", "one or more whole numbers of 1 or more", self.multiples)
        step = 2 ** (len(self.multiples) - 1)
        require(self.size % step == 0, "size", f"a multiple of {step}", self.size)
        good = self.timesteps >= self.horizon
        require(good, "timesteps", f"as many as horizon ({self.horizon}) or more", self.timesteps)
