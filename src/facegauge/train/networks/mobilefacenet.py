"""MobileFaceNet (Chen et al. 2018) in the two layouts in which it is published for torch.

``MobileFaceNet`` is that of eDifFIQA(T) (model/mobilenet.py there, the InsightFace_Pytorch layout):
PReLU, 512 features, unit length. ``FoamliuMobileFaceNet`` is that of foamliu/MobileFaceNet: ReLU6,
128 features, not normalised.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class MobileFaceNet(nn.Module):
    """Aligned crops N×3×112×112 in, embeddings N×512 of unit length out."""

    def __init__(self, features: int = 512) -> None:
        super().__init__()
        self.conv1 = Convolution(3, 64, 3, 2)
        self.conv2_dw = Convolution(64, 64, 3, 1, groups=64)
        self.conv_23 = Separable(64, 64, 128, 2)
        self.conv_3 = Residuals(64, 4, 128)
        self.conv_34 = Separable(64, 128, 256, 2)
        self.conv_4 = Residuals(128, 6, 256)
        self.conv_45 = Separable(128, 128, 512, 2)
        self.conv_5 = Residuals(128, 2, 256)
        self.conv_6_sep = Convolution(128, 512, 1)
        self.conv_6_dw = Linear(512, 512, 7, groups=512, padding=0)
        self.linear = nn.Linear(512, features, bias=False)
        self.bn = nn.BatchNorm1d(features)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×512 of unit length of planes N×3×112×112."""
        return functional.normalize(self.embedding(image))

    def embedding(self, image: Tensor) -> Tensor:
        """The same before their length is brought to 1."""
        x = self.conv_23(self.conv2_dw(self.conv1(image)))  # (N, 64, 28, 28)
        x = self.conv_4(self.conv_34(self.conv_3(x)))  # (N, 128, 14, 14)
        x = self.conv_5(self.conv_45(x))  # (N, 128, 7, 7)
        x = self.conv_6_dw(self.conv_6_sep(x)).flatten(1)  # (N, 512)
        return self.bn(self.linear(x))


class Linear(nn.Module):
    """Convolution and batch normalisation, no activation."""

    def __init__(
        self,
        before: int,
        width: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        around = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(before, width, kernel, stride, around, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H'×W'."""
        return self.bn(self.conv(x))


class Convolution(Linear):
    """Convolution, batch normalisation and PReLU."""

    def __init__(
        self, before: int, width: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> None:
        super().__init__(before, width, kernel, stride, groups=groups)
        self.prelu = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H'×W'."""
        return self.prelu(super().forward(x))


class Separable(nn.Module):
    """Widen, convolve each channel on its own, and narrow again."""

    def __init__(self, before: int, width: int, inner: int, stride: int) -> None:
        super().__init__()
        self.conv = Convolution(before, inner, 1)
        self.conv_dw = Convolution(inner, inner, 3, stride, groups=inner)
        self.project = Linear(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H/stride×W/stride."""
        return self.project(self.conv_dw(self.conv(x)))


class Residuals(nn.Module):
    """Separable convolutions that each add to what came in."""

    def __init__(self, width: int, count: int, inner: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(Separable(width, width, inner, 1) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        """N×width×H×W -> the same shape."""
        for block in self.model:
            x = x + block(x)
        return x


FOAMLIU_SETTING = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Expansion, width, blocks and first stride of each stage, as in MobileNetV2."""
FOAMLIU_FEATURES = 128
"""Numbers in an embedding."""


class FoamliuMobileFaceNet(nn.Module):
    """Aligned crops N×3×112×112 in, embeddings N×128 out, not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _relu6(3, 64, 3, 2)
        self.dw_conv = _First()
        self.conv2 = _relu6(128, 512, 1)
        self.gdconv = _Global()
        self.conv3 = nn.Conv2d(512, FOAMLIU_FEATURES, 1)
        self.bn = nn.BatchNorm2d(FOAMLIU_FEATURES)
        self.features = nn.Sequential(*_inverted())

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×128, not normalised, of planes N×3×112×112."""
        x = self.features(self.dw_conv(self.conv1(image)))  # (N, 128, 7, 7)
        return self.bn(self.conv3(self.gdconv(self.conv2(x)))).flatten(1)


class _First(nn.Module):
    """A depthwise and a pointwise convolution, both with ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
        self.pointwise = nn.Conv2d(64, 64, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.bn2 = nn.BatchNorm2d(64)

    def forward(self, x: Tensor) -> Tensor:
        """N×64×H×W -> the same shape."""
        x = functional.relu(self.bn1(self.depthwise(x)))
        return functional.relu(self.bn2(self.pointwise(x)))


class _Global(nn.Module):
    """Each channel's 7×7 map becomes one number by weights of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(512, 512, 7, groups=512, bias=False)
        self.bn = nn.BatchNorm2d(512)

    def forward(self, x: Tensor) -> Tensor:
        """N×512×7×7 -> N×512×1×1."""
        return self.bn(self.depthwise(x))


class _Inverted(nn.Module):
    """MobileNetV2's inverted residual: widen, convolve each channel, narrow, and add."""

    def __init__(self, before: int, width: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.adds = stride == 1 and before == width
        self.conv = nn.Sequential(
            _relu6(before, inner, 1),
            _relu6(inner, inner, 3, stride, groups=inner),
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×before×H×W -> N×width×H/stride×W/stride."""
        return x + self.conv(x) if self.adds else self.conv(x)


def _relu6(
    before: int, width: int, kernel: int, stride: int = 1, *, groups: int = 1
) -> nn.Sequential:
    convolution = nn.Conv2d(before, width, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU6())


def _inverted() -> list[_Inverted]:
    blocks, before = [], 64
    for expansion, width, count, stride in FOAMLIU_SETTING:
        for place in range(count):
            blocks.append(_Inverted(before, width, stride if place == 0 else 1, expansion))
            before = width
    return blocks
