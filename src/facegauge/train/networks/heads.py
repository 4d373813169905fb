"""Quality heads on a face recogniser, one class per published layout.

Attribute names are the published key prefixes; every ``forward`` answers with one quality a crop.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facegauge.train.networks.iresnet import FEATURES, IResNet, magface_backbone

HIDDEN = 1024
"""Width between the two layers of AI-KD's and eDifFIQA's head."""


class Mlp(nn.Module):
    """Linear, GELU, Linear: the head of AI-KD and eDifFIQA (model/mlp.py in both)."""

    def __init__(self, features: int = FEATURES, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.l1 = nn.Linear(features, hidden)
        self.l2 = nn.Linear(hidden, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Quality N×1 of embeddings N×features."""
        return self.l2(nn.functional.gelu(self.l1(features)))


class AiKd(nn.Module):
    """AI-KD (Babnik et al. 2024): ``feature_extractor`` and ``quality_head``; N×1."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extractor = IResNet(100)
        self.quality_head = Mlp()

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, on the scale of the labels it was trained on."""
        return self.quality_head(self.feature_extractor(image))


class EDifFiqa(nn.Module):
    """eDifFIQA (Babnik et al. 2024): ``base_model`` and ``mlp``; N×1.

    Args:
        backbone: a network with embeddings N×512; that of the size T has unit length.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.base_model = backbone
        self.mlp = Mlp()

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, on the scale of its labels (0..1)."""
        return self.mlp(self.base_model(image))


class DifFiqaR(nn.Module):
    """DifFIQA(R) (Babnik et al. 2023): ``base`` and ``linear``; N×1."""

    def __init__(self) -> None:
        super().__init__()
        self.base = IResNet(100)
        self.linear = nn.Linear(FEATURES, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, on the scale of its labels (0..1)."""
        return self.linear(self.base(image))


class CrFiqa(IResNet):
    """CR-FIQA (Boutros et al. 2023): an iResNet with one more layer, ``qs``; N×1, unbounded."""

    def __init__(self, depth: int) -> None:
        super().__init__(depth)
        self.qs = nn.Linear(FEATURES, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Predicted relative classifiability N×1 of planes N×3×112×112."""
        return self.qs(super().forward(image))


class MagFace(nn.Module):
    """MagFace (Meng et al. 2021): the length of the embedding is the quality; N×1, positive."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.features = magface_backbone(depth)

    def forward(self, image: Tensor) -> Tensor:
        """Lengths N×1 of the un-normalised embeddings of planes N×3×112×112."""
        return torch.linalg.vector_norm(self.features(image), dim=1, keepdim=True)
