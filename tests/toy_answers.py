"""Answers and faces of pictures 64×64 for the losses of a detector, and overlaps by hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from facegauge.train.detector_losses import Truth, cells
from facegauge.train.detector_network import Answers

CENTRES, SPANS = cells(64, 64, torch.zeros(1))
COUNT = len(CENTRES)


def truth(*pictures: Sequence[Sequence[float]], doubtful: Sequence[tuple] = ()) -> Truth:
    """Faces as boxes a picture, padded; landmarks follow from the box. ``doubtful``: (n, g)."""
    most = max(1, *map(len, pictures))
    boxes, sure = torch.zeros(len(pictures), most, 4), torch.zeros(len(pictures), most).bool()
    for n, faces in enumerate(pictures):
        for g, box in enumerate(faces):
            boxes[n, g], sure[n, g] = torch.tensor(box), True
    left_open = torch.zeros_like(sure)
    for place in doubtful:
        left_open[place], sure[place] = True, False
    return Truth(boxes=boxes, landmarks=points_in(boxes), faces=sure, doubtful=left_open)


def points_in(boxes: Tensor) -> Tensor:
    """Five landmarks at fixed places in each box."""
    places = torch.tensor([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    low, size = boxes[..., None, :2], (boxes[..., 2:] - boxes[..., :2])[..., None, :]
    return (low + places * size).flatten(-2)


def guesses(pictures: int, seed: int = 0, needs_grad: bool = False) -> Answers:
    """Random answers, boxes around each cell."""
    rng = torch.Generator().manual_seed(seed)
    reach = torch.rand(pictures, COUNT, 4, generator=rng) * 24 + 2
    boxes = torch.cat([CENTRES - reach[..., :2], CENTRES + reach[..., 2:]], -1)
    logits = torch.randn(pictures, COUNT, generator=rng)
    landmarks = points_in(boxes) + torch.randn(pictures, COUNT, 10, generator=rng)
    made = [values.requires_grad_(needs_grad) for values in (logits, boxes, landmarks)]
    return Answers(logits=made[0], boxes=made[1], landmarks=made[2])


def within(centre: Tensor, box: Tensor) -> bool:
    """Whether a point lies inside a box."""
    return bool(box[0] < centre[0] < box[2] and box[1] < centre[1] < box[3])


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union."""
    width = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (sum(areas) - width * height)


def generalised(first: Sequence[float], second: Sequence[float]) -> float:
    """Generalised intersection over union (Rezatofighi et al. 2019)."""
    hull = (max(first[2], second[2]) - min(first[0], second[0])) * (
        max(first[3], second[3]) - min(first[1], second[1])
    )
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    share = iou(first, second)
    union = sum(areas) / (1 + share)
    return share - (hull - union) / hull
