"""Margins of angle: how classifiers of people learn embeddings that are near to their own centre.

Cosines and margins are computed in float32, also where a run's precision is lower: near ±1 half
precision knows no angles.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_LEAST_SQUARE = 1e-6
"""Smallest squared sine: the slope of the root beneath stays finite at angles of 0 and pi."""


def cosines(embeddings: Tensor, centres: Tensor) -> Tensor:
    """Cosines N×P, float32, between embeddings N×D and the centres of people P×D."""
    with torch.autocast(embeddings.device.type, enabled=False):
        first = functional.normalize(embeddings.float(), dim=1)
        second = functional.normalize(centres.float(), dim=1)
        return (first @ second.T).clamp(-1.0, 1.0)


def turned(cosine: Tensor, angle: Tensor | float) -> Tensor:
    """cos(theta + angle) of cos(theta), any shape; angle in radians.

    By the addition theorem, so that no arccosine with its infinite slopes at ±1 is needed.
    """
    angle = torch.as_tensor(angle, dtype=cosine.dtype, device=cosine.device)
    sine = (1.0 - cosine.square()).clamp_min(_LEAST_SQUARE).sqrt()
    return cosine * torch.cos(angle) - sine * torch.sin(angle)


def arcface_logits(cosine: Tensor, people: Tensor, margin: float, scale: float) -> Tensor:
    """Logits N×P: s cos(theta + m) for the own person, s cos(theta) for the others.

    Args:
        cosine: N×P.
        people: the own person of each face, N whole numbers below P.
        margin: m, radians.
        scale: s.

    Source: ArcFace (Deng et al. 2019, arXiv 1801.07698), equation 3.
    """
    own = cosine.gather(1, people[:, None])  # (N, 1)
    return scale * cosine.scatter(1, people[:, None], turned(own, margin))


def magface_margin(
    lengths: Tensor, shortest: float, longest: float, least: float, most: float
) -> Tensor:
    """The margin m(a) in radians of embeddings of length a, N: linear in between, flat outside.

    Source: MagFace (Meng et al. 2021, arXiv 2103.06627), section 3.2 and appendix.
    """
    share = (lengths.clamp(shortest, longest) - shortest) / (longest - shortest)
    return least + share * (most - least)


def magface_logits(cosine: Tensor, people: Tensor, margins: Tensor, scale: float) -> Tensor:
    """Logits N×P as in ArcFace with a margin for each face, N; the gradient reaches its length.

    A face that is more than 90 degrees from its own centre has no margin ("easy margin", as the
    authors train).
    """
    own = cosine.gather(1, people[:, None])
    eased = torch.where(own > 0, turned(own, margins[:, None]), own)
    return scale * cosine.scatter(1, people[:, None], eased)


def length_penalty(lengths: Tensor, shortest: float, longest: float) -> Tensor:
    """Mean of g(a) = 1/a + a/u^2 over N lengths a within shortest .. longest (u).

    It falls all the way to u, so that lengths grow unless the margin stands against it. Source:
    MagFace (Meng et al. 2021), section 3.2.
    """
    within = lengths.clamp(shortest, longest)
    return (1.0 / within + within / longest**2).mean()
