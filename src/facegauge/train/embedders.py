"""Embedding networks by name: this is where a recipe's ``network`` is looked up.

A network takes planes N×3×H×W in -1..1 and gives embeddings N×width that are not normalised.
Networks of ours stand in ``EMBEDDERS``; every other name is one of timm's.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

import timm
from torch import Tensor, nn

from facegauge.errors import RecipeError
from facegauge.train.networks.iresnet import IResNet
from facegauge.train.networks.mobilefacenet import (
    FOAMLIU_FEATURES,
    FoamliuMobileFaceNet,
    MobileFaceNet,
)
from facegauge.train.networks.slim import Slim
from facegauge.train.students import features_of


class Timm(nn.Module):
    """A timm backbone, a linear layer and batch normalisation, after which lengths are free.

    The last two are what insightface's networks end in; mean length at the start: root of width.
    """

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.backbone = timm.create_model(name, pretrained=False, num_classes=0)
        self.linear = nn.Linear(features_of(self.backbone), width)
        self.features = nn.BatchNorm1d(width)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×width of planes N×3×H×W."""
        return self.features(self.linear(self.backbone(image)))


class Toy(nn.Module):
    """Two convolutions: for tests, which must not wait for a network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.Conv2d(8, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, width)),
        )
        self.features = nn.BatchNorm1d(width)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×width of planes N×3×H×W, H and W 16 or more."""
        return self.features(self.body(image))


class Mobile(MobileFaceNet):
    """MobileFaceNet (Chen et al. 2018) for crops of 112 pixels, its embeddings of free length."""

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings N×width of planes N×3×112×112."""
        return self.embedding(image)


def _foamliu(width: int) -> nn.Module:
    if width != FOAMLIU_FEATURES:
        raise RecipeError(
            f"Expected width={FOAMLIU_FEATURES} for mobilefacenet-foamliu, whose layout is fixed, "
            f"got {width}."
        )
    return FoamliuMobileFaceNet()


EMBEDDERS: dict[str, Callable[[int], nn.Module]] = {
    "toy": Toy,
    "iresnet18": lambda width: IResNet(18, features=width),
    "iresnet50": lambda width: IResNet(50, features=width),
    "iresnet100": lambda width: IResNet(100, features=width),
    "slim": Slim,
    "mobilefacenet": Mobile,
    "mobilefacenet-foamliu": _foamliu,
}
"""Makers of our networks by name, called with the width; a new network is one more line."""


def embedder(name: str, width: int) -> nn.Module:
    """An embedding network with fresh weights, drawn by torch's own seed.

    Raises:
        RecipeError: an unknown name, with the nearest ones.
    """
    require_embedder(name)
    return EMBEDDERS[name](width) if name in EMBEDDERS else Timm(name, width)


def require_embedder(name: str) -> None:
    """Refuse a name that neither we nor timm know.

    Raises:
        RecipeError: an unknown name, with the nearest ones.
    """
    if name in EMBEDDERS or timm.is_model(name):
        return
    known = [*EMBEDDERS, *timm.list_models()]
    near = ", ".join(get_close_matches(name, known, cutoff=0.3)) or "none near"
    raise RecipeError(f"Expected a network we or timm know, got {name!r}; names near: {near}.")
