"""SDD-FIQA against scipy's distance and loops; what is drawn; rounds of a fixed seed."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from facegauge.errors import InputError
from facegauge.techniques import sdd_fiqa
from facegauge.techniques.people import people_of
from facegauge.techniques.sdd_fiqa import SddFiqa, SddFiqaLabels, draw, drawn_pairs, wasserstein
from toy_measured import parts, people, shuffled


def labelled(measured, who, seed=0, **constants) -> dict[str, float]:
    technique = SddFiqaLabels(recogniser=None, seed=seed, constants=SddFiqa(**constants))
    labels = technique.labels(measured, who)
    return dict(zip(labels.paths, labels.values.tolist(), strict=True))


def test_against_loops(monkeypatch):
    """The same draws, everything else written out."""
    monkeypatch.setattr(sdd_fiqa, "_AT_A_TIME", 500)
    measured, who = people()
    embeddings, _ = parts(measured)
    group = people_of(measured, who)
    judged = np.flatnonzero(group.own_count > 1)
    rounds = []
    for number in range(3):
        pairs = drawn_pairs(group, judged, 24, np.random.default_rng((7, number)))
        distances = []
        for at, *drawn in zip(judged, *pairs, strict=True):
            own = embeddings[group.rows[at]]
            samples = [[own @ embeddings[group.rows[i]] for i in each] for each in drawn]
            distances.append(wasserstein_distance(*samples))
        low, high = min(distances), max(distances)
        rounds.append([100 * (each - low) / (high - low) for each in distances])
    expected = {
        measured.paths[group.rows[at]]: sum(each[i] for each in rounds) / 3
        for i, at in enumerate(judged)
    }
    assert labelled(measured, who, seed=7, rounds=3) == pytest.approx(expected)


def test_pairs_are_of_the_right_people():
    measured, who = people()
    group = people_of(measured, who)
    judged = np.flatnonzero(group.own_count > 1)
    same, other = drawn_pairs(group, judged, 24, np.random.default_rng(0))
    owner = np.array([who[measured.paths[row]] for row in group.rows])
    assert (owner[same] == owner[judged][:, None]).all()
    assert (same != judged[:, None]).all()
    assert (owner[other] != owner[judged][:, None]).all()
    thirty = group.own_count[judged] == 30
    assert all(len(set(row)) == 24 for row in same[thirty].tolist())
    assert all(len(set(row)) < 24 for row in same[~thirty].tolist())


@pytest.mark.parametrize("size", [1, 4, 5, 6, 40])
def test_every_number_is_drawn_as_often(size):
    found = draw(np.full(4000, size), 5, np.random.default_rng(0))
    assert found.min() == 0
    assert found.max() == size - 1
    if size >= 5:
        assert all(len(set(row)) == 5 for row in found.tolist())
    share = np.bincount(found.ravel(), minlength=size) / found.size
    assert share == pytest.approx(1 / size, abs=0.015)


def test_the_distance_is_scipy_s():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, (20, 9)), rng.normal(0.5, 2, (20, 9))
    expected = [wasserstein_distance(x, y) for x, y in zip(a, b, strict=True)]
    assert wasserstein(a, b) == pytest.approx(expected)


def test_order_changes_nothing_and_the_seed_something():
    measured, who = people()
    found = labelled(measured, who)
    assert labelled(shuffled(measured), who) == pytest.approx(found)
    assert labelled(measured, who, seed=1) != pytest.approx(found, abs=0.1)
    assert 0 <= min(found.values()) <= max(found.values()) <= 100


def test_nobody_is_known_or_everybody_is_one():
    measured, who = people((3, 2))
    with pytest.raises(InputError, match="got 0 for 5 pictures"):
        labelled(measured, {})
    with pytest.raises(InputError, match="got 1 for 5 pictures"):
        labelled(measured, dict.fromkeys(who, "one"))


def test_everybody_has_one_picture():
    measured, who = people((1, 1, 1))
    labels = SddFiqaLabels(recogniser=None).labels(measured, who)
    assert labels.paths == ()
    assert len(labels.left_out) == 3
