"""TFace's IR-50 with the quality head of SDD-FIQA (Ou et al. 2021).

Layer order and names are those of TFace's ``quality`` room (model/model.py, ``use_type="Qua"``):
``input_layer``, ``body`` and ``quality``. Unlike in insightface's iResNet nothing is normalised
between a block's two convolutions, and a shortcut of equal width only skips pixels.
"""

from __future__ import annotations

from torch import Tensor, nn

UNITS = ((64, 3), (128, 4), (256, 14), (512, 3))
"""Width and number of blocks of each stage."""
SIDE = 7
"""Side of the last feature map for crops of 112 pixels."""
DROPOUT = 0.5


class SddFiqa(nn.Module):
    """Aligned crops N×3×112×112 in, quality N×1 out, on the scale of its labels (0..100)."""

    def __init__(self) -> None:
        super().__init__()
        flat = UNITS[-1][0] * SIDE * SIDE
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        self.quality = nn.Sequential(
            nn.Flatten(), nn.PReLU(flat), nn.Dropout(DROPOUT), nn.Linear(flat, 1)
        )
        self.body = nn.Sequential(*_blocks())

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1 of planes N×3×112×112."""
        return self.quality(self.body(self.input_layer(image)))


class Bottleneck(nn.Module):
    """Two convolutions, the second with the stride, beside a shortcut."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer = (
            nn.MaxPool2d(1, stride)
            if before == width
            else nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, width, 3, padding=1, bias=False),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H/stride×W/stride."""
        return self.res_layer(x) + self.shortcut_layer(x)


def _blocks() -> list[Bottleneck]:
    """All blocks in a row; the first of each stage halves height and width."""
    blocks, before = [], 64
    for width, count in UNITS:
        for place in range(count):
            blocks.append(Bottleneck(before, width, 2 if place == 0 else 1))
            before = width
    return blocks
