import numpy as np
import pytest

from facegauge.curation import apart
from facegauge.curation.apart import far_apart


def unit(count: int, width: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def slow(vectors, rows, bound):
    kept = []
    for row in rows:
        if all(float(vectors[row] @ vectors[other]) <= bound for other in kept):
            kept.append(row)
    return [row in kept for row in rows]


@pytest.mark.parametrize(("block", "chunk"), [(1, 1), (7, 5), (16, 64), (1024, 8192)])
@pytest.mark.parametrize("bound", [-0.2, 0.3, 0.6, 0.9])
def test_blocks_do_what_a_loop_over_pairs_does(monkeypatch, block, chunk, bound):
    monkeypatch.setattr(apart, "BLOCK", block)
    monkeypatch.setattr(apart, "CHUNK", chunk)
    vectors = unit(90, 4, seed=1)
    rows = np.random.default_rng(2).permutation(90)[:70]
    assert far_apart(vectors, rows, bound).tolist() == slow(vectors, rows, bound)


def test_what_stays_is_apart_and_what_leaves_is_near_to_it():
    vectors = unit(300, 3, seed=3)
    stays = far_apart(vectors, np.arange(300), 0.8)
    cosines = vectors[~stays] @ vectors[stays].T
    assert (cosines.max(axis=1) > 0.8).all()
    own = vectors[stays] @ vectors[stays].T - 2 * np.eye(stays.sum(), dtype=np.float32)
    assert own.max() <= 0.8
    assert stays[0]


def test_a_cosine_at_the_bound_is_not_above_it():
    vectors = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    assert far_apart(vectors, np.arange(3), 0.0).tolist() == [True, True, False]


def test_of_none():
    assert far_apart(unit(3, 2, 0), np.empty(0, np.int64), 0.5).size == 0
