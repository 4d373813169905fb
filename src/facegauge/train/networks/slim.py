"""A network of 30 million multiplications, nearly all of them in dense convolutions.

One core does some 50 thousand million multiplications a second in a dense 3×3 convolution, and half
of that or less where each channel stands alone or layers are normalised: there it waits for memory.
So this network is fast where EdgeNeXt or MobileNet are only small (docs/log.md has the figures), in
training four times as much.
"""

from __future__ import annotations

from torch import Tensor, nn

SIDE = 112
_WIDTHS = (32, 64, 128)
_PATCH = 4
_WIDER = 2


class Slim(nn.Module):
    """Patches of 4×4, then residual blocks at 14×14 and 7×7, and one weight a place at the end.

    The end is that of MobileFaceNet (Chen et al. 2018): a face's places are not averaged, as an eye
    is where an eye belongs. Embeddings have a free length.

    Args:
        width: of the embedding.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.body = nn.Sequential(
            _Unit(3, first, kernel=_PATCH, stride=_PATCH),
            _Unit(first, second, stride=2),
            Residual(_Unit(second, second, bent=False)),
            Residual(_inverted(second)),
            _Unit(second, third, stride=2),
            Residual(_Unit(third, third, bent=False)),
            Residual(_inverted(third)),
        )
        self.places = _Unit(third, third, kernel=SIDE // 16, padding=0, groups=third, bent=False)
        self.linear = nn.Linear(third, width)
        self.features = nn.BatchNorm1d(width)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×width of planes N×3×112×112."""
        return self.features(self.linear(self.places(self.body(image)).flatten(1)))


class Residual(nn.Module):
    """What a branch adds to its input, bent once (ReLU)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.bend = nn.ReLU()

    def forward(self, planes: Tensor) -> Tensor:
        """Planes N×C×H×W, as they came in."""
        return self.bend(planes + self.branch(planes))


class _Unit(nn.Sequential):
    """Convolution, batch normalisation, and ReLU unless it is not ``bent``."""

    def __init__(
        self,
        inside: int,
        outside: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        bent: bool = True,
    ) -> None:
        around = (kernel // 2 if stride < kernel else 0) if padding is None else padding
        super().__init__(
            nn.Conv2d(inside, outside, kernel, stride, around, groups=groups, bias=False),
            nn.BatchNorm2d(outside),
            *([nn.ReLU()] if bent else []),
        )


def _inverted(width: int) -> nn.Sequential:
    """Wider, each channel alone, narrow again (Sandler et al. 2018)."""
    wide = _WIDER * width
    return nn.Sequential(
        _Unit(width, wide, kernel=1),
        _Unit(wide, wide, groups=wide),
        _Unit(wide, width, kernel=1, bent=False),
    )
