"""The PLCC loss against numpy, and what it is invariant to."""

import numpy as np
import pytest
import torch

from facegauge.train.correlation_loss import plcc_loss


def by_numpy(predicted: np.ndarray, labels: np.ndarray) -> float:
    a = (predicted - predicted.mean()) / (predicted.std() + 1e-8)
    b = (labels - labels.mean()) / (labels.std() + 1e-8)
    rho = np.mean(a * b)
    return (np.mean((a - b) ** 2) / 4 + np.mean((rho * a - b) ** 2) / 4) / 2


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_formula_says(seed):
    rng = np.random.default_rng(seed)
    predicted, labels = rng.normal(2, 3, 33), rng.random(33)
    found = plcc_loss(torch.tensor(predicted), torch.tensor(labels))
    assert float(found) == pytest.approx(by_numpy(predicted, labels), abs=1e-6)
    r = np.corrcoef(predicted, labels)[0, 1]  # and in closed form
    assert float(found) == pytest.approx(((2 - 2 * r) + (1 - r**2)) / 8, abs=1e-6)


def test_a_line_is_perfect_and_its_opposite_the_worst():
    labels = torch.rand(16, generator=torch.Generator().manual_seed(0))
    assert float(plcc_loss(5 * labels - 3, labels)) == pytest.approx(0, abs=1e-6)
    assert float(plcc_loss(-2 * labels, labels)) == pytest.approx(0.5, abs=1e-5)


def test_equal_predictions_have_a_finite_slope():
    predicted = torch.full((8,), 0.5, requires_grad=True)
    plcc_loss(predicted, torch.arange(8.0)).backward()
    assert torch.isfinite(predicted.grad).all()
