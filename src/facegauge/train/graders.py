"""Networks that grade whole pictures, by name: made, given weights to begin with, and asked.

A grader takes planes N×3×H×W in ImageNet's mean and deviation and gives raw quality N or N×1, on
the scale of its labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
import torchvision
from torch import Tensor, nn

from facegauge.conventions import CONVENTIONS
from facegauge.errors import RecipeError, TrainingError
from facegauge.train.embedders import Toy
from facegauge.train.networks.regressors import EfficientFiqaStudent, EfficientFiqaTeacher
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.starts import read_start
from facegauge.train.students import features_of, require_backbone
from facegauge.values import Pixels

CONVENTION = "imagenet"
PUBLISHED = {
    "efficient-fiqa-student": EfficientFiqaStudent,
    "efficient-fiqa-teacher": EfficientFiqaTeacher,
}
"""The paper's two networks, whose weights have the names of the published files."""
_PREFIXES = ("", "backbone.", "feature_extraction.", "feature_extraction.feature_extraction.")
_STORED_BELOW = ("", "embedder.backbone.", "backbone.")
"""Where runs and published files keep a backbone: alone, in an embedder, in a grader."""
_HEADS = ("quality.", "head.", "classifier.", "fc.")
_FITS = 0.5
_MULTIPLE = 8


class Grader(nn.Module):
    """A timm backbone and the paper's head: two linear layers without an activation in between."""

    def __init__(self, backbone: nn.Module, features: int, head_width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.quality = nn.Sequential(nn.Linear(features, head_width), nn.Linear(head_width, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Raw quality N of planes N×3×H×W."""
        return self.quality(self.backbone(image)).squeeze(1)


def grader(chosen: Perceptual) -> nn.Module:
    """The network of a recipe with fresh weights drawn by its seed.

    Raises:
        RecipeError: an unknown network, or channels that it cannot have.
    """
    torch.manual_seed(chosen.seed)
    if chosen.network in PUBLISHED:
        if chosen.channels != 1.0 or chosen.head_width != 128:
            raise RecipeError(
                f"{chosen.network} is the published network: expected channels 1 and head_width "
                f"128, got {chosen.channels} and {chosen.head_width}. Choose timm's name instead."
            )
        return PUBLISHED[chosen.network]()
    if chosen.network == "toy":
        return Grader(Toy(chosen.head_width), chosen.head_width, chosen.head_width)
    require_backbone(chosen.network)
    made = timm.create_model(chosen.network, pretrained=False, num_classes=0, **_shape(chosen))
    return Grader(made, features_of(made), chosen.head_width)


def begin_at(network: nn.Module, labels: npt.NDArray[np.float32]) -> None:
    """Let the first prediction be the mean of the labels N."""
    last = network.get_submodule("quality.1")
    nn.init.constant_(last.get_parameter("bias"), float(labels.mean()))


def begin_with(network: nn.Module, chosen: Perceptual, data: Path) -> None:
    """Take over the weights that the recipe names, if it does; the head only where it fits.

    Raises:
        TrainingError: no such file, weights of another network, or a hub out of reach.
    """
    if chosen.weights == "imagenet":
        take_over(network, _from_hub(chosen), "the hub")
    elif chosen.weights:
        take_over(network, read_start(data / chosen.weights, "weights"), chosen.weights)


def take_over(network: nn.Module, weights: dict[str, Tensor], where: str) -> None:
    """Load what fits by name and shape, which must be half of the tensors outside the head.

    Raises:
        TrainingError: less fits.
    """
    own = network.state_dict()
    places = [(below, prefix) for below in _STORED_BELOW for prefix in _PREFIXES]
    fits = max((_fitting(own, weights, *place) for place in places), key=len)
    body = [name for name in own if not name.startswith(_HEADS)]
    found = sum(name in fits for name in body)
    if found < _FITS * len(body):
        raise TrainingError(
            f"Expected weights of {type(network).__name__} from {where}, got {found} of "
            f"{len(body)} tensors with its names and shapes. Choose another file."
        )
    network.load_state_dict({**own, **fits})


def planes(pixels: Tensor) -> Tensor:
    """uint8 RGB N×H×W×3 -> float N×3×H×W in ImageNet's mean and deviation, as the graph does it."""
    told = CONVENTIONS[CONVENTION]
    mean, std = (torch.tensor(each, device=pixels.device) for each in (told.mean, told.std))
    return ((pixels.to(torch.float32) - mean) / std).permute(0, 3, 1, 2).contiguous()


def raw_qualities(
    network: nn.Module, batches: Iterable[Pixels], device: torch.device
) -> npt.NDArray[np.float32]:
    """Raw quality, N, of batches of crops S×S×3, in float32 and without dropout."""
    network.eval()
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        parts = [
            network(planes(torch.from_numpy(batch).to(device))).reshape(-1) for batch in batches
        ]
    return torch.cat(parts).float().cpu().numpy()


def _shape(chosen: Perceptual) -> dict[str, Any]:
    """What makes an edgenext network narrower or wider: its channels, in multiples of 8."""
    if chosen.channels == 1.0:
        return {}
    if not chosen.network.startswith("edgenext"):
        raise RecipeError(
            f"Expected an edgenext network for channels other than 1, got {chosen.network}. Other "
            "networks have names for their widths, see timm.list_models()."
        )
    with torch.device("meta"):
        own = timm.create_model(chosen.network, pretrained=False).feature_info
    widths = [int(each["num_chs"]) for each in own]  # type: ignore[union-attr]
    return {
        "dims": tuple(max(1, round(w * chosen.channels / _MULTIPLE)) * _MULTIPLE for w in widths)
    }


def _from_hub(chosen: Perceptual) -> dict[str, Tensor]:
    """ImageNet weights by the names of their publisher: timm, or torchvision for Swin-B."""
    try:
        if chosen.network == "efficient-fiqa-teacher":
            weights = torchvision.models.Swin_B_Weights.DEFAULT
            return torchvision.models.swin_b(weights=weights).state_dict()
        plain = {"efficient-fiqa-student": "edgenext_xx_small"}
        name = plain.get(chosen.network, chosen.network)
        return timm.create_model(name, pretrained=True, **_shape(chosen)).state_dict()
    except Exception as error:  # a hub out of reach shows as almost any exception
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise TrainingError(
            f"Expected ImageNet weights of {chosen.network} from the hub, got: {told[0][:200]} "
            "Without a network download them elsewhere and name the file (--set weights=FILE; in "
            "efficient-fiqa teacher.weights=FILE and student.weights=FILE), or begin with random "
            "weights (weights=)."
        ) from error


def _fitting(
    own: dict[str, Tensor], weights: dict[str, Tensor], below: str, prefix: str
) -> dict[str, Tensor]:
    """What fits by name and shape, of the weights ``below`` a prefix, put under another."""
    named = {
        prefix + name.removeprefix(below): tensor
        for name, tensor in weights.items()
        if name.startswith(below)
    }
    return {
        name: tensor
        for name, tensor in named.items()
        if name in own and own[name].shape == tensor.shape
    }
