"""Qualities on embeddings, the certainty ratio and regression losses, against slow computations."""

import numpy as np
import pytest
import torch
from torch import nn

from facegauge.train.quality_heads import (
    Certain,
    Graded,
    Predicting,
    certainty_ratio,
    ratio_loss,
    regression_loss,
)


@pytest.fixture
def drawn():
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (20, 6)).astype(np.float32), rng.integers(0, 6, 20)


def test_the_certainty_ratio_is_that_of_the_paper(drawn):
    cosine, people = drawn
    wanted = []
    for row, person in zip(cosine.astype(float), people, strict=True):
        nearest_other = max(value for place, value in enumerate(row) if place != person)
        wanted.append(row[person] / (nearest_other + 1 + 1e-9))
    found = certainty_ratio(torch.tensor(cosine), torch.tensor(people))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_certainty_ratio_is_finite_when_all_others_are_opposite():
    cosine = torch.tensor([[1.0, -1.0, -1.0]])
    assert torch.isfinite(certainty_ratio(cosine, torch.tensor([0]))).all()


def test_no_gradient_passes_the_certainty_ratio(drawn):
    cosine = torch.tensor(drawn[0], requires_grad=True)
    assert not certainty_ratio(cosine, torch.tensor(drawn[1])).requires_grad


def slow_smooth(first, second, beta):
    distances = np.abs(first - second)
    terms = [d * d / (2 * beta) if d < beta else d - beta / 2 for d in distances]
    return float(np.mean(terms))


@pytest.mark.parametrize("beta", [0.01, 0.5, 1.0])
def test_losses_are_those_of_their_formulas(beta):
    first, second = np.random.default_rng(2).normal(size=(2, 30)).astype(np.float32)
    pair = (torch.tensor(first), torch.tensor(second))
    smooth = pytest.approx(slow_smooth(first, second, beta), rel=1e-5)
    assert float(ratio_loss(*pair, beta)) == smooth
    assert float(regression_loss(*pair, "smooth-l1", beta)) == smooth
    squares = [(a - b) ** 2 for a, b in zip(first, second, strict=True)]
    assert float(regression_loss(*pair, "mse", beta)) == pytest.approx(np.mean(squares), rel=1e-5)
    spans = [abs(a - b) for a, b in zip(first, second, strict=True)]
    assert float(regression_loss(*pair, "l1", beta)) == pytest.approx(np.mean(spans), rel=1e-5)


def test_the_quality_of_magface_is_the_length():
    network = Graded(nn.Identity(), 3, 0)
    found = network(torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 2.0]]))
    torch.testing.assert_close(found, torch.tensor([5.0, 2.0]))


def test_the_quality_of_cr_fiqa_is_linear_in_the_embedding():
    network = Certain(nn.Identity(), 3, 0)
    image = torch.randn(5, 3)
    weight, bias = (each.detach() for each in network.quality.parameters())
    wanted = [float((weight[0] * row).sum() + bias[0]) for row in image]
    np.testing.assert_allclose(network(image).detach(), wanted, rtol=1e-5)
    embeddings, raw = network.answers(image)
    torch.testing.assert_close(embeddings, image)
    torch.testing.assert_close(raw, network(image))


def test_centres_are_there_for_training_only():
    assert dict(Graded(nn.Identity(), 3, 7).named_parameters())["centres"].shape == (7, 3)
    assert not dict(Graded(nn.Identity(), 3, 0).named_parameters())


def test_a_predictor_begins_at_the_mean_and_answers_in_the_unit_of_the_labels():
    labels = torch.tensor([-3.0, 1.0, 7.0])
    network = Predicting(nn.Identity(), 4, dropout=0.0)
    network.begin_at(labels)
    torch.testing.assert_close(network.scaled(labels), torch.tensor([0.0, 0.4, 1.0]))
    found = network(torch.zeros(2, 4)).detach()
    torch.testing.assert_close(found, labels.mean().expand(2))
    image = torch.randn(2, 4)
    torch.testing.assert_close(network(image), -3 + 10 * network.scaled_answers(image))
    assert {"low", "span"} <= set(network.state_dict())


def test_dropout_is_for_training_only():
    network = Predicting(nn.Identity(), 64, dropout=0.5)
    image = torch.ones(1, 64)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))
