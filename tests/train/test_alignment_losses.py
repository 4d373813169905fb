"""The losses of AI-KD, each against a second implementation."""

import numpy as np
import pytest
import torch

from facegauge.train.alignment_losses import (
    label_losses,
    label_weights,
    relation_loss,
    trimmed,
    weighted_mean,
)

NAN = float("nan")


def slow_label_losses(predicted, labels, beta):
    found = []
    for p, q in zip(predicted.tolist(), labels.tolist(), strict=True):
        off = abs(p - q)
        loss = off**2 / (2 * beta) if off < beta else off - beta / 2
        found.append(0.0 if np.isnan(q) else loss)
    return found


@pytest.mark.parametrize("beta", [0.5, 0.1])
def test_label_losses_are_those_of_the_formula(beta):
    rng = np.random.default_rng(0)
    predicted, labels = (torch.tensor(rng.normal(size=30)) for _ in range(2))
    labels[::4] = NAN
    found = label_losses(predicted, labels, beta)
    np.testing.assert_allclose(found.numpy(), slow_label_losses(predicted, labels, beta))


def test_a_face_without_a_label_has_no_gradient():
    predicted = torch.tensor([1.0, 2.0], requires_grad=True)
    labels, weights = torch.tensor([NAN, 0.0]), torch.tensor([1.0, 1.0])
    counted = label_weights(weights, labels)
    assert counted.tolist() == [0, 1]
    weighted_mean(label_losses(predicted, labels, 0.5), counted).backward()
    assert predicted.grad.tolist() == [0, 1]


def test_without_any_label_loss_and_gradient_are_zero():
    predicted = torch.tensor([1.0, 2.0], requires_grad=True)
    labels = torch.tensor([NAN, NAN])
    loss = weighted_mean(label_losses(predicted, labels, 0.5), label_weights(torch.ones(2), labels))
    loss.backward()
    assert loss.item() == 0
    assert predicted.grad.tolist() == [0, 0]


def test_the_mean_is_weighted():
    losses, weights = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 0.0, 3.0])
    assert weighted_mean(losses, weights).item() == pytest.approx(
        np.average([1, 2, 4], weights=[1, 0, 3])
    )


def test_the_largest_losses_are_left_out():
    losses = torch.tensor([5.0, 1.0, 9.0, 2.0, 8.0])
    weights = torch.tensor([0.5, 1.0, 0.0, 1.0, 1.0])
    assert trimmed(weights, losses, 0.25).tolist() == [0.5, 1, 0, 1, 0]  # the 9 counts for nothing
    assert trimmed(weights, losses, 0.5).tolist() == [0, 1, 0, 1, 0]
    assert trimmed(weights, losses, 0.2).tolist() == weights.tolist()
    assert trimmed(weights, losses, 0.0) is weights
    assert trimmed(torch.zeros(5), losses, 0.9).tolist() == [0] * 5


def test_relations_are_cosines_of_all_pairs():
    rng = np.random.default_rng(1)
    own, others = rng.normal(size=(6, 3)), rng.normal(size=(6, 5))
    wanted = []
    for a in range(6):
        for b in range(a):
            mine, theirs = (
                each[a] @ each[b] / np.linalg.norm(each[a]) / np.linalg.norm(each[b])
                for each in (own, others)
            )
            wanted.append((mine - theirs) ** 2)
    found = relation_loss(torch.tensor(own), torch.tensor(others))
    assert found.item() == pytest.approx(np.mean(wanted), rel=1e-5)


def test_relations_do_not_see_length_or_rotation():
    own = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1)))[0]
    assert relation_loss(own, 3 * own @ turn).item() == pytest.approx(0, abs=1e-10)
