import inspect
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise, starmap

import cv2
import numpy as np
import pytest

from facegauge import detection, images
from facegauge.alignment import frontal_eye_distance
from facegauge.candidates import Candidates
from facegauge.detection import Detector, Search
from facegauge.detectors import Network
from facegauge.errors import InputError, ModelNotFound, OptionError
from published_files import PHOTOS, SCRFD, YUNETS, needs
from tiny_models import CELL, detector_file

PLACES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""Where on a drawn face its landmarks are, as shares of its box."""


class Sight:
    """A network that takes each bright square for a face, if it is neither too small nor too large.

    It also takes what a tile shows of a square for a face, and remembers what it was shown. A
    ``shy`` one sees a piece cut by the border of what it is shown as a smaller whole, off it.
    """

    def __init__(self, smallest: int = 12, largest: int = 10_000, *, shy: int = 0) -> None:
        self.smallest, self.largest, self.shy = smallest, largest, shy
        self.shown: list[np.ndarray] = []

    def look(self, picture: np.ndarray) -> Candidates:
        self.shown.append(picture)
        bright = (picture[..., 0] > 127).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(bright)[2][1:]
        rows = [row for row in stats if self.smallest <= max(row[2:4]) <= self.largest]
        boxes = [[x - 0.5, y - 0.5, x + w - 0.5, y + h - 0.5] for x, y, w, h, _ in rows]
        inside = np.array([0, 0, picture.shape[1], picture.shape[0]]) - 0.5
        off = self.shy * np.array([1, 1, -1, -1])
        boxes = [np.where(np.abs(box - inside) < 1, box + off, box) for box in boxes]
        sure = [picture[y + h // 2, x + w // 2, 0] / 255 for x, y, w, h, _ in rows]
        return candidates(boxes, sure)


def candidates(boxes, confidence, marks=None) -> Candidates:
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    if marks is None:
        sides = boxes[:, 2:] - boxes[:, :2]
        marks = (boxes[:, None, :2] + PLACES * sides[:, None]).reshape(-1, 10)
    return Candidates(
        boxes=boxes,
        landmarks=np.array(marks, dtype=np.float32),
        confidence=np.array(confidence, dtype=np.float32),
    )


def detector(sight: Sight, confidence: float | None = None, **fields) -> Detector:
    return Detector(Network(name="sight", look=sight.look, confidence=0.5, **fields), confidence)


def answering(found: Candidates, **fields) -> Detector:
    """A detector that says the same whatever it is shown."""
    network = Network(name="parrot", look=lambda picture: found, confidence=0.5, **fields)
    return Detector(network)


def drawn(width: int, height: int, *squares: tuple[int, int, int], bright: int = 255) -> np.ndarray:
    """A black picture with bright squares (left, top, side)."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for left, top, side in squares:
        pixels[top : top + side, left : left + side] = bright
    return pixels


def corners(face) -> list[float]:
    return [face.box.x0, face.box.y0, face.box.x1, face.box.y1]


def edges(left: int, top: int, side: int) -> list[float]:
    return [left - 0.5, top - 0.5, left + side - 0.5, top + side - 0.5]


@pytest.mark.parametrize(
    ("size", "square", "slack"),
    [
        ((300, 200), (40, 60, 50), 0.01),
        ((640, 640), (501, 333, 77), 0.01),
        ((1280, 960), (400, 120, 100), 0.01),  # halves: edges lie between pixels of every level
        ((1280, 960), (800, 640, 24), 0.01),
        ((2560, 1280), (1200, 400, 400), 0.01),
        ((1000, 700), (333, 222, 111), 0.5),
        ((1001, 33), (500, 5, 25), 0.5),
        ((4000, 3000), (1234, 987, 60), 1.0),
        ((5120, 700), (5000, 500, 100), 1.2),
        ((9000, 3000), (700, 800, 1500), 8.0),
    ],
)
def test_a_face_is_where_it_is_in_the_picture_given(size, square, slack):
    [face] = detector(Sight()).find(drawn(*size, square))
    assert corners(face) == pytest.approx(edges(*square), abs=slack)
    expected = np.array(square[:2]) - 0.5 + PLACES * square[2]
    assert face.landmarks.array() == pytest.approx(expected, abs=slack)
    assert face.confidence == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("side", [16, 90, 126, 132, 500])
