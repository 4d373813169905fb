import tracemalloc
from collections import Counter

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.curves import threshold_at_fmr
from facegauge.evaluate.nonmated import (
    FmrThreshold,
    count_nonmated,
    exhaustive_threshold,
    sample_nonmated,
)


def exact(count: int, width: int = 6, seed: int = 0) -> np.ndarray:
    """Numbers whose products and sums are exact in float32, whatever the order: with many ties."""
    return np.random.default_rng(seed).integers(-4, 5, (count, width)).astype(np.float32) / 8


def names(count: int, each: int, seed: int = 0) -> list[str]:
    people = [f"p{number}" for number in range(count // each) for _ in range(each)]
    return np.random.default_rng(seed).permutation(people).tolist()


def slow_nonmated(values, people) -> list[float]:
    return [
        sum(float(x) * float(y) for x, y in zip(values[a], values[b], strict=True))
        for a in range(len(people))
        for b in range(a + 1, len(people))
        if people[a] != people[b]
    ]


@pytest.mark.parametrize("fmr", [0.001, 0.01, 0.07, 0.5, 0.95])
@pytest.mark.parametrize("block", [1, 7, 60, 1024])
def test_blocks_give_exactly_what_all_values_give(fmr, block):
    values, people = exact(60), names(60, 3)
    every = slow_nonmated(values, people)
    found = exhaustive_threshold(values, people, fmr, block=block)
    assert found.threshold == threshold_at_fmr(every, fmr)
    assert found.nonmated == len(every) == count_nonmated(people)
    assert found.exhaustive
    assert found.fmr == fmr


@pytest.mark.parametrize("seed", range(5))
def test_the_highest_are_kept_when_many_are_dropped(monkeypatch, seed):
    monkeypatch.setattr("facegauge.evaluate.nonmated._LEAST", 4)
    values, people = exact(90, seed=seed), names(90, 2, seed)
    every = slow_nonmated(values, people)
    for fmr in (0.001, 0.02, 0.4):
        found = exhaustive_threshold(values, people, fmr, block=8)
        assert found.threshold == threshold_at_fmr(every, fmr)


def test_random_embeddings_agree_with_all_values():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(300, 32))
    values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    people = names(300, 4)
    found = exhaustive_threshold(values, people, 0.001, block=64)
    every = np.array(slow_nonmated(values, people))
    assert found.threshold == pytest.approx(threshold_at_fmr(every, 0.001), abs=1e-6)
    assert np.mean(every >= found.threshold) <= 0.001 + 1 / every.size


def faces(count: int, width: int) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize(("fmr", "limit_mb"), [(1e-3, 40), (0.1, 70)])
def test_6000_faces_take_little_memory(fmr, limit_mb):
    """All 18 million similarities would be 72 MB as float32 and 144 MB as float64."""
    values, people = faces(6000, 16), names(6000, 5)
    tracemalloc.start()
    found = exhaustive_threshold(values, people, fmr)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nonmated == 6000 * 5995 // 2
    assert peak < limit_mb * 1e6
    assert peak < 16 * (found.nonmated * fmr + 1) + 32e6 + 16e6  # and the names


@pytest.mark.slow
def test_20000_faces_work():
    """All of them would be 1.6 GB as float64."""
    values, people = faces(20_000, 16), names(20_000, 5)
    tracemalloc.start()
    found = exhaustive_threshold(values, people, 1e-3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nonmated == 20_000 * 19_995 // 2
    assert peak < 60e6
    drawn = sample_nonmated(people, 200_000, 1).pairs
    looked = np.einsum("pd,pd->p", values[drawn.first], values[drawn.second])
    assert np.mean(looked >= found.threshold) == pytest.approx(1e-3, rel=0.3)


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (["a"], 0),
        (["a", "a", "a"], 0),
        (["a", "b"], 1),
        (["a", "b", "a", "c"], 5),
        (names(60, 3), 60 * 59 // 2 - 20 * 3),
    ],
)
def test_nonmated_pairs_are_counted(people, expected):
    slow = sum(
        people[a] != people[b] for a in range(len(people)) for b in range(a + 1, len(people))
    )
    assert count_nonmated(people) == expected == slow


@pytest.mark.parametrize(
    ("fmr", "people", "match"),
    [
        (0.0, names(20, 2), "between 0 and 1"),
        (1.0, names(20, 2), "between 0 and 1"),
        (float("nan"), names(20, 2), "between 0 and 1"),
        (1e-3, names(20, 2), "at least 1000 non-mated pairs, got 180"),
        (0.1, ["a"] * 20, "non-mated pairs, got 0"),
        (0.1, names(18, 2), "each of 20 faces, got 18"),
    ],
)
def test_what_gives_no_threshold_is_refused(fmr, people, match):
    with pytest.raises(InputError, match=match):
        exhaustive_threshold(exact(20), people, fmr)


def test_a_sample_is_of_different_nonmated_pairs():
    people = names(200, 5)
    found = sample_nonmated(people, 3000, seed=4)
    pairs = list(zip(found.pairs.first.tolist(), found.pairs.second.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) == 3000
    assert all(a < b and people[a] != people[b] for a, b in pairs)
    assert not found.all
    assert not found.pairs.mated.any()
    again = sample_nonmated(people, 3000, seed=4).pairs
    assert again.first.tobytes() == found.pairs.first.tobytes()
    other = sample_nonmated(people, 3000, seed=5).pairs
    assert other.first.tobytes() != found.pairs.first.tobytes()


def test_every_nonmated_pair_is_equally_likely():
    people = ["a", "a", "b", "c", "c", "c"]  # 11 non-mated pairs
    drawn = Counter()
    for seed in range(3000):
        pairs = sample_nonmated(people, 4, seed).pairs
        drawn.update(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(drawn) == 11
    assert min(drawn.values()) > 0.9 * 3000 * 4 / 11
    assert max(drawn.values()) < 1.1 * 3000 * 4 / 11


@pytest.mark.parametrize("count", [11, 12, 1000])
def test_no_more_are_drawn_than_there_are(count):
    people = ["a", "a", "b", "c", "c", "c"]
    found = sample_nonmated(people, count)
    pairs = set(zip(found.pairs.first.tolist(), found.pairs.second.tolist(), strict=True))
    assert found.all
    assert pairs == {(a, b) for a in range(6) for b in range(a + 1, 6) if people[a] != people[b]}


def test_one_stranger_among_many_is_found():
    people = ["a"] * 3000 + ["b"]
    found = sample_nonmated(people, 100, 0)
    assert set(found.pairs.second.tolist()) == {3000}
    assert len(set(found.pairs.first.tolist())) == 100


@pytest.mark.parametrize(("people", "count"), [(["a", "b"], 0), (["a", "a"], 5)])
def test_nothing_to_draw_is_refused(people, count):
    with pytest.raises(InputError, match="one non-mated pair or more"):
        sample_nonmated(people, count)


def test_a_threshold_of_given_values():
    values = np.round(np.random.default_rng(0).normal(size=500), 1)
    found = FmrThreshold.of(values, 0.01, exhaustive=False)
    assert found.threshold == threshold_at_fmr(values, 0.01)
    assert (found.nonmated, found.exhaustive) == (500, False)
