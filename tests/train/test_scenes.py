"""Scenes: faces are where the picture shows them.

A picture is drawn twice, with and without a mark; the mark is where two scenes of one generator
differ, whatever else was drawn.
"""

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.train.scenes import (
    NARROWEST,
    SMALLEST_SIDE,
    VISIBLE,
    WIDEST,
    Settings,
    Studio,
    _joined,
    _moved_faces,
)
from facegauge.train.scenes import Scene as Part
from toy_photographs import box_of, photograph

SHAPE = np.array([(-0.5, -0.3), (0.5, -0.3), (0.0, 0.15), (-0.4, 0.65), (0.4, 0.65)])
SIDE = 128


def face(apart, middle):
    """Landmarks of a face with this inter-eye distance in pixels."""
    return np.array(middle) + apart * SHAPE


def studio(shown, **settings):
    """A studio of photographs with their pixels, a list of pairs; nothing is drawn unless told."""
    none = {"mosaic": 0.0, "empty": 0.0, "degraded": 0.0, "covered": 0.0, "upright": 0.0}
    made = Studio([each for each, _ in shown], [], Settings(**{**none, **settings}))
    made.shelf.kept.update({each.path: pixels for each, pixels in shown})
    return made


def mark(chosen, seed, content, **settings):
    """Where a scene shows the content of a picture, 0..1, S×S; and the scene's faces."""
    scenes = [
        studio([(chosen, np.repeat(pixels[:, :, None], 3, axis=2))], **settings).scene(
            SIDE, default_rng(seed)
        )
        for pixels in (np.round(255 * content).astype(np.uint8), np.zeros(content.shape, np.uint8))
    ]
    return (scenes[0].pixels[:, :, 0] - scenes[1].pixels[:, :, 0].astype(float)) / 255, scenes[0]


def spot(shape, point, sigma):
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((xs - point[0]) ** 2 + (ys - point[1]) ** 2) / (2 * sigma**2))


def centroid(shown):
    ys, xs = np.mgrid[: shown.shape[0], : shown.shape[1]]
    return np.array([(xs * shown).sum(), (ys * shown).sum()]) / shown.sum()


def rectangle(shape, box):
    """A filled box whose borders lie between pixels."""
    content = np.zeros(shape)
    x0, y0, x1, y1 = (np.array(box) + 0.5).astype(int)
    content[y0:y1, x0:x1] = 1
    return content


@pytest.mark.parametrize("upright", [0.0, 25.0])
@pytest.mark.parametrize(("shape", "apart"), [((420, 380), 120), ((200, 240), 50), ((80, 90), 16)])
def test_landmarks_are_where_the_picture_shows_them(shape, apart, upright):
    points = face(apart, (shape[1] / 2 + 0.3, shape[0] / 2 - 0.2))
    chosen = photograph([box_of(points)], [points])
    checked, reduced, mirrored = 0, 0, 0
    for seed in range(24):
        scene = mark(chosen, seed, np.zeros(shape), upright=upright)[1]
        found = scene.landmarks[0]
        scale = np.linalg.norm(found[1] - found[0]) / apart
        across, down = found[1] - found[0], found[3] - found[0]
        assert across[0] * down[1] > across[1] * down[0]  # left and right as the picture shows it
        margin = 4 * apart / 14 * scale + 1
        if (found < margin).any() or (found > SIDE - 1 - margin).any():
            continue
        places = np.array(
            [
                centroid(mark(chosen, seed, spot(shape, point, apart / 14), upright=upright)[0])
                for point in points
            ]
        )
        swapped = np.linalg.norm(places[1] - found[0]) < np.linalg.norm(places[0] - found[0])
        order = [1, 0, 2, 4, 3] if swapped else [0, 1, 2, 3, 4]
        np.testing.assert_allclose(found, places[order], atol=0.2)
        checked, reduced, mirrored = checked + 1, reduced + (scale < 0.6), mirrored + swapped
    assert checked >= 6
    assert 0 < mirrored < checked
    assert reduced == checked if apart == 120 else reduced < checked