def test_a_face_across_borders_of_tiles_shows_once_and_whole(side):
    """At a step of 41 pixels, a face lies on every border in every way."""
    finder = detector(Sight())
    for at in range(0, 1280 - side, 41):
        square = (at, min(960 - side, at // 2 + 7), side)
        faces = finder.find(drawn(1280, 960, square))
        assert [corners(face) for face in faces] == [pytest.approx(edges(*square), abs=1.01)]


@pytest.mark.parametrize("side", [140, 200, 330, 600])
def test_pieces_that_look_whole_are_no_faces(side):
    finder = detector(Sight(shy=10))
    for at in range(60, 1280 - side, 97):
        square = (at, min(900 - side, at // 2 + 11), side)
        faces = finder.find(drawn(1280, 960, square))
        assert [corners(face) for face in faces] == [pytest.approx(edges(*square), abs=1.01)]


def test_what_is_too_large_to_be_seen_is_not_found_in_pieces():
    pixels = drawn(1280, 1280, (100, 100, 1000))
    assert detector(Sight(12, 499, shy=10)).find(pixels) == []
    assert len(detector(Sight(12, 500, shy=10)).find(pixels)) == 1


def test_many_faces_of_all_sizes_are_each_found_once():
    rng = np.random.default_rng(2)
    squares = []
    for row in range(5):
        for column in range(7):
            side = int(rng.choice([14, 20, 35, 60, 110, 200, 300]))
            left, top = np.array([column, row]) * 360 + rng.integers(4, 355 - side, 2)
            squares.append((int(left), int(top), side))
    faces = detector(Sight(10, 400)).find(drawn(2540, 1800, *squares))
    found = sorted(corners(face) for face in faces)
    assert found == [pytest.approx(row, abs=3) for row in sorted(starmap(edges, squares))]


def test_small_faces_need_the_finer_levels():
    pixels = drawn(2560, 1920, (100, 100, 20), (900, 900, 400), (2400, 1700, 50))
    sides = [round(face.box.x1 - face.box.x0) for face in detector(Sight()).find(pixels)]
    assert sides == [400, 50, 20]
    assert len(detector(Sight()).find(pixels, "largest")) == 2  # what the first look shows


@pytest.mark.parametrize(
    ("squares", "looks"),
    [([(900, 900, 400)], 1), ([(900, 900, 40)], 7), ([(900, 900, 20)], 27), ([], 27)],
)
def test_the_largest_face_ends_the_search(squares, looks):
    sight = Sight()
    faces = detector(sight).find(drawn(2560, 1920, *squares), Search.LARGEST)
    assert len(faces) == len(squares)
    assert len(sight.shown) == looks


def test_a_network_that_sees_no_large_faces_still_has_the_coarse_level():
    pixels = drawn(2560, 1920, (300, 300, 320))
    assert len(detector(Sight(12, 100)).find(pixels)) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3), (7, 7), (8, 8), (20, 9000)])
@pytest.mark.parametrize("search", list(Search))
def test_tiny_pictures_and_strips_hold_no_face(size, search):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert detector(Sight(100)).find(pixels, search) == []


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((8, 8), (32, 32)),
        ((33, 64), (64, 64)),
        ((640, 640), (640, 640)),
        ((1280, 960), (480, 640)),
        ((700, 641), (608, 640)),
    ],
)
def test_the_first_look_is_reduced_and_padded_never_enlarged(size, shape):
    sight = Sight()
    detector(sight).find(np.full((size[1], size[0], 3), 9, np.uint8), "all")
    first = sight.shown[0]
    assert first.shape == (*shape, 3)
    factor = min(1.0, 640 / max(size))
    rows, columns = round(size[1] * factor), round(size[0] * factor)
    assert (first[:rows, :columns] == 9).all()
    assert not first[rows:].any()
    assert not first[:, columns:].any()


def test_reducing_is_averaging():
    """Every fourth column bright becomes a quarter as bright, not a pattern or nothing."""
    pixels = np.zeros((64, 2560, 3), dtype=np.uint8)
    pixels[:, ::4] = 200
    sight = Sight()
    detector(sight).find(pixels, "largest")
    assert np.unique(sight.shown[0][:16]).tolist() == [50]


