"""What stands on an embedding network: a quality, people's centres, predicted labels.

Each network here grades planes N×3×H×W with raw quality N when it is called, which is what an
export holds, and has what training needs beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

RATIO_EPSILON = 1e-9
"""Keeps the denominator of the certainty ratio above zero."""


class Graded(nn.Module):
    """An embedding network that knows how good a face is; people's centres are for training.

    Args:
        embedder: planes N×3×H×W -> embeddings N×D.
        width: D.
        people: how many people the classifier tells apart; 0 for use, when nobody is told apart.
    """

    def __init__(self, embedder: nn.Module, width: int, people: int) -> None:
        super().__init__()
        self.embedder = embedder
        if people:
            self.centres = nn.Parameter(torch.randn(people, width) / width**0.5)

    def forward(self, image: Tensor) -> Tensor:
        """Raw quality N of planes N×3×H×W."""
        return self.quality_of(self.embedder(image))

    def answers(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings N×D, not normalised, and raw quality N."""
        embeddings = self.embedder(image)
        return embeddings, self.quality_of(embeddings)

    def quality_of(self, embeddings: Tensor) -> Tensor:
        """Raw quality N: here the length of embeddings N×D, as in MagFace."""
        return torch.linalg.vector_norm(embeddings.float(), dim=1)


class Certain(Graded):
    """CR-FIQA's network: quality is linear in the embedding before it is normalised."""

    def __init__(self, embedder: nn.Module, width: int, people: int) -> None:
        super().__init__(embedder, width, people)
        self.quality = nn.Linear(width, 1)

    def quality_of(self, embeddings: Tensor) -> Tensor:
        """Raw quality N of embeddings N×D: the predicted certainty ratio."""
        return self.quality(embeddings).squeeze(1)


class Predicting(nn.Module):
    """An embedding network, dropout and a linear layer that predicts labels."""

    def __init__(self, embedder: nn.Module, width: int, dropout: float) -> None:
        super().__init__()
        self.embedder = embedder
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 1)
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("span", torch.ones(()))
        self.low: Tensor
        self.span: Tensor

    def begin_at(self, labels: Tensor) -> None:
        """Take over the range of the training labels N, and their mean as the first prediction."""
        self.low.fill_(labels.min())
        self.span.fill_(labels.max() - labels.min())
        nn.init.constant_(self.linear.bias, float(self.scaled(labels).mean()))

    def scaled(self, labels: Tensor) -> Tensor:
        """Labels on the scale of which the training labels span 0..1."""
        return (labels - self.low) / self.span

    def scaled_answers(self, image: Tensor) -> Tensor:
        """Predicted labels N on that scale, of planes N×3×H×W."""
        return self.linear(self.dropout(self.embedder(image))).squeeze(1)

    def forward(self, image: Tensor) -> Tensor:
        """Predicted labels N in their own unit, of planes N×3×H×W."""
        return self.low + self.span * self.scaled_answers(image)


def certainty_ratio(cosine: Tensor, people: Tensor) -> Tensor:
    """CCS / (NNCCS + 1 + eps), N, of cosines N×P to the centres of people; without gradient.

    CCS is the cosine to the own centre, NNCCS the largest one to another's. Source: CR-FIQA
    (Boutros et al. 2023, arXiv 2112.06592), section 3. The code the authors published
    leaves the 1 out of the denominator, which then comes near zero; we follow the paper.
    """
    with torch.no_grad():
        own = cosine.gather(1, people[:, None])
        others = cosine.scatter(1, people[:, None], -torch.inf).amax(dim=1)
        return own.squeeze(1) / (others + 1.0 + RATIO_EPSILON)  # in this order: 1 swallows it


def ratio_loss(predicted: Tensor, ratio: Tensor, beta: float) -> Tensor:
    """Smooth-L1 between predicted and actual certainty ratio, N each: x^2/(2 beta) below beta.

    Source: CR-FIQA, section 3, with a beta of 0.5.
    """
    return functional.smooth_l1_loss(predicted.float(), ratio, beta=beta)


def regression_loss(predicted: Tensor, labels: Tensor, kind: str, beta: float) -> Tensor:
    """Loss between predicted and given labels, N each: ``smooth-l1``, ``mse`` or ``l1``."""
    if kind == "mse":
        return functional.mse_loss(predicted.float(), labels)
    if kind == "l1":
        return functional.l1_loss(predicted.float(), labels)
    return functional.smooth_l1_loss(predicted.float(), labels, beta=beta)
