"""Scenes without faces, with covered ones, degraded ones, and which photographs are shown."""

from collections import Counter

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.train import scene_effects, scenes
from facegauge.train.scene_effects import defocus, degrade
from facegauge.train.scenes import Settings, Studio
from toy_photographs import box_of, photograph

POINTS = 40 * np.array([(-0.5, -0.3), (0.5, -0.3), (0.0, 0.15), (-0.4, 0.65), (0.4, 0.65)]) + 90
BOX = box_of(POINTS)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def studio(photographs, backgrounds=(), **settings):
    """A studio of photographs and backgrounds with their pixels, as pairs."""
    none = {"mosaic": 0.0, "empty": 0.0, "degraded": 0.0, "covered": 0.0, "upright": 0.0}
    pictures, others = ([each for each, _ in pairs] for pairs in (photographs, backgrounds))
    made = Studio(pictures, others, Settings(**{**none, **settings}))
    made.shelf.kept.update({each.path: pixels for each, pixels in [*photographs, *backgrounds]})
    return made


def plain(colour, side=180):
    return np.full((side, side, 3), colour, np.uint8)


def known(seed=0, **about):
    """A photograph of one face in noise."""
    pixels = default_rng(seed).integers(0, 256, (180, 180, 3)).astype(np.uint8)
    return photograph([BOX], [POINTS], **about), pixels


def test_where_no_face_is_to_be_found_none_is_to_be_seen():
    """Two pictures that differ in the face only become the same scene."""
    chosen, pixels = known()
    masked = pixels.copy()
    x0, y0, x1, y1 = np.round(BOX).astype(int)
    masked[y0 : y1 + 1, x0 : x1 + 1] = 0
    varied = 0
    for seed in range(40):
        shown, hidden = (
            studio([(chosen, each)], empty=1.0).scene(128, default_rng(seed))
            for each in (pixels, masked)
        )
        assert shown.boxes.shape == (0, 4)
        assert shown.landmarks.shape == (0, 5, 2)
        assert shown.sure.shape == (0,)
        assert (shown.pixels == hidden.pixels).mean() > 0.999
        varied += len(np.unique(shown.pixels)) > 50
    assert varied > 30  # the rest of the picture is there


def test_the_share_of_scenes_without_a_face_is_what_is_asked_for():
    made = studio([known()], empty=0.3)
    count = sum(len(made.scene(64, default_rng(seed)).boxes) == 0 for seed in range(400))
    assert abs(count - 120) < 3 * np.sqrt(400 * 0.3 * 0.7)


def test_half_of_the_scenes_without_a_face_show_a_background():
    background = (photograph(name="b", table="bare"), plain(BLUE))
    chosen = (known()[0], plain(RED))
    made = studio([chosen], [background], empty=1.0)
    counts = Counter()
    for seed in range(200):
        pixels = made.scene(64, default_rng(seed)).pixels
        red, blue = ((pixels == colour).all(axis=2).sum() for colour in (RED, BLUE))
        counts["blue" if blue > red else "red"] += 1
    assert abs(counts["blue"] - 100) < 3 * np.sqrt(50)


def test_without_empty_scenes_no_background_is_shown():
    background = (photograph(name="b", table="bare"), plain(BLUE))
    made = studio([(known()[0], plain(RED))], [background])
    for seed in range(20):
        assert not (made.scene(64, default_rng(seed)).pixels == BLUE).all(axis=2).any()


def test_a_cover_lies_on_the_face_and_leaves_the_rest_as_it_is():
    pair, shares = known(), []
    for seed in range(60):
        bare, covered = (
            studio([pair], covered=share).scene(128, default_rng(seed)) for share in (0.0, 1.0)
        )
        np.testing.assert_array_equal(bare.boxes, covered.boxes)
        np.testing.assert_array_equal(bare.sure, covered.sure)
        changed = (bare.pixels != covered.pixels).any(axis=2)
        x0, y0, x1, y1 = bare.boxes[0]
        wide, high = 0.3 * (x1 - x0) + 1, 0.3 * (y1 - y0) + 1
        rows, columns = np.nonzero(changed)
        if bare.sure[0]:
            assert changed.any()
            assert columns.min() >= x0 - wide
            assert columns.max() <= x1 + wide
            assert rows.min() >= y0 - high
            assert rows.max() <= y1 + high
            shares.append(changed.sum() / ((x1 - x0) * (y1 - y0)))
    assert len(shares) > 40
    assert 0.05 < np.median(shares) < 0.6
    assert max(shares) < 0.7


def test_doubtful_faces_are_not_covered():
    pixels = known()[1]
    second = POINTS + (0, 2)
    chosen = photograph([BOX, box_of(second)], [POINTS, second], [True, False])
    for seed in range(20):
        made = studio([(chosen, pixels)], covered=1.0)
        calls = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scenes, "cover", lambda pixels, box, rng, c=calls: c.append(box))
            scene = made.scene(128, default_rng(seed))
        np.testing.assert_array_equal(np.reshape(calls, (-1, 4)), scene.boxes[scene.sure])


def test_the_share_of_degraded_scenes_is_what_is_asked_for(monkeypatch):
    calls = []
    monkeypatch.setattr(scenes, "degrade", lambda pixels, rng: calls.append(1) or pixels)
    made = studio([known()], degraded=0.25, mosaic=0.5)
    for seed in range(300):
        made.scene(64, default_rng(seed))
    assert abs(len(calls) - 75) < 3 * np.sqrt(300 * 0.25 * 0.75)


