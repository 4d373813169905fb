"""The PLCC loss: how far predictions are from a line through the labels of their batch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

EPSILON = 1e-8
"""Added to the standard deviations of the batch."""


def plcc_loss(predicted: Tensor, labels: Tensor) -> Tensor:
    """0 for a perfect correlation to 0.5 for a perfect one the wrong way round; of N pairs.

    Both are standardised within the batch (population deviation): z^ of the predictions, z of the
    labels, rho = mean(z^ z). The loss is the mean of MSE(z^, z) / 4 and MSE(rho z^, z) / 4.

    Source: the loss of Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709), after Wu et al. 2022.

    Example:
        >>> from torch import tensor
        >>> labels = tensor([0.0, 1.0, 2.0])
        >>> round(float(plcc_loss(3 * labels + 1, labels)), 6)
        0.0
    """
    found, wanted = _standardised(predicted.float()), _standardised(labels.float())
    rho = (found * wanted).mean()
    apart = functional.mse_loss(found, wanted) / 4
    line = functional.mse_loss(rho * found, wanted) / 4
    return (apart + line) / 2


def _standardised(values: Tensor) -> Tensor:
    return (values - values.mean()) / (values.std(correction=0) + EPSILON)
