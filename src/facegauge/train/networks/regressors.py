"""Quality regressors on general backbones: Efficient-FIQA's two networks and a FaceQnet."""

from __future__ import annotations

import timm
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

STUDENT_FEATURES, TEACHER_FEATURES, HIDDEN = 168, 1024, 128
RESNET50 = [3, 4, 6, 3]
"""Blocks in the four stages."""


class EfficientFiqaStudent(nn.Module):
    """Efficient-FIQA's student (Sun et al. 2025): EdgeNeXt-XXS, 1,179,641 parameters; N×1."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extraction = timm.create_model("edgenext_xx_small", pretrained=False)
        self.feature_extraction.head = nn.Identity()
        self.quality = _head(STUDENT_FEATURES)

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, on the scale of its labels (0..1), of planes N×3×352×352."""
        return self.quality(self.feature_extraction(image).mean((2, 3)))


class EfficientFiqaTeacher(nn.Module):
    """Efficient-FIQA's teacher: Swin-B, whose keys the trainer nests twice; N×1."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extraction = _Swin()
        self.quality = _head(TEACHER_FEATURES)

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, on the scale of its labels (0..1), of planes N×3×448×448."""
        return self.quality(self.feature_extraction(image))


class _Swin(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.feature_extraction = torchvision.models.swin_b(weights=None)
        self.feature_extraction.head = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        return self.feature_extraction(image)


class FaceQnet(ResNet):
    """A ResNet-50 that predicts FaceQnet's quality (Hernandez-Ortega et al. 2019); N×1 in 0..1.

    FaceQnet itself is published for Keras only. The layout is torchvision's, with ``fc`` of one
    number: that of a FaceQnet converted to or trained again in torch.
    """

    def __init__(self) -> None:
        super().__init__(Bottleneck, RESNET50, num_classes=1)

    def forward(self, image: Tensor) -> Tensor:
        """Quality N×1, clipped to 0..1, of planes N×3×224×224."""
        return super().forward(image).clamp(0.0, 1.0)


def _head(features: int) -> nn.Sequential:
    """Two layers without an activation in between, as published."""
    return nn.Sequential(nn.Linear(features, HIDDEN), nn.Linear(HIDDEN, 1))
