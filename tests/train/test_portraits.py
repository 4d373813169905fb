"""Portraits: the crops that visits see, counted out."""

from collections import Counter

import numpy as np
import pytest

from facegauge import alignment
from facegauge.train.faces import read_faces
from facegauge.train.portraits import Portraits, Sight
from facegauge.train.recipe_embedding import CrFiqa
from facegauge.train.views import Views
from facegauge.train.visits import Legs
from toy_faces import SIZE, toy_recipe


@pytest.fixture(scope="module")
def faces(data):
    return read_faces(data)


def made(faces, **changes):
    learned = np.array([3, 8, 5, 20])
    known = {"people": np.array([0, 1, 0, 2])}
    return Portraits(
        faces, learned, Sight(size=SIZE, seed=changes.pop("seed", 0), **changes), known
    )


def test_a_portrait_is_the_aligned_crop_or_its_mirror(faces):
    portraits = made(faces)
    mirrored = []
    for visit in range(12):
        found = portraits[visit]
        face = int(portraits.learned[portraits.place(visit)])
        crop = alignment.align(faces.pixels(face), faces.points(face), SIZE)
        upright = np.array_equal(found["pixels"], crop)
        assert upright or np.array_equal(found["pixels"], crop[:, ::-1])
        assert found["people"] == {3: 0, 8: 1, 5: 0, 20: 2}[face]
        mirrored.append(not upright)
    assert 0 < sum(mirrored) < 12


def test_each_turn_sees_each_face_once_in_its_own_order(faces):
    portraits = made(faces)
    turns = [[portraits.place(4 * turn + n) for n in range(4)] for turn in range(6)]
    assert all(Counter(turn) == Counter(range(4)) for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1


@pytest.mark.parametrize("change", [{"jitter": 0.1}, {"degraded": 1.0}])
def test_sloppiness_changes_the_crop_and_follows_from_the_visit(faces, change):
    plain, changed = made(faces), made(faces, **change)
    assert not np.array_equal(plain[0]["pixels"], changed[0]["pixels"])
    assert np.array_equal(changed[0]["pixels"], made(faces, **change)[0]["pixels"])
    other = made(faces, seed=1, **change)
    assert any(not np.array_equal(changed[n]["pixels"], other[n]["pixels"]) for n in range(4))


def test_the_reference_population_is_that_of_the_recipe_first(faces):
    """Clean and spoiled crops are views 0 and 1 there, so that scores mean the same."""
    views, sight = Views(faces=faces, recipe=toy_recipe()), Sight(size=SIZE, seed=0)
    for face in (0, 30):
        np.testing.assert_array_equal(sight.clean(faces, face), views.aligned(face, 0))
        np.testing.assert_array_equal(sight.spoiled(faces, face), views.aligned(face, 1))


def test_a_leg_is_handed_its_own_visits(faces):
    legs = Legs(CrFiqa(batch=2, steps=3), made(faces), workers=0)
    batches = list(legs.train_dataloader())
    assert len(batches) == 3
    assert batches[0]["pixels"].shape == (2, SIZE, SIZE, 3)
    np.testing.assert_array_equal(batches[2]["pixels"][1], legs.crops[5]["pixels"])
