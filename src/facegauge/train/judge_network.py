"""The judge's network: one square with a possible face in it becomes a verdict.

What the last stage of MTCNN is to its first two (Zhang et al. 2016): it sees a face at a size of
its own, and so can be surer of it, and of its landmarks, than what found it. Features are gathered
by one weight a place and channel, as in MobileFaceNet (Chen et al. 2018), since where something
lies is half of the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facegauge.errors import TrainingError
from facegauge.judging import FILLED, SIDE
from facegauge.train.detector_network import Block, convolution, stage

NUMBERS = 15
"""What it answers: 1 logit, 4 box corners, 10 landmark coordinates."""
UNIT = SIDE * FILLED
"""Long side in pixels of the box that was found: what the numbers are offsets in units of."""
USUAL = ((-0.23, -0.1), (0.23, -0.1), (0.0, 0.07), (-0.17, 0.28), (0.17, 0.28))
"""Where a usual face's landmarks lie from the box's middle, in units of its long side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What is said of N squares: logits N, boxes N×4 and landmarks N×10 in pixels of the square."""

    logits: Tensor
    boxes: Tensor
    landmarks: Tensor


class JudgeNetwork(nn.Module):
    """The first layers of a detector, and one look at all places together.

    Places 8×8 say exactly where something is, places 4×4 what it is.

    Args:
        widths: channels after strides 2, 4, 8 and 16.
        depths: blocks at strides 8 and 16, the one that reduces included.
        gathered: channels of places 4×4 that are gathered.
        hidden: width of the layer before the last.
    """

    def __init__(
        self, widths: tuple[int, ...], depths: tuple[int, ...], gathered: int, hidden: int
    ) -> None:
        super().__init__()
        fine, coarse, far = widths[2], widths[3], SIDE // 8
        self.stem = nn.Sequential(
            convolution(3, widths[0], 3, 2), Block(widths[0], widths[1], 3, 2)
        )
        self.stages = nn.ModuleList(
            [stage(widths[1], fine, depths[0], 3), stage(fine, coarse, depths[1], 5)]
        )
        self.gather = nn.ModuleList(
            [
                convolution(fine, fine, far, groups=fine, reach=0),
                nn.Sequential(
                    convolution(coarse, gathered, 1),
                    convolution(gathered, gathered, far // 2, groups=gathered, reach=0),
                ),
            ]
        )
        self.hidden = nn.Sequential(nn.Linear(fine + gathered, hidden), nn.ReLU())
        self.last = nn.Linear(hidden, NUMBERS)
        usual = torch.tensor([-0.4, -0.5, 0.4, 0.5, *(x for point in USUAL for x in point)])
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias.copy_(torch.cat([torch.zeros(1), usual]))

    def forward(self, planes: Tensor) -> Verdicts:
        """Verdicts on planes N×3×SIDE×SIDE in -1..1."""
        features, seen = self.stem(planes), []
        for down, gather in zip(self.stages, self.gather, strict=True):
            features = down(features)
            seen.append(gather(features).flatten(1))
        answers = self.last(self.hidden(torch.cat(seen, 1))).float()
        places = answers[:, 1:] * UNIT + (SIDE - 1) / 2
        return Verdicts(logits=answers[:, 0], boxes=places[:, :4], landmarks=places[:, 4:])


def begin(network: JudgeNetwork, weights: dict[str, Tensor]) -> None:
    """Take a detector's first layers over, as far as the judge has them.

    Raises:
        TrainingError: weights of no detector, or of one with other widths.
    """
    own = network.state_dict()
    first = [name for name in own if name.startswith(("stem.", "stages."))]
    odd = [name for name in first if name not in weights or weights[name].shape != own[name].shape]
    if odd:
        raise TrainingError(
            f"Expected weights of a detector with the judge's widths and no fewer blocks, got "
            f"another {odd[0]}. Start from a run of the recipe detector that fits."
        )
    network.load_state_dict({**own, **{name: weights[name] for name in first}})


class ExportedJudge(nn.Module):
    """The network as it is exported: confidences 0..1.

    Its logits are weighted beside the detector's, and shifted so that ``threshold``, of both
    together, becomes 0.5. Where it sees the face to be it keeps to itself: that helps it to learn.
    """

    def __init__(self, network: JudgeNetwork, weight: float = 1.0, threshold: float = 0.5) -> None:
        super().__init__()
        self.network, self.weight = network, weight
        self.shift = math.log(threshold / (1.0 - threshold))

    def forward(self, planes: Tensor) -> Tensor:
        """Confidences N of planes N×3×SIDE×SIDE."""
        return (self.weight * self.network(planes).logits - self.shift).sigmoid()
