"""What a judge learns from: who is a face among what a detector finds, and where it lies."""

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.candidates import Candidates
from facegauge.detectors import Network
from facegauge.errors import TrainingError
from facegauge.train.photographs import Shelf, read_photographs
from facegauge.train.scenes import Settings, Studio
from facegauge.train.suspects import MOST, WIDE, Seeker, Suspects, joined, stored

FIELDS = ("pixels", "face", "boxes", "landmarks", "logits")


def seeing(boxes, confidence=0.2):
    """A network that finds the same in every picture."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    found = Candidates(
        boxes=boxes,
        landmarks=np.tile(np.arange(10, dtype=np.float32), (len(boxes), 1)),
        confidence=np.full(len(boxes), confidence, np.float32),
    )
    return Network(name="n", look=lambda _: found, confidence=0.5)


def seeker(network, least=0.1):
    return Seeker(network=network, least=least, seed=3)


@pytest.fixture(scope="module")
def street(photos):
    return read_photographs(photos, ("street",), 0.5)


def shifted(box, share):
    """A box moved to the right by a share of its width."""
    return np.array(box) + np.array([1, 0, 1, 0]) * share * (box[2] - box[0])


@pytest.mark.parametrize(
    ("share", "face"), [(0.0, 1), (0.3, 1), (0.45, None), (0.7, 0), (-0.32, 1), (1.5, 0)]
)
def test_what_overlaps_a_face_is_it_and_what_hardly_does_is_none(street, share, face):
    """A shift by s of the width leaves (1 - s) / (1 + s) of the union."""
    chosen = street[0]
    network = seeing(shifted(chosen.boxes[0], share))
    first = next(seeker(network).in_photographs([chosen], Shelf()))
    assert first.face.tolist() == ([] if face is None else [face])


def test_a_face_lies_in_the_cut_where_it_lies_in_the_picture(street):
    chosen = street[0]
    found = next(seeker(seeing(shifted(chosen.boxes[0], 0.1))).in_photographs([chosen], Shelf()))
    pixels = Shelf().pixels(chosen.path)
    x, y = chosen.landmarks[0][1].round().astype(int)
    across, down = found.landmarks[0][1].round().astype(int)
    apart = found.pixels[0][down, across].astype(int) - pixels[y, x]
    assert np.abs(apart).max() < 30
    long = max(chosen.boxes[0][2:] - chosen.boxes[0][:2])
    assert max(found.boxes[0][2:] - found.boxes[0][:2]) == pytest.approx(0.65 * 64, rel=0.03)
    eyes = np.linalg.norm(chosen.landmarks[0][1] - chosen.landmarks[0][0])
    seen = np.linalg.norm(found.landmarks[0][1] - found.landmarks[0][0])
    assert seen / eyes == pytest.approx(0.65 * 64 / long, rel=0.03)


def test_a_photograph_is_shown_as_it_is_mirrored_and_smaller(street):
    chosen, seen = street[0], []
    network = seeing([])

    def look(picture):
        seen.append(picture)
        return network.look(picture)

    watching = Network(name="n", look=look, confidence=0.5)
    list(seeker(watching).in_photographs([chosen], Shelf()))
    plain, mirrored, small = seen
    pixels = Shelf().pixels(chosen.path)
    height, width = pixels.shape[:2]
    np.testing.assert_array_equal(plain[:height, :width], pixels)
    np.testing.assert_array_equal(mirrored[:height, :width], pixels[:, ::-1])
    assert small.shape[1] <= width
    assert small[: height // 4, : width // 4].any()


def test_scenes_have_faces_that_were_not_found_and_places_beside_them(photos):
    settings = Settings(mosaic=0.0, empty=0.0, degraded=0.0, covered=0.0, upright=0.0)
    studio = Studio(read_photographs(photos, (), 0.5), [], settings)
    found = joined(list(seeker(seeing([])).in_scenes(studio, 8)))
    again = joined(list(seeker(seeing([])).in_scenes(studio, 8)))
    assert 0 < found.face.sum() < len(found)
    assert np.isneginf(found.logits).all()
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))


def test_the_surest_are_kept_with_what_the_detector_said(street):
    boxes = [(40 * i, 0, 40 * i + 20, 20) for i in range(MOST + 3)]
    network = seeing(boxes, confidence=0.8)
    found = next(seeker(network).in_photographs([street[0]], Shelf()))
    assert len(found) <= MOST
    assert found.logits == pytest.approx(np.log(0.8 / 0.2), abs=1e-5)
    assert not len(next(seeker(network, least=0.9).in_photographs([street[0]], Shelf())))


def some(faces):
    count = len(faces)
    return Suspects(
        pixels=default_rng(0).integers(0, 256, (count, WIDE, WIDE, 3), dtype=np.uint8),
        face=np.array(faces, np.float32),
        boxes=np.zeros((count, 4), np.float32),
        landmarks=np.zeros((count, 5, 2), np.float32),
        logits=np.zeros(count, np.float32),
    )


def test_what_was_collected_is_read_again(tmp_path):
    made = stored(tmp_path / "a.npz", lambda: iter([some([1, 0]), some([0])]))
    again = stored(tmp_path / "a.npz", lambda: iter(()))
    assert made.face.tolist() == [1, 0, 0]
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(made, name), getattr(again, name))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("faces", [[1, 1], [0]])
def test_one_kind_alone_teaches_nothing(tmp_path, faces):
    with pytest.raises(TrainingError, match="lower least"):
        stored(tmp_path / "a.npz", lambda: iter([some(faces)]))
