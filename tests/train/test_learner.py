"""Losses, moving average, rate and weight decay, each computed once more by hand."""

import numpy as np
import pytest
import torch

from facegauge.train.learner import Learner, embedding_loss, label_loss, warming_average
from facegauge.train.learner import rate as rate_at
from toy_faces import toy_recipe


def test_unknown_labels_do_not_count():
    predicted = torch.tensor([[0.0, 5.0], [1.0, -2.0]], requires_grad=True)
    labels = torch.tensor([[0.3, float("nan")], [3.0, -2.0]])
    loss = label_loss(predicted, labels, 0.5)
    assert loss.item() == pytest.approx((0.3**2 / 2 / 0.5 + (2 - 0.25) + 0) / 3)
    loss.backward()
    assert predicted.grad[0, 1] == 0
    assert torch.isfinite(predicted.grad).all()


@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_the_label_loss_is_huber_over_beta(beta):
    rng = np.random.default_rng(0)
    predicted, labels = rng.normal(size=(2, 50, 2)).astype(np.float32)
    distance = np.abs(predicted - labels)
    wanted = np.where(distance < beta, distance**2 / 2 / beta, distance - beta / 2).mean()
    found = label_loss(torch.tensor(predicted), torch.tensor(labels), beta)
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_the_embedding_loss_is_the_mean_cosine_distance():
    rng = np.random.default_rng(0)
    widths = (16, 24)
    found = [rng.normal(size=(5, width)).astype(np.float32) for width in widths]
    wanted = [rng.normal(size=(5, width)).astype(np.float32) for width in widths]
    distances = [
        1
        - np.mean(
            [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(x, y, strict=True)]
        )
        for x, y in zip(found, wanted, strict=True)
    ]
    batch = {f"embedding{i}": torch.tensor(e) for i, e in enumerate(wanted)}
    loss = embedding_loss([torch.tensor(e) for e in found], batch)
    assert loss.item() == pytest.approx(np.mean(distances), rel=1e-5)
    same = embedding_loss([3 * torch.tensor(e) for e in wanted], batch)
    assert same.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (55, 0.5), (40, 0.75), (70, 0.25), (100, 0.0)],
)
def test_the_rate_rises_linearly_and_falls_as_a_cosine(step, rate):
    assert rate_at(step, 100, 0.1) == pytest.approx(rate)


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("total", [1, 2, 40, 1000])
def test_the_rate_is_positive_at_every_step_and_reaches_its_peak(total, warmup):
    rates = [rate_at(step, total, warmup) for step in range(total)]
    assert min(rates) > 0
    assert max(rates) == 1.0


def test_vectors_and_scalars_do_not_decay(finished):
    chosen = toy_recipe("weight_decay=0.3", "learning_rate=0.01", "legs=10", "steps=10")
    learner = Learner(chosen, [16], finished, None)
    optimiser = learner.configure_optimizers()["optimizer"]
    decayed, free = optimiser.param_groups
    assert decayed["weight_decay"] == 0.3
    assert free["weight_decay"] == 0.0
    assert {p.ndim for p in free["params"]} == {1}
    assert min(p.ndim for p in decayed["params"]) == 2
    learned = {id(p) for group in (decayed, free) for p in group["params"]}
    assert learned == {id(p) for p in learner.student.parameters()}
    assert optimiser.param_groups[0]["initial_lr"] == 0.01
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.01 / 5)  # 5 steps of warm-up


@pytest.mark.parametrize(("count", "kept"), [(1, 2 / 11), (8, 0.5), (90, 0.9), (10**6, 0.9)])
def test_the_average_keeps_little_at_first_and_then_what_the_recipe_says(count, kept):
    averages = [torch.tensor([1.0, 0.0]), torch.tensor(3)]
    warming_average(0.9)(averages, [torch.tensor([0.0, 1.0]), torch.tensor(count)], count)
    torch.testing.assert_close(averages[0], torch.tensor([kept, 1 - kept]))
    assert averages[1].item() == count  # a counter is copied


def test_the_average_of_a_learner_starts_with_the_first_weights_it_sees(finished):
    learner = Learner(toy_recipe(), [16], finished, None)
    seen = []
    for value in (2.0, 5.0, 11.0):
        learner.student.quality[0].bias.data.fill_(value)
        learner.on_train_batch_end()
        seen.append(learner.average.module.quality[0].bias[0].item())
    second = 2 + (5 - 2) * (1 - 2 / 11)
    assert seen == pytest.approx([2, second, second + (11 - second) * (1 - 3 / 12)])


def test_weights_follow_from_the_seed(finished):
    first, again = (Learner(toy_recipe(), [16], finished, None) for _ in range(2))
    other = Learner(toy_recipe("seed=1"), [16], finished, None)
    weights = [each.student.quality[0].weight for each in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
