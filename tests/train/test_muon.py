"""Muon: matrices move by orthogonal steps, everything else by AdamW."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from facegauge.train.muon import MATCHED, MOMENTUM, Muon, is_matrix, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (16, 6), (6, 16), (1, 5)])
def test_singular_values_come_near_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_the_directions_are_those_of_the_closest_orthogonal_matrix():
    matrix = torch.randn((12, 7), generator=torch.Generator().manual_seed(2))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = orthogonal(matrix)
    inner = left.T @ turned @ right.T  # diagonal where the singular vectors are the same
    np.testing.assert_allclose(inner - torch.diag(inner.diagonal()), 0.0, atol=1e-4)
    assert torch.equal(orthogonal(3.0 * matrix).sign(), turned.sign())


def groups(network, **fields):
    matrices = [p for p in network.parameters() if is_matrix(p)]
    rest = [p for p in network.parameters() if not is_matrix(p)]
    return [
        {"params": rest, "weight_decay": 0.01},
        {"params": matrices, "weight_decay": 0.01, "matrices": True, **fields},
    ]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6))


def gradients(made, seed):
    torch.manual_seed(seed)
    for weight in made.parameters():
        weight.grad = torch.randn_like(weight)


def test_what_is_no_matrix_moves_as_by_adamw():
    one, other = network(), network()
    assert [is_matrix(p) for p in one.parameters()] == [False, False, True, *[False] * 3]
    muon = Muon(groups(one), lr=0.1)
    adamw = torch.optim.AdamW(other.parameters(), lr=0.1, weight_decay=0.01)
    for seed in range(3):
        for made, optimiser in ((one, muon), (other, adamw)):
            gradients(made, seed)
            optimiser.step()
    for first, second in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second) != is_matrix(first)


def test_a_matrix_moves_by_momentum_made_orthogonal():
    made = network()
    kernel = made[1].weight
    before, momentum = kernel.detach().clone(), torch.zeros(6, 4)
    optimiser = Muon(groups(made), lr=0.1)
    for seed in range(2):
        gradients(made, seed)
        optimiser.step()
        gradient = kernel.grad.flatten(1)
        momentum = MOMENTUM * momentum + (1 - MOMENTUM) * gradient
        step = orthogonal((1 - MOMENTUM) * gradient + MOMENTUM * momentum)
        before = before * (1 - 0.1 * 0.01) - 0.1 * MATCHED * 6**0.5 * step[:, :, None, None]
        torch.testing.assert_close(kernel.detach(), before)


def test_its_state_is_taken_up_again():
    one, other = network(), network()
    first = Muon(groups(one), lr=0.1)
    gradients(one, 0)
    first.step()
    other.load_state_dict(one.state_dict())
    second = Muon(groups(other), lr=0.1)
    second.load_state_dict(deepcopy(first.state_dict()))
    for made, optimiser in ((one, first), (other, second)):
        gradients(made, 1)
        optimiser.step(lambda: None)
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_the_loss_of_the_closure_comes_back():
    made = network()
    assert Muon(groups(made), lr=0.1).step(lambda: 3.5) == 3.5
