"""The detector's network: an anchor-free single stage with strides 8, 16 and 32.

The class of SCRFD (Guo et al. 2021) and YuNet (Wu et al. 2023): each cell of three maps says how
surely it lies on a face, and where that face's box and five landmarks are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegauge.errors import TrainingError

STRIDES = (8, 16, 32)
NUMBERS = 15
"""What a cell answers: 1 logit, 4 box distances, 10 landmark offsets."""
NEW_BLOCK = 0.1
"""Scale of what a block adds that a grown network has and its origin had not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What N pictures' P cells say, in pixels of the picture (pixel centres on whole numbers)."""

    logits: Tensor
    """N×P: how surely the cell lies on a face."""
    boxes: Tensor
    """N×P×4: x0, y0, x1, y1."""
    landmarks: Tensor
    """N×P×10: x, y of the eyes, the nose and the corners of the mouth."""


class DetectorNetwork(nn.Module):
    """Depthwise separable convolutions, a top-down neck, and one head a stride.

    Args:
        widths: channels after strides 2, 4, 8, 16 and 32.
        depths: blocks at strides 8, 16 and 32, the one that reduces included.
        neck: channels of the neck and the heads.
    """

    def __init__(
        self, widths: tuple[int, ...], depths: tuple[int, ...], neck: int, head: int
    ) -> None:
        super().__init__()
        first, second, *rest = widths
        self.stem = nn.Sequential(convolution(3, first, 3, 2), Block(first, second, 3, 2))
        before = [second, *rest]
        self.stages = nn.ModuleList(
            stage(before[i], before[i + 1], depths[i], 3 if i == 0 else 5) for i in range(3)
        )
        self.lateral = nn.ModuleList(convolution(width, neck, 1) for width in rest)
        self.smooth = nn.ModuleList(Block(neck, neck, 3) for _ in STRIDES[:2])
        self.heads = nn.ModuleList(_head(neck, head) for _ in STRIDES)

    def forward(self, planes: Tensor) -> Answers:
        """Answers for planes N×3×H×W in -1..1; H and W are multiples of 32."""
        maps = []
        features = self.stem(planes)
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            features = stage(features)
            maps.append(lateral(features))
        for level in (1, 0):
            higher = functional.interpolate(maps[level + 1], scale_factor=2.0, mode="nearest")
            maps[level] = self.smooth[level](maps[level] + higher)
        parts = [
            _decoded(head(each), stride)
            for head, each, stride in zip(self.heads, maps, STRIDES, strict=True)
        ]
        return Answers(
            logits=torch.cat([part.logits for part in parts], 1),
            boxes=torch.cat([part.boxes for part in parts], 1),
            landmarks=torch.cat([part.landmarks for part in parts], 1),
        )


def grow(network: DetectorNetwork, weights: dict[str, Tensor]) -> None:
    """Load the weights of a network that had fewer blocks; those it lacks begin near the identity.

    Raises:
        TrainingError: weights that have no place in this network, or another shape.
    """
    own = network.state_dict()
    last = str(max(int(key.split(".")[2]) for key in own if key.startswith("heads.")))
    heads = [int(key.split(".")[2]) for key in weights if key.startswith("heads.")]
    before = str(max(heads, default=0))
    placed = {_placed(key, before, last): value for key, value in weights.items()}
    odd = [key for key, value in placed.items() if key not in own or own[key].shape != value.shape]
    if odd or not placed:
        raise TrainingError(
            f"Expected weights of a detector with these widths and neck and no more blocks, got "
            f"{odd[0] if odd else 'none'}. Start from a run whose recipe fits."
        )
    network.load_state_dict(placed, strict=False)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key not in placed and key.endswith("along.1.weight"):
                value.fill_(NEW_BLOCK)


def _placed(key: str, before: str, last: str) -> str:
    """Where a weight goes: a head's last layer stays its last."""
    parts = key.split(".")
    if parts[0] == "heads" and parts[2] == before:
        parts[2] = last
    return ".".join(parts)


class Exported(nn.Module):
    """The network as it is exported: boxes, landmarks and confidences 0..1.

    Confidences are shifted on the scale of logits so that ``threshold`` becomes 0.5: a face is what
    is more likely one than not, whatever the training's balance was.
    """

    def __init__(self, network: DetectorNetwork, threshold: float = 0.5) -> None:
        super().__init__()
        self.network = network
        self.shift = math.log(threshold / (1.0 - threshold))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes N×P×4, landmarks N×P×10 and confidences N×P of planes N×3×H×W."""
        found = self.network(planes)
        return found.boxes, found.landmarks, (found.logits - self.shift).sigmoid()


def cell_centres(height: int, width: int, stride: int, like: Tensor) -> Tensor:
    """Centres (x, y) of a map's cells in pixels of the picture, HW×2."""
    half = (stride - 1) / 2
    ys = torch.arange(height, device=like.device, dtype=torch.float32) * stride + half
    xs = torch.arange(width, device=like.device, dtype=torch.float32) * stride + half
    rows = ys[:, None].expand(height, width).reshape(-1)
    columns = xs[None, :].expand(height, width).reshape(-1)
    return torch.stack([columns, rows], dim=1)


def _decoded(output: Tensor, stride: int) -> Answers:
    """A head's map N×15×H×W as answers in pixels."""
    height, width = output.shape[2:]
    flat = output.float().flatten(2).transpose(1, 2)  # (N, HW, 15)
    centres = cell_centres(height, width, stride, output)  # (HW, 2)
    reach = flat[..., 1:5].clamp(-4.0, 5.0).exp() * stride
    boxes = torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], dim=-1)
    landmarks = flat[..., 5:] * stride + centres.repeat(1, 5)
    return Answers(logits=flat[..., 0], boxes=boxes, landmarks=landmarks)


def convolution(
    width: int,
    out: int,
    side: int,
    stride: int = 1,
    groups: int = 1,
    *,
    active: bool = True,
    reach: int | None = None,
) -> nn.Sequential:
    """Convolution, batch normalisation and, unless told not to, ReLU.

    ``reach`` is how many pixels beyond the border it sees: half its side unless told otherwise.
    """
    border = side // 2 if reach is None else reach
    layers: list[nn.Module] = [
        nn.Conv2d(width, out, side, stride, border, groups=groups, bias=False),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if active else nn.Sequential(*layers)


class Block(nn.Module):
    """Depthwise and pointwise convolution, with a shortcut where the shape stays."""

    def __init__(self, width: int, out: int, side: int, stride: int = 1) -> None:
        super().__init__()
        self.across = convolution(width, width, side, stride, width, active=False)
        self.along = convolution(width, out, 1)
        self.shortcut = width == out and stride == 1

    def forward(self, features: Tensor) -> Tensor:
        """N×width×H×W becomes N×out×H/stride×W/stride."""
        answer = self.along(self.across(features))
        return features + answer if self.shortcut else answer


def stage(width: int, out: int, depth: int, side: int) -> nn.Sequential:
    """Blocks of which the first halves height and width."""
    blocks = [Block(out, out, side) for _ in range(depth - 1)]
    return nn.Sequential(Block(width, out, side, 2), *blocks)


def _head(width: int, depth: int) -> nn.Sequential:
    last = nn.Conv2d(width, NUMBERS, 1)
    nn.init.normal_(last.weight, std=0.01)
    bias = torch.zeros(NUMBERS)
    bias[0] = -4.6  # one cell in a hundred, as in RetinaNet (Lin et al. 2017)
    bias[1:5] = 0.7  # a box of four cells
    last.bias = nn.Parameter(bias)
    return nn.Sequential(*[Block(width, width, 5) for _ in range(depth)], last)
