"""The losses of the recipe ``first``, each computed once more by hand, and what is learned."""

import numpy as np
import pytest
import torch

from facegauge.train.learner import Learner, embedding_loss, label_loss
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


def test_the_student_is_what_is_trained(finished):
    learner = Learner(toy_recipe(), [16], finished, None)
    optimiser = learner.configure_optimizers()["optimizer"]
    learned = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert learned == {id(p) for p in learner.student.parameters()}
    assert learner.student is learner.network


def test_the_losses_of_a_batch_and_their_sum(finished):
    learner = Learner(toy_recipe("embedding_weight=3"), [16], finished, None)
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, (4, 64, 64, 3)).astype(np.uint8))
    labels = torch.tensor([[0.0, 1.0], [float("nan"), 2.0], [1.0, 1.0], [0.5, -1.0]])
    batch = {"pixels": pixels, "labels": labels, "embedding0": torch.ones(4, 16)}
    losses = learner.training_losses(batch)
    assert tuple(losses) == Learner.LOSSES
    total = learner.total(losses)
    assert total.item() == pytest.approx(losses["label"].item() + 3 * losses["embedding"].item())
    total.backward()
    assert all(p.grad is not None for p in learner.student.parameters())


def test_the_best_is_that_of_jittered_crops(finished):
    learner = Learner(toy_recipe(), [16], finished, None)
    assert learner.merit({"pauc_aligned": 0.1, "pauc_jittered": 0.3, "srcc": 0.9}) == 0.3


def test_weights_follow_from_the_seed(finished):
    first, again = (Learner(toy_recipe(), [16], finished, None) for _ in range(2))
    other = Learner(toy_recipe("seed=1"), [16], finished, None)
    weights = [each.student.quality[0].weight for each in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
