import numpy as np
import pytest
from PIL import Image

from broken_images import encoded
from facegauge import images
from facegauge.detection import FINEST
from facegauge.errors import OptionError, UnreadableImage
from facegauge.photos import look, nothing_found
from facegauge.values import Box, Face
from toy_detector import CONFIDENCE, EYES, scene, squares

LARGE, SMALL = (320, 160, 640), (1600, 1000, 80)


@pytest.fixture(scope="module")
def photo():
    """A JPEG of 2400×1800 with a large face and a small one."""
    pixels = scene(LARGE, SMALL, width=2400, height=1800)
    return encoded(Image.fromarray(pixels), "JPEG", quality=95, subsampling=0)


@pytest.fixture
def reductions(monkeypatch):
    """How much each picture that was read was reduced."""
    reduced, read = [], images.read

    def noted(*source, **limits):
        picture = read(*source, **limits)
        reduced.append(picture.reduction)
        return picture

    monkeypatch.setattr(images, "read", noted)
    return reduced


def corners(box: Box) -> list[float]:
    return [box.x0, box.y0, box.x1, box.y1]


def expected(left: float, top: float, side: float) -> list[float]:
    return [left - 0.5, top - 0.5, left + side - 0.5, top + side - 0.5]


@pytest.mark.parametrize(
    ("search", "in_full", "found", "read"),
    [
        ("largest", False, [LARGE], [8]),
        ("largest", True, [LARGE], [1]),
        ("all", False, [LARGE, SMALL], [1]),
        ("all", True, [LARGE, SMALL], [1]),
    ],
)
def test_faces_are_in_pixels_of_the_full_picture(photo, reductions, search, in_full, found, read):
    seen = look(photo, squares(size=64), search, in_full=in_full)
    assert reductions == read == [seen.picture.reduction]
    assert (seen.picture.width, seen.picture.height) == (2400, 1800)
    assert len(seen.faces) == len(found)
    for face, (left, top, side) in zip(seen.faces, found, strict=True):
        one_look = 2400 / 64  # pixels of the photograph in one of the first look
        near = 0.7 * one_look
        assert corners(face.box) == pytest.approx(expected(left, top, side), abs=near)
        assert face.inter_eye_distance == pytest.approx(EYES * side, abs=EYES * 2 * near)
        assert face.confidence == pytest.approx(CONFIDENCE)


def test_a_second_reading_finds_what_the_first_look_was_too_coarse_for(reductions):
    pixels = scene(SMALL, width=2400, height=1800)
    content = encoded(Image.fromarray(pixels), "JPEG", quality=95, subsampling=0)
    [face] = look(content, squares(size=64), "largest").faces
    assert reductions == [8, 1]
    assert corners(face.box) == pytest.approx(expected(*SMALL), abs=40)


def test_a_huge_picture_is_reduced_to_what_the_finest_look_needs(reductions):
    pixels = np.zeros((2 * FINEST, 2 * FINEST, 3), np.uint8)
    pixels[1000:3000, 2000:4000, 0] = 255
    content = encoded(Image.fromarray(pixels), "JPEG", subsampling=0)
    [face] = look(content, squares(), "all").faces
    assert reductions == [2]
    assert corners(face.box) == pytest.approx(expected(2000, 1000, 2000), abs=60)


def test_the_first_look_is_one_look(monkeypatch):
    detector, shapes = squares(size=64), []
    find = detector.find
    monkeypatch.setattr(
        detector, "find", lambda shown, search: shapes.append(shown.shape) or find(shown, search)
    )
    look(scene((0, 0, 200)), detector, "largest")
    assert shapes == [(48, 64, 3)]
    look(scene(), detector, "largest")
    assert shapes[1:] == [(48, 64, 3), (480, 640, 3)]
    look(scene((0, 0, 200)), detector, "all")
    assert shapes[3:] == [(480, 640, 3)]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_orientation_in_the_file_is_followed(tmp_path, orientation):
    upright = scene((64, 32, 128))
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.rot90(upright, turns)).save(
        tmp_path / "a.jpg", quality=95, subsampling=0, exif=exif
    )
    [face] = look(tmp_path / "a.jpg", squares(size=320), "all").faces
    assert corners(face.box) == pytest.approx(expected(64, 32, 128), abs=2)


def test_boxes_end_with_the_picture_not_with_its_padding(monkeypatch):
    detector = squares()
    monkeypatch.setattr(detector, "find", lambda shown, search: [whole(shown)])
    pixels = np.zeros((2 * FINEST + 1, 2 * FINEST + 3, 3), np.uint8)
    seen = look(encoded(Image.fromarray(pixels), "JPEG"), detector, "all")
    assert seen.picture.reduction == 2
    box = seen.faces[0].box
    assert (box.x1, box.y1) == (2 * FINEST + 2, 2 * FINEST)


def whole(shown: np.ndarray) -> Face:
    height, width = shown.shape[:2]
    return Face(box=Box(x0=0, y0=0, x1=width - 1, y1=height - 1))


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (7, 7), (1, 2000)])
def test_a_picture_of_a_few_pixels_shows_no_face(shape):
    assert look(np.full((*shape, 3), 255, np.uint8), squares(), "largest").faces == ()


def test_what_cannot_be_read_or_searched_is_refused():
    with pytest.raises(UnreadableImage, match="not an image"):
        look(b"no picture", squares())
    with pytest.raises(OptionError, match="largest, all"):
        look(scene(), squares(), "some")


def test_a_picture_without_a_face_is_told_in_words():
    assert nothing_found(squares(confidence=0.75)) == (
        "no face found by squares-1 (confidence >= 0.75)"
    )
