"""What the student sees: the clean crop, degraded views that never change, sloppy cuts that do."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge import alignment
from facegauge.alignment import Similarity
from facegauge.train.degradation import degrade
from facegauge.train.faces import read_faces
from facegauge.train.views import Views, loosened
from toy_faces import SIZE, toy_recipe


@pytest.fixture(scope="module")
def views(data):
    return Views(faces=read_faces(data), recipe=toy_recipe("views=4"))


def exact(views):
    """The same views without jitter and loose crops."""
    return replace(views, recipe=replace(views.recipe, jitter=0.0, loose=0.0))


def same(first, second):
    return first.shape == second.shape and bool((first == second).all())


@pytest.mark.parametrize("size", [SIZE, 112])
def test_view_0_is_the_aligned_crop(views, size):
    sized = replace(views, recipe=replace(views.recipe, size=size))
    for face in (0, 40):
        wanted = alignment.align(views.faces.pixels(face), views.faces.points(face), size)
        assert wanted.shape == (size, size, 3)
        np.testing.assert_array_equal(sized.aligned(face, 0), wanted)


def test_other_views_are_degraded_by_seed_face_and_view(views):
    for face, view in [(0, 1), (0, 2), (5, 1)]:
        wanted = degrade(views.aligned(face, 0), default_rng((0, 0, face, view)))
        np.testing.assert_array_equal(views.aligned(face, view), wanted)
        assert not same(wanted, views.aligned(face, 0))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("batch=7", True),
        ("views=2", True),
        ("jitter=0.3", True),
        ("loose=1", True),
        ("steps=9", True),
        ("seed=1", False),
    ],
)
def test_degraded_views_depend_on_the_seed_alone(views, change, kept):
    other = replace(views, recipe=toy_recipe(change))
    assert same(other.aligned(3, 1), views.aligned(3, 1)) == kept


def test_degradation_depends_on_view_and_face(views):
    seen = [views.aligned(2, view) for view in range(4)]
    assert not any(same(seen[i], seen[j]) for i in range(4) for j in range(i))


def test_a_visit_can_be_repeated(views):
    for visit in range(5):
        np.testing.assert_array_equal(views.visited(1, 1, visit), views.visited(1, 1, visit))


def test_visits_of_one_view_differ(views):
    seen = [views.visited(1, 0, visit) for visit in range(6)]
    assert not any(same(seen[i], seen[j]) for i in range(6) for j in range(i))


def test_visits_do_not_depend_on_what_was_drawn_before(views):
    alone = views.visited(4, 1, 100)
    for visit in range(3):
        views.visited(0, 0, visit)
    np.testing.assert_array_equal(views.visited(4, 1, 100), alone)


def test_an_exact_visit_is_the_view_or_its_mirror_image(views):
    found = {False: 0, True: 0}
    for visit in range(60):
        crop, wanted = exact(views).visited(3, 1, visit), views.aligned(3, 1)
        mirrored = same(crop, wanted[:, ::-1])
        assert mirrored or same(crop, wanted)
        found[mirrored] += 1
    assert 15 <= found[True] <= 45  # expected 30, standard deviation 3.9


def test_without_jitter_loose_crops_come_as_often_as_the_recipe_says(views):
    half = replace(views, recipe=replace(views.recipe, jitter=0.0, loose=0.5))
    wanted = views.aligned(3, 0)
    crops = [half.visited(3, 0, visit) for visit in range(100)]
    loose = sum(not same(c, wanted) and not same(c, wanted[:, ::-1]) for c in crops)
    assert 35 <= loose <= 65  # expected 50, standard deviation 5


def test_jitter_moves_the_crop_by_less_than_its_half_width(views):
    assert same(exact(views).jittered(3), views.aligned(3, 0))
    assert not same(views.jittered(3), views.aligned(3, 0))
    np.testing.assert_array_equal(views.jittered(3), views.jittered(3))
    close = np.abs(views.jittered(3).astype(float) - views.aligned(3, 0)).mean()
    other = np.abs(views.jittered(3).astype(float) - views.aligned(40, 0)).mean()
    assert close < 0.5 * other


def test_a_crop_from_further_off_keeps_the_face_in_sight():
    size = 112
    base = Similarity(a=0.8, b=0.3, x_shift=-20.0, y_shift=11.0)
    offset = np.array([size / 2, size / 2, 1.0])
    inverse = np.linalg.inv(np.vstack([base.matrix(), [0, 0, 1]]))
    middle = (inverse @ offset)[:2]  # the point of the picture in the middle of the tight crop
    zooms, angles, shifts = [], [], []
    for seed in range(500):
        found = loosened(base, size, default_rng(seed))
        zooms.append(found.scale / base.scale)
        angles.append(np.arctan2(found.b, found.a) - np.arctan2(base.b, base.a))
        shifts.append(found.apply(middle[None])[0] - size / 2)
    assert 0.45 <= min(zooms) < 0.48
    assert 1.02 < max(zooms) <= 1.05
    assert -10 <= np.degrees(min(angles)) < -9
    assert 9 < np.degrees(max(angles)) <= 10
    assert 0.065 * size < np.abs(shifts).max() <= 0.07 * size
