import math

import numpy as np
import pytest

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError
from facegauge.evaluate.curves import compare_all, threshold_at_fmr
from facegauge.evaluate.pairs import Pairs
from facegauge.evaluate.recognition import (
    compare_pairs,
    compare_people,
    compare_set,
    identities_of,
    mated_pairs,
    similarities,
)
from facegauge.evaluate.sets import BenchmarkSet, Layout, Templates


def people(count: int = 40, each: int = 3, width: int = 16) -> tuple[Embeddings, list[str]]:
    rng = np.random.default_rng(2)
    centres = np.repeat(rng.normal(size=(count, width)), each, axis=0)
    order = rng.permutation(count * each)
    values = (centres + rng.normal(0, 0.8, centres.shape))[order]
    names = np.repeat([f"p{number}" for number in range(count)], each)[order].tolist()
    return Embeddings.normalised([f"{i}.jpg" for i in range(len(names))], values), names


def cosine(one, other) -> float:
    one, other = one.astype(float).tolist(), other.astype(float).tolist()
    dot = sum(x * y for x, y in zip(one, other, strict=True))
    return dot / math.hypot(*one) / math.hypot(*other)


@pytest.mark.parametrize("gathered", [1, 40, 1 << 21])
def test_similarities_are_cosines(monkeypatch, gathered):
    monkeypatch.setattr("facegauge.evaluate.recognition._GATHERED", gathered)
    found, _ = people(5)
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 15, (2, 50))
    values = similarities(found, first, second)
    assert values.dtype == np.float64
    slow = [cosine(found.values[a], found.values[b]) for a, b in zip(first, second, strict=True)]
    assert values == pytest.approx(slow, abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second"), [([0], [15]), ([-1], [0]), ([0, 1], [0]), ([[0]], [[1]])]
)
def test_pairs_are_of_rows_that_are_there(first, second):
    with pytest.raises(InputError, match="Expected"):
        similarities(people(5)[0], first, second)


def test_no_pairs_have_no_similarities():
    assert similarities(people(5)[0], [], []).shape == (0,)


@pytest.mark.parametrize(
    "names", [["a"], ["a", "b"], ["a", "a"], ["c", "a", "b", "a", "c", "c", "a", "d"]]
)
def test_all_mated_pairs_of_identities(names):
    found = mated_pairs(names)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    count = len(names)
    assert pairs == [
        (a, b) for a in range(count) for b in range(a + 1, count) if names[a] == names[b]
    ]
    assert found.mated.all()
    assert found.first.dtype == found.second.dtype == np.int32


def test_many_people_have_their_mated_pairs():
    rng = np.random.default_rng(1)
    names = [f"p{number}" for number in rng.integers(0, 60, 300)]
    found = mated_pairs(names)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == [(a, b) for a in range(300) for b in range(a + 1, 300) if names[a] == names[b]]


def test_all_people_are_compared_as_in_full():
    found, names = people()
    matching = compare_people(found, names, fmr=0.01)
    full = compare_all(found.values, names, fmr=0.01)
    assert matching.first.tolist() == full.first.tolist()
    assert matching.second.tolist() == full.second.tolist()
    assert matching.similarity == pytest.approx(full.similarity, abs=1e-6)
    assert matching.threshold == pytest.approx(full.threshold, abs=1e-6)
    assert matching.nonmated == 120 * 119 // 2 - 40 * 3
    assert matching.exhaustive
    assert matching.faces == 120
    wrong = sum(value < matching.threshold for value in matching.similarity)
    assert matching.fnmr == wrong / 120


def test_a_sample_of_nonmated_pairs_is_reproducible_and_near():
    found, names = people(120)
    full = compare_people(found, names, fmr=0.01)
    one = compare_people(found, names, fmr=0.01, sample=20_000, seed=3)
    same = compare_people(found, names, fmr=0.01, sample=20_000, seed=3)
    assert (one.nonmated, one.exhaustive) == (20_000, False)
    assert one.threshold == same.threshold
    assert one.threshold == pytest.approx(full.threshold, abs=0.03)
    everything = compare_people(found, names, fmr=0.01, sample=10**6)
    assert everything.exhaustive
    assert everything.threshold == pytest.approx(full.threshold, abs=1e-6)
    assert everything.nonmated == full.nonmated


