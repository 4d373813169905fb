"""Which cells answer for which face, and what a wrong answer costs.

Cells are chosen by task alignment (Feng et al. 2021, TOOD): those that are sure and fit best, so
that confidence ranks the fit. Confidence learns by varifocal loss (Zhang et al. 2021), boxes by
generalised IoU (Rezatofighi et al. 2019), landmarks by smooth-L1 relative to the face's size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from facegauge.train.detector_network import STRIDES, Answers, cell_centres

CELLS = 10
"""Cells that may answer for one face."""
SURE_POWER, FIT_POWER = 0.5, 6.0
"""Exponents of confidence and IoU in the alignment of a cell with a face (TOOD: 1 and 6)."""
NEGATIVE_WEIGHT, FOCUS = 0.75, 1.0
"""Varifocal loss: weight of the cells that lie on no face, and how much easy ones fade (the paper
has 2, which in a short training leaves the background half-sure: see docs/log.md)."""
LANDMARK_BETA = 0.01
"""Where the landmark loss turns from square to linear, as a share of the face's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The faces of N pictures, padded to G a picture.

    ``boxes`` N×G×4 and ``landmarks`` N×G×10 in pixels; ``faces`` N×G: those to be found;
    ``doubtful`` N×G: those of which nothing is learned, neither that they are faces nor that not.
    """

    boxes: Tensor
    landmarks: Tensor
    faces: Tensor
    doubtful: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Mean losses of a batch."""

    confidence: Tensor
    box: Tensor
    landmark: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What each of N×P cells is to answer: which face (index), and how surely (0: no face)."""

    face: Tensor
    target: Tensor


def cells(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres P×2 and strides P of all cells of a picture of this size."""
    centres = [cell_centres(height // s, width // s, s, like) for s in STRIDES]
    strides = [torch.full((len(c),), float(s)) for c, s in zip(centres, STRIDES, strict=True)]
    return torch.cat(centres), torch.cat(strides).to(like.device)


def losses(answers: Answers, truth: Truth, centres: Tensor, strides: Tensor) -> Losses:
    """Losses of a batch's answers; every sum is divided by the sum of the targets."""
    chosen = assign(answers, truth, centres, strides)
    total = chosen.target.sum().clamp(min=1.0)
    on = chosen.target > 0  # (N, P)
    ignored = _within(truth.boxes, truth.doubtful, centres) & ~on
    confidence = varifocal(answers.logits, chosen.target)[~ignored].sum() / total
    picture, cell = on.nonzero(as_tuple=True)
    face, weight = chosen.face[picture, cell], chosen.target[picture, cell]
    wanted = truth.boxes[picture, face]  # (K, 4)
    apart = 1.0 - generalised_iou(answers.boxes[picture, cell], wanted)
    size = ((wanted[:, 2:] - wanted[:, :2]).clamp(min=1.0)).prod(1).sqrt()[:, None]
    offset = (answers.landmarks[picture, cell] - truth.landmarks[picture, face]) / size
    landmark = functional.smooth_l1_loss(
        offset, torch.zeros_like(offset), beta=LANDMARK_BETA, reduction="none"
    ).mean(1)
    return Losses(
        confidence=confidence,
        box=(apart * weight).sum() / total,
        landmark=(landmark * weight).sum() / total,
    )


@torch.no_grad()
def assign(answers: Answers, truth: Truth, centres: Tensor, strides: Tensor) -> Assignment:
    """Task-aligned assignment: for each face the cells near its middle that fit it best.

    A cell answers for one face at most, the one it overlaps most. The target of a face's best cell
    is the square root of its IoU, and that of the others falls with their alignment.
    """
    fit = pairwise_iou(truth.boxes, answers.boxes)  # (N, G, P)
    near = _near(truth, centres, strides)
    sure = answers.logits.sigmoid()[:, None, :]
    aligned = (sure**SURE_POWER * fit**FIT_POWER + 1e-12) * near
    best = aligned.topk(min(CELLS, aligned.shape[2]), dim=2)
    picked = torch.zeros_like(aligned).scatter_(2, best.indices, 1.0).bool() & near
    owner = torch.where(picked, fit + 1e-6, torch.zeros_like(fit)).argmax(1)  # (N, P)
    picked &= functional.one_hot(owner, fit.shape[1]).transpose(1, 2).bool()
    aligned = aligned * picked
    highest = aligned.amax(2, keepdim=True).clamp(min=1e-12)
    widest = (fit * picked).amax(2, keepdim=True)
    target = (aligned / highest * widest.clamp(min=1e-3).sqrt()).amax(1)  # (N, P)
    return Assignment(face=owner, target=target)


def varifocal(logits: Tensor, target: Tensor) -> Tensor:
    """Varifocal loss of each cell: cross entropy, weighted by the target or by the error's size."""
    error = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    missed = NEGATIVE_WEIGHT * logits.detach().sigmoid() ** FOCUS
    return error * torch.where(target > 0, target, missed)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of N×G×4 with N×P×4 boxes: N×G×P."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (_area(first)[:, :, None] + _area(second)[:, None, :] - shared).clamp(min=1e-6)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU of K×4 with K×4 boxes, -1..1: K."""
    shared = _extent(torch.maximum(first, second), torch.minimum(first, second))
    union = (_area(first) + _area(second) - shared).clamp(min=1e-6)
    hull = _extent(torch.minimum(first, second), torch.maximum(first, second)).clamp(min=1e-6)
    return shared / union - (hull - union) / hull


def _extent(corner: Tensor, opposite: Tensor) -> Tensor:
    return (opposite[..., 2:] - corner[..., :2]).clamp(min=0).prod(-1)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _near(truth: Truth, centres: Tensor, strides: Tensor) -> Tensor:
    """Cells that may answer for a face, N×G×P: in its box, or within 0.6 cells of its middle."""
    middle = (truth.boxes[..., :2] + truth.boxes[..., 2:]) / 2  # (N, G, 2)
    half = (truth.boxes[..., 2:] - truth.boxes[..., :2]) / 2
    reach = torch.maximum(half[:, :, None, :], 0.6 * strides[None, None, :, None])
    inside = ((centres - middle[:, :, None, :]).abs() < reach).all(-1)
    return inside & truth.faces[:, :, None]


def _within(boxes: Tensor, chosen: Tensor, centres: Tensor) -> Tensor:
    """Cells inside any of the chosen boxes, N×P."""
    after = (centres > boxes[:, :, None, :2]).all(-1)
    before = (centres < boxes[:, :, None, 2:]).all(-1)
    return (after & before & chosen[:, :, None]).any(1)