@pytest.mark.parametrize("size", [(641, 641), (1280, 960), (2560, 50), (3000, 2000), (2000, 9000)])
@pytest.mark.parametrize("tile", [(640, 640), (320, 320), (640, 480), (64, 96)])
def test_windows_cover_every_pixel_and_overlap(size, tile):
    width, height = size
    seen = np.zeros((height, width), dtype=np.uint8)
    windows = list(detection._windows(width, height, tile))
    for window in windows:
        part = seen[window.top : window.bottom, window.left : window.right]
        assert part.shape == (min(height, tile[0]), min(width, tile[1]))
        part[...] = 1
    assert seen.all()
    shared = min(128, min(tile) // 4)
    for low, high in (("left", "right"), ("top", "bottom")):
        spans = sorted({(getattr(one, low), getattr(one, high)) for one in windows})
        for (_, end), (start, _) in pairwise(spans):
            assert end - start >= shared


@pytest.mark.parametrize(
    ("size", "factors"),
    [
        ((300, 200), [1.0]),
        ((640, 10), [1.0]),
        ((800, 600), [0.8]),  # the picture itself is hardly finer
        ((1000, 700), [0.64, 1.0]),
        ((700, 1280), [0.5, 1.0]),
        ((2560, 1920), [0.25, 0.5, 1.0]),
        ((5120, 1000), [0.125, 0.25, 0.5]),
    ],
)
def test_scales_double_up_to_the_finest(size, factors):
    network = Network(name="n", look=Sight().look, confidence=0.5)
    assert detection._factors(*size, network) == pytest.approx(factors)


def test_a_network_of_one_size_sees_nothing_else():
    sight = Sight()
    finder = detector(sight, shape=(320, 480))
    squares = [(100, 100, 16), (700, 60, 20), (900, 500, 200)]
    faces = finder.find(drawn(1280, 960, *squares))
    found = sorted(corners(face) for face in faces)
    assert found == [pytest.approx(row, abs=2) for row in sorted(starmap(edges, squares))]
    assert {shown.shape for shown in sight.shown} == {(320, 480, 3)}


@pytest.mark.parametrize("size", [320, 640, 960])
def test_the_first_look_has_the_size_of_the_network(size):
    sight = Sight()
    detector(sight, size=size).find(drawn(1920, 960), "largest")
    assert sight.shown[0].shape == (size // 2, size, 3)


def test_the_largest_face_comes_first():
    boxes = [[10, 10, 30, 40], [100, 10, 190, 60], [10, 100, 60, 200], [200, 100, 240, 140]]
    faces = answering(candidates(boxes, [0.9, 0.6, 0.7, 0.8])).find(drawn(300, 300))
    widths = [frontal_eye_distance(face.landmarks) for face in faces]
    assert widths == sorted(widths, reverse=True)
    assert [face.confidence for face in faces] == pytest.approx([0.7, 0.6, 0.8, 0.9])


def test_boxes_are_clipped_and_landmarks_are_not():
    found = candidates([[-30, -10, 40, 60], [250, 150, 330, 230]], [0.9, 0.8])
    faces = answering(found).find(drawn(300, 200))
    assert sorted(map(corners, faces)) == [[0, 0, 40, 60], [250, 150, 299, 199]]
    points = sorted(face.landmarks.array().tolist() for face in faces)
    assert np.array(points) == pytest.approx(found.landmarks.reshape(2, 5, 2), abs=1e-3)


def with_marks(at: int, value: float) -> Candidates:
    found = candidates([[20, 20, 60, 60]], [0.9])
    found.landmarks[0, at] = value
    return found


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (candidates([[20, 20, 60, 60]], [0.9]), 1),
        (candidates([[20, 20, 60, 60]], [1.0000001]), 1),
        (candidates([[20, 20, 60, 60]], [0.49]), 0),
        (candidates([[20, 20, 60, 60]], [np.nan]), 0),
        (candidates([[20, 20, 60, 60]], [np.inf]), 0),
        (candidates([[np.nan, 20, 60, 60]], [0.9]), 0),
        (candidates([[20, 20, np.inf, 60]], [0.9]), 0),
        (candidates([[20, 20, 3e38, 60]], [0.9]), 0),
        (candidates([[60, 20, 20, 60]], [0.9]), 0),
        (candidates([[20, 20, 20, 60]], [0.9]), 0),
        (candidates([[400, 20, 460, 60]], [0.9]), 0),  # in the padding, or beyond
        (candidates([[-50, 20, -10, 60]], [0.9]), 0),
        (candidates([[20, 20, 60, 60]], [0.9], [[40.0] * 10]), 0),
        (with_marks(3, np.nan), 0),
        (with_marks(0, -np.inf), 0),
        (with_marks(9, 3e38), 0),
        (candidates([], []), 0),
    ],
)
@pytest.mark.parametrize("voting", [False, True])
def test_what_cannot_be_a_face_is_dropped(found, count, voting):
    beside = candidates([[100, 100, 140, 140]], [0.8])
    both = Candidates(
        boxes=np.vstack([found.boxes, beside.boxes]),
        landmarks=np.vstack([found.landmarks.reshape(-1, 10), beside.landmarks]),
        confidence=np.concatenate([found.confidence, beside.confidence]),
    )
    faces = answering(both, voting=voting).find(drawn(300, 200))
    assert len(faces) == count + 1
    assert corners(faces[-1]) == [100, 100, 140, 140]