def test_identities_come_from_a_table_by_path():
    found, names = people(4)
    table = {f"./{path}": name for path, name in zip(found.paths, names, strict=True)}
    table["other.jpg"] = "nobody"
    assert identities_of(found, table) == tuple(names)
    by_table = compare_people(found, table, fmr=0.1)
    assert by_table.threshold == compare_people(found, names, fmr=0.1).threshold
    del table["./7.jpg"]
    with pytest.raises(InputError, match=r"1 are not in the table, the first '7\.jpg'"):
        identities_of(found, table)
    with pytest.raises(InputError, match="each of 12 faces, got 11"):
        identities_of(found, names[:-1])


def given(count: int, faces: int) -> Pairs:
    rng = np.random.default_rng(5)
    first = rng.integers(0, faces - 1, count)
    return Pairs(
        first=first,
        second=first + 1,
        mated=rng.random(count) < 0.5,
        fold=np.arange(count) % 10,
    )


def test_given_pairs_have_the_threshold_of_their_own_nonmated_ones():
    found, _ = people()
    pairs = given(400, 120)
    compared = compare_pairs(found, pairs)
    matching = compared.at_fmr(0.05)
    every = [
        (cosine(found.values[a], found.values[b]), mated)
        for a, b, mated in zip(pairs.first, pairs.second, pairs.mated, strict=True)
    ]
    nonmated = [value for value, mated in every if not mated]
    assert matching.threshold == pytest.approx(threshold_at_fmr(nonmated, 0.05), abs=1e-6)
    assert matching.similarity == pytest.approx([v for v, mated in every if mated], abs=1e-6)
    assert matching.first.tolist() == pairs.first[pairs.mated].tolist()
    assert (matching.nonmated, matching.exhaustive) == (len(nonmated), True)


def test_the_curves_take_what_was_compared():
    found, names = people()
    compared = compare_pairs(found, given(400, 120)).for_curves()
    assert (compared.samples, len(compared)) == (120, 400)
    mated = compare_people(found, names, fmr=0.01).for_curves()
    assert mated.mated.all()
    assert len(mated) == 120


def benchmark(**changes) -> BenchmarkSet:
    fields = {
        "name": "toy",
        "layout": Layout.FOLDER,
        "names": ("a", "b", "c", "d"),
        "images": (b"a", b"b", b"c", b"d"),
        "pairs": Pairs(first=[0, 1, 2, 0], second=[1, 2, 3, 3], mated=[1, 0, 1, 0]),
    }
    return BenchmarkSet(**{**fields, **changes})


def test_a_set_is_compared_by_its_names():
    """Embeddings come in another order, and of b there is none."""
    found, _ = people(2)
    found = Embeddings(paths=("d", "x", "c", "a"), values=found.values[:4])
    compared = compare_set(found, benchmark())
    assert compared.pairs.first.tolist() == [2, 3]
    assert compared.pairs.second.tolist() == [0, 0]
    assert (compared.pairs.absent_mated, compared.pairs.absent_nonmated) == (1, 1)
    assert compared.similarity[0] == pytest.approx(cosine(found.values[2], found.values[0]))


def test_templates_are_compared_after_pooling():
    found, _ = people(2)
    found = Embeddings(paths=("a", "b", "c", "d"), values=found.values[:4])
    templates = Templates(
        ids=np.array([7, 9]), of_picture=np.int32([0, 0, 1, 0]), media=np.int32([1, 1, 1, 2])
    )
    pairs = Pairs(first=[0], second=[1], mated=[True])
    compared = compare_set(found, benchmark(templates=templates, pairs=pairs))
    a, b, c, d = found.values.astype(np.float64)
    assert compared.faces == 2
    assert compared.similarity[0] == pytest.approx(cosine((a + b) / 2 + d, c), abs=1e-6)


def test_a_set_without_pairs_has_nothing_to_compare():
    with pytest.raises(InputError, match="compare_people"):
        compare_set(people(2)[0], benchmark(pairs=None))
