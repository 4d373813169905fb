"""Insightface's iResNet, the backbone of most published face recognisers and of their quality.

Layer order and names are those of insightface's ``arcface_torch`` (backbones/iresnet.py), so that
checkpoints trained with it load by name. MagFace's own variant differs in two numbers only.
"""

from __future__ import annotations

from torch import Tensor, nn

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks in the four stages, by the depth in the network's name."""
WIDTHS = (64, 128, 256, 512)
FEATURES = 512
"""Length of the embedding."""
SIDE = 7
"""Side of the last feature map for crops of 112 pixels."""
INSIGHTFACE_EPS = 1e-5
MAGFACE_EPS = 2e-5
MAGFACE_DROPOUT = 0.4
"""MagFace drops whole channels (models/iresnet.py there)."""


class IResNet(nn.Module):
    """Aligned crops N×3×112×112 in, un-normalised embeddings N×512 out.

    Args:
        depth: 18, 50 or 100.
        eps: added to variances in every batch normalisation.
        dropout: what is dropped before the last layer while training; insightface drops nothing.
        features: length of the embedding.
    """

    def __init__(
        self,
        depth: int,
        *,
        eps: float = INSIGHTFACE_EPS,
        dropout: nn.Module | None = None,
        features: int = FEATURES,
    ) -> None:
        super().__init__()
        first = WIDTHS[0]
        self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first, eps=eps)
        self.prelu = nn.PReLU(first)
        before = (first, *WIDTHS)
        stages = [_stage(before[i], WIDTHS[i], count, eps) for i, count in enumerate(BLOCKS[depth])]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn2 = nn.BatchNorm2d(WIDTHS[-1], eps=eps)
        self.dropout = dropout or nn.Dropout(0.0)
        self.fc = nn.Linear(WIDTHS[-1] * SIDE * SIDE, features)
        self.features = nn.BatchNorm1d(features, eps=eps)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×512, not normalised, of planes N×3×112×112."""
        x = self.prelu(self.bn1(self.conv1(image)))  # (N, 64, 112, 112)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, 512, 7, 7)
        x = self.dropout(self.bn2(x)).flatten(1)  # (N, 25088)
        return self.features(self.fc(x))


class Block(nn.Module):
    """Normalise, convolve, convolve with the stride, and add what came in."""

    def __init__(self, before: int, width: int, stride: int, eps: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before, eps=eps)
        self.conv1 = nn.Conv2d(before, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, eps=eps)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width, eps=eps)
        self.downsample = None
        if stride != 1 or before != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width, eps=eps)
            )

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H/stride×W/stride."""
        kept = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(x)) + kept


def magface_backbone(depth: int) -> IResNet:
    """The iResNet of MagFace: another eps, and dropped channels while training."""
    return IResNet(depth, eps=MAGFACE_EPS, dropout=nn.Dropout2d(MAGFACE_DROPOUT))


def _stage(before: int, width: int, count: int, eps: float) -> nn.Sequential:
    """Blocks of one width; the first halves height and width."""
    first = Block(before, width, 2, eps)
    return nn.Sequential(first, *(Block(width, width, 1, eps) for _ in range(count - 1)))
