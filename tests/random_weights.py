"""Checkpoints in published layouts with random weights that behave: what imports are tested with.

    weights = random_weights("cr-fiqa-100", 112)

No published file is needed, and none is imitated but in its names and shapes.
"""

from __future__ import annotations

import numpy as np
import torch
from skimage import data
from torch import Tensor, nn

from facegauge.conventions import CONVENTIONS
from facegauge.framing import resized
from facegauge.train.networks import NETWORKS
from facegauge.values import Pixels


def portraits(count: int, size: int) -> Pixels:
    """Crops around the astronaut's face, uint8 RGB count×size×size×3: shifted, darker, mirrored."""
    picture = data.astronaut()
    crops = []
    for number in range(count):
        top, left = 20 + 11 * (number % 5), 130 + 13 * (number % 7)
        side = 150 + 10 * (number % 4)
        crop = picture[top : top + side, left : left + side, :: -1 if number % 6 == 5 else 1]
        crop = crop[:, :: -1 if number % 2 else 1] * (1.0 - 0.12 * (number % 5))
        crops.append(resized(np.ascontiguousarray(crop.astype(np.uint8)), size, size))
    return np.stack(crops)


def random_weights(
    network: str, size: int, seed: int = 0, convention: str = "arcface"
) -> dict[str, Tensor]:
    """A network's state dict: random weights, and statistics of batches that it has seen.

    The statistics make numbers stay in a sound range through a hundred layers, as in a trained
    network, so that two runtimes can be compared by an absolute difference.
    """
    torch.manual_seed(seed)
    made = NETWORKS[network]()
    for module in made.modules():
        _randomise(module)
    told, crops = CONVENTIONS[convention], portraits(4, size)
    ordered = crops[..., ::-1] if told.bgr else crops
    pixels = (ordered - np.array(told.mean)) / np.array(told.std)
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    seen: list[Tensor] = []
    last = [one for one in made.modules() if isinstance(one, nn.Linear) and one.out_features == 1]
    for head in last:
        head.register_forward_hook(lambda _, inputs, answer: seen.append(answer))
    with torch.no_grad():
        made.train()(planes.float().contiguous())
        for head, answer in zip(last, seen, strict=True):
            _spread(head, answer)
    return made.state_dict()


def _spread(head: nn.Linear, answer: Tensor) -> None:
    """Make the numbers that a head answers vary around 0.5, about 0.2 to either side."""
    factor = 0.2 / answer.std()
    head.weight *= factor
    head.bias.copy_(0.5 + (head.bias - answer.mean()) * factor)


def _randomise(module: nn.Module) -> None:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.normal_(module.bias, 0.0, 0.2)
        module.momentum = 1.0
    if isinstance(module, nn.PReLU):
        nn.init.uniform_(module.weight, 0.1, 0.4)
