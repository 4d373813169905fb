"""The student network: a timm backbone, a quality head, and heads that imitate recognisers."""

from __future__ import annotations

from difflib import get_close_matches

import timm
import torch
from torch import Tensor, nn

from facegauge.errors import RecipeError


class Student(nn.Module):
    """A small network that grades aligned crops.

    The quality head is Linear -> GELU -> Linear on the pooled features, as in AI-KD (Babnik et al.
    2024), narrower. The embedding heads are there for training only.
    """

    def __init__(self, backbone: str, head_width: int, labels: int, widths: list[int]) -> None:
        super().__init__()
        require_backbone(backbone)
        self.backbone = timm.create_model(backbone, pretrained=False, num_classes=0)
        features = features_of(self.backbone)
        self.quality = nn.Sequential(
            nn.Linear(features, head_width), nn.GELU(), nn.Linear(head_width, labels)
        )
        self.embeddings = nn.ModuleList(nn.Linear(features, width) for width in widths)

    def forward(self, image: Tensor) -> Tensor:
        """Raw quality N, the mean of the predicted labels, of planes N×3×H×W in -1..1."""
        return self.quality(self.backbone(image)).mean(dim=1)  # (N,)

    def answers(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Predicted labels N×L and one embedding N×D per recogniser."""
        features = self.backbone(image)  # (N, F)
        return self.quality(features), [head(features) for head in self.embeddings]


def require_backbone(name: str) -> None:
    """Refuse a name that timm does not know.

    Raises:
        RecipeError: an unknown backbone, with the nearest names.
    """
    if not timm.is_model(name):
        near = ", ".join(get_close_matches(name, timm.list_models(), cutoff=0.3)) or "none near"
        raise RecipeError(f"timm has no backbone {name!r}; names that come near: {near}.")


def features_of(backbone: nn.Module) -> int:
    """How many pooled features a timm backbone without a classifier gives.

    Some widen them in a head of their own, which ``num_features`` does not tell.
    """
    widened = getattr(backbone, "head_hidden_size", None)
    return int(widened or backbone.num_features)  # type: ignore[arg-type]


def planes(pixels: Tensor) -> Tensor:
    """uint8 RGB N×H×W×3 -> float N×3×H×W in -1..1, as the exported graph does it."""
    return ((pixels.to(torch.float32) - 127.5) / 127.5).permute(0, 3, 1, 2).contiguous()