@pytest.mark.parametrize(
    ("shape", "apart", "box"),
    [((420, 380), 100, (99.5, 80.5, 299.5, 330.5)), ((90, 110), 8, (30.5, 20.5, 69.5, 70.5))],
)
def test_boxes_are_where_the_picture_shows_them_and_cut_ones_are_doubtful(shape, apart, box):
    """Whether a face counts is measured by the share of it that is seen.

    The landmarks lie in a corner of the box, so that much of it often lies outside.
    """
    points = face(apart, (0.7 * box[0] + 0.3 * box[2], 0.7 * box[1] + 0.3 * box[3]))
    chosen, content = photograph([box], [points]), rectangle(shape, box)
    whole, outcomes = 0, []
    for seed in range(80):
        shown, scene = mark(chosen, seed, content)
        scale = np.linalg.norm(scene.landmarks[0][1] - scene.landmarks[0][0])
        scale /= np.linalg.norm(points[1] - points[0])
        seen = shown.sum() / (content.sum() * scale**2)
        x0, y0, x1, y1 = scene.boxes[0]
        np.testing.assert_allclose(
            [x0 + x1, y0 + y1], 2 * centroid(shown), atol=2 * max(0.2, 0.15 * scale)
        )
        assert shown.max(axis=0).sum() == pytest.approx(x1 - x0, abs=max(1.0, scale))
        assert shown.max(axis=1).sum() == pytest.approx(y1 - y0, abs=max(1.0, scale))
        whole += seen > 0.98
        if min(x1 - x0, y1 - y0) > SMALLEST_SIDE and abs(seen - VISIBLE) > 0.02:
            assert scene.sure[0] == (seen > VISIBLE)
            outcomes.append(scene.sure[0])
    assert whole > 10
    assert 0 < sum(outcomes) < len(outcomes)


def test_a_face_that_is_hardly_seen_is_left_out_and_a_tiny_one_is_doubtful():
    boxes = [(60.5, 60.5, 99.5, 99.5), (110.5, 60.5, 149.5, 99.5), (70.5, 105.5, 76.5, 111.5)]
    points = [face((b[2] - b[0]) / 2, ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2)) for b in boxes]
    alone = photograph(boxes, points, [True, False, False])  # it is the first that is placed
    contents = [rectangle((180, 200), box) for box in boxes]
    left_out = small = 0
    for seed in range(60):
        shown = [mark(alone, seed, content) for content in contents]
        scene = shown[0][1]
        unit = np.linalg.norm(scene.landmarks[0][1] - scene.landmarks[0][0]) / 19.5
        seen = [s.sum() / (c.sum() * unit**2) for (s, _), c in zip(shown, contents, strict=True)]
        sides = [min(s.max(axis=0).sum(), s.max(axis=1).sum()) for s, _ in shown]
        if not any(
            0.01 < share < 0.05 or 0 < side < 1.5 for share, side in zip(seen, sides, strict=True)
        ):
            assert len(scene.boxes) == sum(share > 0.05 for share in seen)
            left_out += len(scene.boxes) < 3
        assert scene.sure.sum() <= 1
        all_sure = photograph(boxes, points)
        again = mark(all_sure, seed, contents[0])[1]
        sides = (again.boxes[:, 2:] - again.boxes[:, :2]).min(axis=1)
        assert not again.sure[sides < SMALLEST_SIDE].any()
        small += (sides < SMALLEST_SIDE).sum()
    assert left_out > 5
    assert small > 5


def test_a_doubtful_face_stays_doubtful():
    points = [face(20, (60, 60)), face(20, (120, 60))]
    chosen = photograph([box_of(p) for p in points], points, [True, False])
    for seed in range(30):
        scene = mark(chosen, seed, np.zeros((120, 180)))[1]
        eyes = scene.landmarks[:, :2].mean(axis=1)
        assert len(scene.boxes) in (1, 2)
        assert not scene.sure[1:].any()
        assert len(eyes) == len(scene.sure)


@pytest.mark.parametrize("seed", range(8))
def test_no_box_leaves_the_scene(seed):
    rng = default_rng((9, seed))
    points = [face(rng.uniform(8, 40), rng.uniform(20, 130, 2)) for _ in range(6)]
    chosen = photograph([box_of(p) for p in points], points)
    pixels = rng.integers(0, 256, (150, 150, 3)).astype(np.uint8)
    everything = {"mosaic": 0.5, "degraded": 0.5, "covered": 0.5, "empty": 0.1, "upright": 30.0}
    made = studio([(chosen, pixels)], **everything)
    for size in (64, 192, 320):
        scene = made.scene(size, default_rng(seed))
        assert scene.pixels.shape == (size, size, 3)
        assert scene.pixels.dtype == np.uint8
        assert scene.boxes.shape == (len(scene.sure), 4)
        assert scene.landmarks.shape == (len(scene.sure), 5, 2)
        assert (scene.boxes >= -0.5).all()
        assert (scene.boxes <= size - 0.5).all()
        assert (scene.boxes[:, 2:] - scene.boxes[:, :2] > 1).all()


def test_a_scene_follows_from_its_generator():
    points = face(20, (60, 60))
    pixels = default_rng(0).integers(0, 256, (120, 130, 3)).astype(np.uint8)
    shown = [(photograph([box_of(points)], [points], name=name), pixels) for name in "ab"]
    everything = {"mosaic": 0.5, "degraded": 0.7, "covered": 0.5, "empty": 0.1, "upright": 30.0}
    first, again = (studio(shown, **everything) for _ in range(2))
    first.scene(192, default_rng(5))  # what was made before does not matter
    before = pixels.copy()
    for seed in range(6):
        one, two = (made.scene(192, default_rng(seed)) for made in (first, again))
        for key in ("pixels", "boxes", "landmarks", "sure"):
            np.testing.assert_array_equal(getattr(one, key), getattr(two, key))
        other = first.scene(192, default_rng(seed + 100))
        assert (one.pixels != other.pixels).any()
    np.testing.assert_array_equal(pixels, before)  # the pictures on the shelf stay as they are


