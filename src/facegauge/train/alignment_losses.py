"""The losses of AI-KD (Babnik et al. 2024), and what goes beyond it.

The cosine distance to the recognisers' embeddings is that of the recipe ``first``
(``learner.embedding_loss``).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def label_losses(predicted: Tensor, labels: Tensor, beta: float) -> Tensor:
    """Smooth-L1 of each of N predictions, x^2 / (2 beta) below beta; 0 where the label is nan.

    AI-KD's text says L1, its published settings smooth-L1 with a beta of 0.5.
    """
    known = torch.where(torch.isfinite(labels), labels, predicted.detach())
    return functional.smooth_l1_loss(predicted, known, beta=beta, reduction="none")


def label_weights(weights: Tensor, labels: Tensor) -> Tensor:
    """The weights N, 0 where the label is nan."""
    return torch.where(torch.isfinite(labels), weights, torch.zeros_like(weights))


def trimmed(weights: Tensor, losses: Tensor, share: float) -> Tensor:
    """The weights N without those of the largest losses: a share of the labels that count.

    Wrong labels are learned later than right ones, so they are among the largest losses. Source:
    Co-teaching (Han et al., NeurIPS 2018), the choice of small losses, by the network itself.
    """
    counted = weights > 0
    left_out = int(share * int(counted.sum()))
    if not left_out:
        return weights
    ranked = torch.where(counted, losses.detach(), torch.full_like(losses, -torch.inf))
    kept = weights.clone()
    kept[ranked.topk(left_out).indices] = 0.0
    return kept


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """The mean of losses N by weights N; 0, with a gradient of 0, where all weights are 0."""
    return (weights * losses).sum() / weights.sum().clamp_min(1e-12)


def relation_loss(own: Tensor, others: Tensor) -> Tensor:
    """Mean squared difference of the cosines of all pairs, of embeddings N×D and N×E.

    Each face keeps its place among the others of the batch, whatever the widths. After embedding
    graph alignment (Ma et al. 2021) and similarity-preserving distillation (Tung and Mori, ICCV
    2019); pairs of a face with itself are left out.
    """
    mine, theirs = (functional.normalize(each.float(), dim=1) for each in (own, others))
    apart = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    difference = (mine @ mine.T - theirs @ theirs.T)[apart]
    return difference.square().mean()
