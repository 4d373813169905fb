"""The judge's network: one square with a possible face in it becomes a verdict.

What the last stage of MTCNN is to its first two (Zhang et al. 2016): it sees a face at a size of
its own, and so can be surer of it, and of its landmarks, than what found it. The features are
gathered by one weight a place and channel, as in MobileFaceNet (Chen et al. 2018), since where
something lies is half of the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facegauge.second_look import FILLED, SIDE
from facegauge.train.detector_network import convolution, stage

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
    """Depthwise separable convolutions down to 4×4 places, then one look at all of them.

    Args:
        widths: channels after strides 2, 4, 8 and 16.
        depths: blocks at strides 4, 8 and 16, the one that reduces included.
        gathered: channels of the last look.
    """

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], gathered: int) -> None:
        super().__init__()
        places = SIDE // 16
        self.stem = convolution(3, widths[0], 3, 2)
        self.stages = nn.Sequential(
            *(stage(widths[i], widths[i + 1], depths[i], 5 if i else 3) for i in range(3))
        )
        self.raised = convolution(widths[-1], gathered, 1)
        self.gather = convolution(gathered, gathered, places, groups=gathered, reach=0)
        self.last = nn.Linear(gathered, NUMBERS)
        usual = torch.tensor([-0.4, -0.5, 0.4, 0.5, *(x for point in USUAL for x in point)])
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias.copy_(torch.cat([torch.zeros(1), usual]))

    def forward(self, planes: Tensor) -> Verdicts:
        """Verdicts on planes N×3×SIDE×SIDE in -1..1."""
        features = self.gather(self.raised(self.stages(self.stem(planes)))).flatten(1)
        answers = self.last(features).float()
        places = answers[:, 1:] * UNIT + (SIDE - 1) / 2
        return Verdicts(logits=answers[:, 0], boxes=places[:, :4], landmarks=places[:, 4:])


class ExportedJudge(nn.Module):
    """The network as it is exported: boxes, landmarks and confidences 0..1.

    Confidences are shifted on the scale of logits so that ``threshold``, of both looks together,
    becomes 0.5.
    """

    def __init__(self, network: JudgeNetwork, threshold: float = 0.5) -> None:
        super().__init__()
        self.network = network
        self.shift = math.log(threshold / (1.0 - threshold))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes N×4, landmarks N×10 and confidences N of planes N×3×SIDE×SIDE."""
        said = self.network(planes)
        return said.boxes, said.landmarks, (said.logits - self.shift).sigmoid()