def test_sizes_are_even_on_a_logarithmic_scale():
    points = face(150, (200, 200))
    made = studio([(photograph([box_of(points)], [points]), np.zeros((400, 400, 3), np.uint8))])
    found = [made.scene(SIDE, default_rng(seed)).landmarks[0] for seed in range(150)]
    shares = np.log([np.linalg.norm(p[1] - p[0]) / SIDE for p in found])
    low, high = np.log(NARROWEST), np.log(WIDEST)
    assert low <= shares.min() < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < shares.max() <= high
    error = (high - low) / np.sqrt(12 * len(shares))
    assert abs(shares.mean() - (low + high) / 2) < 3 * error


def test_rolls_have_the_strength_that_is_asked_for():
    points = face(30, (50, 50))
    shown = [(photograph([box_of(points)], [points]), np.zeros((100, 100, 3), np.uint8))]
    made = studio(shown, upright=8.0)
    found = [made.scene(64, default_rng(seed)).landmarks[0] for seed in range(500)]
    angles = [np.degrees(np.arctan2(*(p[1] - p[0])[::-1])) for p in found]
    wanted = np.sqrt(0.9 * 8**2 + 0.1 * 24**2)
    assert np.std(angles) == pytest.approx(wanted, rel=0.15)
    assert abs(np.mean(angles)) < 3 * wanted / np.sqrt(500)


@pytest.mark.parametrize("mirror", [1.0, -1.0])
@pytest.mark.parametrize(
    ("angle", "sides"),
    [(0, (20, 30)), (90, (30, 20)), (180, (20, 30)), (270, (30, 20)), (45, (25, 25))],
)
def test_a_box_turns_its_sides_with_the_face(angle, sides, mirror):
    chosen = photograph([(10, 10, 30, 40)], [face(10, (20, 25))])
    a = np.deg2rad(angle)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag([mirror, 1.0])
    matrix = np.hstack([2 * turn, [[5.0], [7.0]]])
    [box], [points] = _moved_faces(chosen, matrix, 2.0)
    np.testing.assert_allclose(box[2:] - box[:2], 2 * np.array(sides))
    middle = 2 * turn @ (20, 25) + (5, 7)
    np.testing.assert_allclose((box[:2] + box[2:]) / 2, middle)
    np.testing.assert_allclose(points[2], 2 * turn @ chosen.landmarks[0, 2] + (5, 7))
    left = chosen.landmarks[0, 1 if mirror < 0 else 0]
    np.testing.assert_allclose(points[0], 2 * turn @ left + (5, 7))


def test_four_parts_lie_side_by_side_with_their_faces():
    parts = [
        Part(
            pixels=np.full((4, 4, 3), value, np.uint8),
            boxes=np.array([[0.0, 1, 2, 3]] * count).reshape(-1, 4),
            landmarks=np.array([np.full((5, 2), value)] * count, float).reshape(-1, 5, 2),
            sure=np.array([value % 2 == 0] * count, bool),
        )
        for value, count in [(0, 1), (1, 0), (2, 2), (3, 1)]
    ]
    whole = _joined(parts)
    assert whole.pixels[::4, ::4, 0].tolist() == [[0, 1], [2, 3]]
    assert whole.pixels.shape == (8, 8, 3)
    assert whole.boxes.tolist() == [[0, 1, 2, 3], [0, 5, 2, 7], [0, 5, 2, 7], [4, 5, 6, 7]]
    assert whole.landmarks[:, 0].tolist() == [[0, 0], [2, 6], [2, 6], [7, 7]]
    assert whole.sure.tolist() == [True, True, True, False]


@pytest.mark.parametrize(("size", "part"), [(128, 128), (192, 96), (320, 80)])
def test_parts_are_divided_while_they_are_large_enough_and_keep_their_faces(size, part):
    points = face(20, (50, 50))
    shown = [(photograph([box_of(points)], [points]), np.zeros((100, 100, 3), np.uint8))]
    scene = studio(shown, mosaic=1.0).scene(size, default_rng(0))
    assert len(scene.boxes) == (size // part) ** 2
    cells = np.floor((scene.boxes + (0.51, 0.51, 0.49, 0.49)) / part)
    assert (cells[:, :2] == cells[:, 2:]).all()
    assert len(np.unique(cells, axis=0)) == len(cells)
