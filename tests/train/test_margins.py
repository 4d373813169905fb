"""Margins of angle against slow computations with arccosines, and their slopes at the edges."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from facegauge.train.margins import (
    arcface_logits,
    cosines,
    length_penalty,
    magface_logits,
    magface_margin,
    turned,
)

ENDS = (10.0, 110.0)


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(12, 6)) * rng.uniform(1, 40, (12, 1))
    return embeddings, rng.normal(size=(5, 6)), rng.integers(0, 5, 12)


def slow_cosines(embeddings, centres):
    return np.array(
        [
            [float(e @ c) / math.sqrt(float(e @ e)) / math.sqrt(float(c @ c)) for c in centres]
            for e in embeddings
        ]
    )


def tensors(*arrays):
    kinds = {"f": torch.float32, "i": torch.int64}
    return [torch.tensor(each, dtype=kinds[np.asarray(each).dtype.kind]) for each in arrays]


def test_cosines_are_those_of_the_definition(drawn):
    embeddings, centres, _ = drawn
    found = cosines(*tensors(embeddings, centres))
    np.testing.assert_allclose(found, slow_cosines(embeddings, centres), atol=1e-6)


def test_cosines_are_exact_under_half_precision(drawn):
    first, second = tensors(*drawn[:2])
    with torch.autocast("cpu", torch.bfloat16):
        found = cosines(first, second)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, cosines(first, second), rtol=0, atol=0)


def test_arcface_adds_the_margin_to_the_own_angle(drawn):
    embeddings, centres, people = drawn
    wanted = 64 * slow_cosines(embeddings, centres)
    for row, person in enumerate(people):
        wanted[row, person] = 64 * math.cos(math.acos(wanted[row, person] / 64) + 0.5)
    cosine, own = tensors(wanted * 0 + slow_cosines(embeddings, centres), people)
    np.testing.assert_allclose(arcface_logits(cosine, own, 0.5, 64.0), wanted, atol=1e-3)


def test_without_a_margin_it_is_a_softmax(drawn):
    embeddings, centres, people = drawn
    cosine, own = tensors(slow_cosines(embeddings, centres), people)
    torch.testing.assert_close(arcface_logits(cosine, own, 0.0, 8.0), 8.0 * cosine)


@pytest.mark.parametrize(
    ("length", "margin"),
    [(0.0, 0.45), (10.0, 0.45), (35.0, 0.5375), (60.0, 0.625), (110.0, 0.8), (500.0, 0.8)],
)
def test_the_margin_of_magface_is_linear_between_its_ends(length, margin):
    found = magface_margin(torch.tensor([length]), *ENDS, 0.45, 0.8)
    assert float(found[0]) == pytest.approx(margin, abs=1e-6)


def test_magface_turns_each_face_by_its_own_margin(drawn):
    embeddings, centres, people = drawn
    cosine = slow_cosines(embeddings, centres)
    lengths = np.sqrt((embeddings**2).sum(axis=1))
    wanted = 64 * cosine
    for row, person in enumerate(people):
        margin = 0.45 + 0.35 * (min(max(lengths[row], 10), 110) - 10) / 100
        if cosine[row, person] > 0:
            wanted[row, person] = 64 * math.cos(math.acos(cosine[row, person]) + margin)
    first, own, long = tensors(cosine, people, lengths)
    margins = magface_margin(long, *ENDS, 0.45, 0.8)
    np.testing.assert_allclose(magface_logits(first, own, margins, 64.0), wanted, atol=1e-3)


def test_the_penalty_is_the_mean_of_the_formula():
    lengths = np.array([3.0, 10.0, 22.6, 80.0, 110.0, 900.0])
    wanted = np.mean([1 / a + a / 110**2 for a in np.clip(lengths, 10, 110)])
    [found] = tensors(lengths)
    assert float(length_penalty(found, *ENDS)) == pytest.approx(wanted, abs=1e-7)


def test_the_penalty_falls_up_to_the_longest_length():
    lengths = torch.linspace(10, 110, 50, requires_grad=True)
    length_penalty(lengths, *ENDS).backward()  # at the very ends it is flat
    assert (lengths.grad[1:-1] < 0).all()


@pytest.mark.parametrize("edge", [-1.0, -1.0 + 1e-7, 0.0, 1.0 - 1e-7, 1.0])
@pytest.mark.parametrize("margin", [0.0, 0.5, 0.8])
def test_slopes_are_finite_at_the_edges(edge, margin):
    cosine = torch.tensor([[edge, 0.2], [0.1, edge]], requires_grad=True)
    people = torch.tensor([0, 1])
    logits = arcface_logits(cosine, people, margin, 64.0)
    functional.cross_entropy(logits, people).backward()
    assert torch.isfinite(logits).all()
    assert torch.isfinite(cosine.grad).all()
    assert float(turned(torch.tensor(edge), margin)) == pytest.approx(
        math.cos(math.acos(edge) + margin), abs=2e-3
    )


@pytest.mark.parametrize("length", [1e-3, 10.0, 110.0, 1e4])
def test_magface_has_finite_slopes_at_the_ends_of_length(length):
    direction = functional.normalize(torch.tensor([[1.0, 2.0, -1.0], [1.0, 0.0, 0.0]]), dim=1)
    embeddings = (length * direction).requires_grad_()
    centres = torch.cat([direction[1:], direction[:1]]).requires_grad_()
    people = torch.tensor([1, 0])  # each lies on its own centre: a cosine of 1
    lengths = torch.linalg.vector_norm(embeddings, dim=1)
    margins = magface_margin(lengths, *ENDS, 0.45, 0.8)
    logits = magface_logits(cosines(embeddings, centres), people, margins, 64.0)
    loss = functional.cross_entropy(logits, people) + 35 * length_penalty(lengths, *ENDS)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(embeddings.grad).all()
    assert torch.isfinite(centres.grad).all()


def test_slopes_are_those_of_differences(drawn):
    cosine, people = tensors(slow_cosines(*drawn[:2]), drawn[2])
    cosine = cosine.double().clamp(-0.9, 0.9).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: arcface_logits(c, people, 0.5, 4.0), (cosine,))
    margins = torch.rand(12, dtype=torch.float64, requires_grad=True)
    found = torch.autograd.gradcheck(
        lambda c, m: magface_logits(c, people, m, 4.0), (cosine, margins)
    )
    assert found
