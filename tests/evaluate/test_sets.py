from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError
from facegauge.evaluate.pairs import Pairs
from facegauge.evaluate.sets import BenchmarkSet, Layout, Templates


def some(**changes) -> BenchmarkSet:
    fields = {
        "name": "toy",
        "layout": Layout.FOLDER,
        "names": ("a", "b", "c"),
        "images": (b"1", b"2", b"3"),
    }
    return BenchmarkSet(**{**fields, **changes})


def pairs(*indices) -> Pairs:
    return Pairs(
        first=[i for i, _ in indices], second=[j for _, j in indices], mated=[0] * len(indices)
    )


TEMPLATES = Templates(
    ids=np.array([4, 8]), of_picture=np.int32([0, 1, 1]), media=np.int32([1, 1, 2])
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, nullcontext()),
        ({"pairs": pairs((0, 2))}, nullcontext()),
        ({"pairs": pairs((0, 3))}, pytest.raises(InputError, match="among 3 of toy")),
        ({"pairs": pairs((0, 1)), "templates": TEMPLATES}, nullcontext()),
        (
            {"pairs": pairs((0, 2)), "templates": TEMPLATES},
            pytest.raises(InputError, match="among 2 of toy"),
        ),
        ({"images": (b"1",)}, pytest.raises(InputError, match="every picture")),
        ({"identities": ("x", "y")}, pytest.raises(InputError, match="every picture")),
        ({"folds": np.int32([0])}, pytest.raises(InputError, match="every picture")),
        ({"names": ("a", "b", "a")}, pytest.raises(InputError, match="2 different names")),
        ({"names": (), "images": ()}, pytest.raises(InputError, match="0 different names")),
    ],
)
def test_a_set_fits_together(changes, expected):
    with expected:
        assert len(some(**changes)) == 3


def test_pictures_come_with_their_names():
    assert [(each.name, each.source) for each in some().pictures()] == [
        ("a", b"1"),
        ("b", b"2"),
        ("c", b"3"),
    ]


def slow_pooled(values, rows, templates) -> dict[str, list[float]]:
    """By definition: the mean of each medium, their sum, length 1."""
    result = {}
    for number, name in enumerate(templates.names):
        media = {}
        for picture, template in enumerate(templates.of_picture):
            if template == number and rows[picture] >= 0:
                media.setdefault(int(templates.media[picture]), []).append(values[rows[picture]])
        if media:
            total = sum(np.mean(np.float64(frames), axis=0) for frames in media.values())
            result[name] = total / np.sqrt((total**2).sum())
    return result


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("width", [3, 5])
def test_templates_are_pooled_by_media(seed, width, monkeypatch):
    rng = np.random.default_rng(seed)
    count = 200
    templates = Templates(
        ids=np.sort(rng.choice(1000, 30, replace=False)),
        of_picture=rng.integers(0, 30, count).astype(np.int32),
        media=rng.integers(0, 4, count).astype(np.int32),
    )
    names = tuple(f"{i}.jpg" for i in range(count))
    there = rng.permutation(count)[: 60 if seed else count]
    found = Embeddings.normalised(
        [names[i] for i in there], rng.normal(size=(len(there), width)) + 0.1
    )
    pooled = templates.pooled(found, names)
    slow = slow_pooled(found.values, found.rows(names), templates)
    assert pooled.paths == tuple(slow)
    assert pooled.values == pytest.approx(np.array(list(slow.values())), abs=1e-6)


def test_many_pictures_are_pooled_in_parts():
    """Half a million numbers of one template, and many templates of one picture."""
    rng = np.random.default_rng(0)
    count, width = 3000, 512
    of_picture = np.minimum(np.arange(count) // 2, 400).astype(np.int32)
    templates = Templates(
        ids=np.arange(401) * 3,
        of_picture=of_picture,
        media=rng.integers(0, 9, count).astype(np.int32),
    )
    names = tuple(map(str, range(count)))
    found = Embeddings.normalised(names, rng.normal(size=(count, width)))
    slow = slow_pooled(found.values, np.arange(count), templates)
    pooled = templates.pooled(found, names)
    assert pooled.values == pytest.approx(np.array(list(slow.values())), abs=1e-6)


def test_without_an_embedding_there_is_no_template():
    none = Embeddings(paths=(), values=np.empty((0, 0), np.float32))
    assert len(TEMPLATES.pooled(none, ("a", "b", "c"))) == 0
    opposite = Embeddings.normalised(["b", "c"], [[1.0, 0.0], [-1.0, 0.0]])
    assert TEMPLATES.pooled(opposite, ("a", "b", "c")).paths == ()
