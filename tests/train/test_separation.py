"""Separation of people, against counting pair by pair."""

import numpy as np
import pytest

from facegauge.train.separation import (
    area_under_roc,
    own_centre_cosines,
    pair_cosines,
    true_match_rate,
)


@pytest.fixture
def drawn():
    rng = np.random.default_rng(3)
    people = rng.integers(0, 5, 30)
    people[-1] = 9  # alone
    vectors = rng.normal(size=(10, 4))[people] + 0.8 * rng.normal(size=(30, 4))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), people


def counted(embeddings, people):
    mated, others = [], []
    for i in range(len(people)):
        for j in range(i + 1, len(people)):
            cosine = float(sum(a * b for a, b in zip(embeddings[i], embeddings[j], strict=True)))
            (mated if people[i] == people[j] else others).append(cosine)
    return mated, others


def test_pairs_are_counted_once_each(drawn):
    for found, wanted in zip(pair_cosines(*drawn), counted(*drawn), strict=True):
        np.testing.assert_allclose(np.sort(found), np.sort(wanted))


def test_the_area_is_the_chance_that_mated_is_more_similar(drawn):
    mated, others = (np.round(each, 1) for each in counted(*drawn))  # with ties
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in mated for b in others]
    assert area_under_roc(mated, others) == pytest.approx(np.mean(wins))
    assert area_under_roc(np.array([2.0]), others) == 1.0
    assert area_under_roc(np.array([-2.0]), others) == 0.0


@pytest.mark.parametrize("fmr", [0.0, 0.01, 0.1])
def test_no_more_non_mated_pairs_pass_than_allowed(drawn, fmr):
    mated, others = pair_cosines(*drawn)
    ordered = sorted(others.tolist(), reverse=True)
    threshold = ordered[int(fmr * len(ordered))]
    assert (others > threshold).mean() <= fmr
    wanted = sum(each > threshold for each in mated) / len(mated)
    assert true_match_rate(mated, others, fmr) == pytest.approx(wanted)


def test_the_own_centre_is_that_of_the_other_pictures(drawn):
    embeddings, people = drawn
    found = own_centre_cosines(embeddings, people)
    for row, person in enumerate(people):
        others = [e for i, e in enumerate(embeddings) if people[i] == person and i != row]
        if not others:
            assert np.isnan(found[row])
            continue
        centre = np.mean(others, axis=0)
        wanted = embeddings[row] @ centre / np.linalg.norm(centre)
        assert found[row] == pytest.approx(wanted)
    assert np.isnan(found[-1])