def test_voting_is_for_networks_that_want_it():
    found = candidates([[20, 20, 60, 60], [24, 20, 64, 60]], [0.9, 0.6])
    [kept] = answering(found).find(drawn(300, 200))
    [voted] = answering(found, voting=True).find(drawn(300, 200))
    assert kept.box.x0 == 20
    assert voted.box.x0 == pytest.approx(20 + 4 * 0.6 / 1.5, abs=1e-4)


@pytest.mark.parametrize(
    ("confidence", "count"), [(None, 2), (0.3, 3), (0.75, 1), (1.0, 0), (1e-6, 3)]
)
def test_confidence_decides_what_is_a_face(confidence, count):
    pixels = drawn(300, 100, (20, 20, 40), bright=150)
    pixels[20:60, 100:140], pixels[20:60, 200:240] = 130, 230
    sight = Sight()
    network = Network(name="n", look=sight.look, confidence=0.55)
    assert Detector(network).confidence == 0.55
    assert len(Detector(network, confidence).find(pixels)) == count


@pytest.mark.parametrize("confidence", [0.0, -0.1, 1.01, math.nan, math.inf])
def test_confidence_has_its_range(confidence):
    with pytest.raises(OptionError, match="confidence"):
        detector(Sight(), confidence)


@pytest.mark.parametrize(
    ("pixels", "search", "expected"),
    [
        (drawn(40, 30), "all", nullcontext()),
        (drawn(40, 30), "largest", nullcontext()),
        (drawn(40, 30), "some", pytest.raises(OptionError, match="largest, all; got 'some'")),
        (drawn(40, 30)[0], "all", pytest.raises(InputError, match="40×3")),
        (drawn(40, 30)[..., :1], "all", pytest.raises(InputError, match="30×40×1")),
        (drawn(40, 30).astype(float), "all", pytest.raises(InputError, match="float64")),
    ],
)
def test_only_pictures_are_looked_at(pixels, search, expected):
    with expected:
        assert detector(Sight()).find(pixels, search) == []


def test_memory_order_does_not_matter():
    pixels = drawn(1300, 900, (100, 200, 60), (600, 700, 30))
    expected = detector(Sight()).find(pixels)
    assert len(expected) == 2
    for other in (np.asfortranarray(pixels), pixels[::-1].copy()[::-1]):
        assert detector(Sight()).find(other) == expected
    before = pixels.copy()
    pixels.flags.writeable = False
    assert detector(Sight()).find(pixels) == expected
    assert (pixels == before).all()


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return detector_file(tmp_path_factory.mktemp("cells") / "cells.onnx", size=400)


def test_our_own_files_find_faces(cells):
    finder = detection.open(cells)
    assert (finder.name, finder.confidence) == ("cells-1", 0.5)
    [face] = finder.find(drawn(64, 40, (24, 8, CELL)))
    assert corners(face) == pytest.approx(edges(24, 8, CELL), abs=1e-4)
    assert detection.open(cells, confidence=0.9).confidence == 0.9
    small = finder.find(drawn(1600, 640, (640, 320, CELL)))
    assert [corners(one) for one in small] == [pytest.approx(edges(640, 320, CELL), abs=1e-3)]


def test_many_threads_may_look_at_once(cells):
    finder = detection.open(cells)
    pictures = [drawn(200 + 8 * at, 160, (8 * at, 16, CELL)) for at in range(24)]
    expected = [finder.find(pixels) for pixels in pictures]
    assert all(len(faces) == 1 for faces in expected)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(finder.find, pictures * 4)) == expected * 4


def test_one_thread_by_default():
    assert inspect.signature(detection.open).parameters["threads"].default == 1


def test_a_missing_detector_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="nonesuch"):
        detection.open("nonesuch")


# The published files themselves.


@needs(SCRFD, PHOTOS, *YUNETS)
@pytest.mark.parametrize("path", [SCRFD, *YUNETS], ids=lambda path: path.stem)
def test_faces_of_a_crowd_are_found_at_every_scale(path):
    """One photograph at four sizes in one large picture: each copy shows the same faces."""
    photo = images.read(PHOTOS / "000093.jpg").pixels
    finder = detection.open(path)
    alone = finder.find(photo)
    canvas = np.full((1920, 2560, 3), 110, dtype=np.uint8)
    scales = [(0.4, 60, 70), (0.6, 700, 300), (1.0, 1400, 60), (2.0, 500, 700)]
    for scale, left, top in scales:
        copy = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas[top : top + copy.shape[0], left : left + copy.shape[1]] = copy
    found = finder.find(canvas)
    assert alone
    for scale, left, top in scales:
        best = alone[0].landmarks.array() * scale + [left, top]
        apart = min(np.abs(face.landmarks.array() - best).max() for face in found)
        assert apart < 0.3 * scale * alone[0].landmarks.inter_eye_distance
    assert len(found) <= len(scales) * len(alone) + 1