def test_degradation_changes_the_picture_alone():
    pair = known()
    changed = 0
    for seed in range(20):
        bare, spoiled = (
            studio([pair], degraded=share).scene(128, default_rng(seed)) for share in (0.0, 1.0)
        )
        np.testing.assert_array_equal(bare.boxes, spoiled.boxes)
        np.testing.assert_array_equal(bare.landmarks, spoiled.landmarks)
        np.testing.assert_array_equal(bare.sure, spoiled.sure)
        changed += (bare.pixels != spoiled.pixels).mean() > 0.01
    assert changed >= 19


@pytest.mark.parametrize("operation", scene_effects.OPERATIONS, ids=lambda o: o.__name__.strip("_"))
@pytest.mark.parametrize("shape", [(64, 64), (320, 320), (50, 80)])
def test_an_operation_keeps_shape_type_and_its_input(operation, shape):
    pixels = default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    before = pixels.copy()
    for seed in range(5):
        found = operation(pixels, default_rng(seed))
        assert found.shape == pixels.shape
        assert found.dtype == np.uint8
        assert (found != pixels).any()
        np.testing.assert_array_equal(found, operation(pixels, default_rng(seed)))
    np.testing.assert_array_equal(pixels, before)


def test_one_to_three_operations_are_drawn_in_the_order_in_which_a_picture_suffers(monkeypatch):
    drawn: list[int] = []
    monkeypatch.setattr(
        scene_effects,
        "OPERATIONS",
        tuple(lambda p, _, i=i: drawn.append(i) or p for i in range(len(scene_effects.OPERATIONS))),
    )
    counts, seen = Counter(), Counter()
    for seed in range(600):
        drawn.clear()
        degrade(plain(RED, 8), default_rng(seed))
        assert drawn == sorted(set(drawn))
        counts[len(drawn)] += 1
        seen.update(drawn)
    assert set(counts) == {1, 2, 3}
    assert min(counts.values()) > 150
    assert set(seen) == set(range(len(scene_effects.OPERATIONS)))


def test_every_table_is_shown_as_often_as_the_others():
    many = [(known(name=f"{i}", table="many")[0], plain(RED)) for i in range(9)]
    few = [(known(name="0", table="few")[0], plain(BLUE))]
    made = studio([*many, *few])
    seen = Counter()
    for seed in range(300):
        pixels = made.scene(64, default_rng(seed)).pixels
        seen[bool((pixels == BLUE).all(axis=2).any())] += 1
    assert abs(seen[True] - 150) < 3 * np.sqrt(75)


@pytest.mark.parametrize(
    ("tables", "share"), [({"few": 3.0}, 0.75), ({"many": 3.0, "few": 1.0}, 0.25)]
)
def test_a_table_is_shown_by_its_share(tables, share):
    many = [(known(name=f"{i}", table="many")[0], plain(RED)) for i in range(3)]
    few = [(known(name="0", table="few")[0], plain(BLUE))]
    unseen = [(photograph([BOX], [POINTS], [False], table="doubtful"), plain(RED))]
    made = studio([*many, *unseen, *few], tables={**tables, "absent": 9.0, "doubtful": 9.0})
    count = sum(
        (made.scene(64, default_rng(seed)).pixels == BLUE).all(axis=2).any() for seed in range(400)
    )
    assert abs(count - 400 * share) < 3 * np.sqrt(400 * share * (1 - share))


def test_photographs_without_a_sure_face_are_not_shown():
    doubtful = (photograph([BOX], [POINTS], [False], name="d"), plain(BLUE))
    nobody = (photograph(name="n"), plain(BLUE))
    elsewhere = (photograph([BOX], [POINTS], [False], table="doubtful"), plain(BLUE))
    made = studio([doubtful, nobody, elsewhere, (known()[0], plain(RED))], empty=0.3)
    for seed in range(30):
        assert not (made.scene(64, default_rng(seed)).pixels == BLUE).all(axis=2).any()


@pytest.mark.parametrize(("hard", "share"), [(1.0, 1 / 2), (4.0, 4 / 5)])
def test_the_least_sure_faces_are_looked_at_more_often(hard, share):
    shown = [
        photograph([BOX], [POINTS], name="a", confidence=[0.8]),
        photograph([BOX], [POINTS], name="b", confidence=[0.5]),
    ]
    made = studio([(shown[0], np.zeros((100, 100, 3), np.uint8))], hard=hard)
    settings = made.settings
    both = Studio(shown, [], settings)
    np.testing.assert_allclose(both.draws, [[1 - share, share]])
    assert both.hardness[shown[1].path].tolist() == [hard]


def test_a_photograph_with_many_faces_is_seen_as_often_as_its_faces_together():
    shown = [
        photograph([BOX] * 3, [POINTS] * 3, [True, True, False], name="a"),
        photograph([BOX], [POINTS], name="b"),
    ]
    settings = studio([(shown[1], known()[1])], hard=3.0).settings
    both = Studio(shown, [], settings)
    np.testing.assert_allclose(both.draws, [[2 / 3, 1 / 3]])
    assert both.hardness[shown[0].path].tolist() == [1, 1, 0]


def test_defocus_is_stronger_for_larger_faces_and_hits_the_share_that_is_asked_for():
    chosen, pixels = known()
    texture = default_rng(0).integers(0, 256, pixels.shape, dtype=np.uint8)
    spread = [defocus(texture, apart, default_rng(1)).std() for apart in (5.0, 20.0, 80.0)]
    assert texture.std() > spread[0] > 1.2 * spread[1] > 1.44 * spread[2]
    sharp = studio([(chosen, texture)], defocused=0.0)
    soft = studio([(chosen, texture)], defocused=1.0)
    for seed in range(5):
        one, other = (each.scene(96, default_rng(seed)) for each in (sharp, soft))
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert other.pixels.std() < one.pixels.std()
