import pytest

from facegauge.choices import FaceChoice, Input, largest, named, rivals
from facegauge.errors import OptionError
from facegauge.values import Face, Landmarks


def face(eyes: float) -> Face:
    return Face(landmarks=Landmarks.from_array([0, 0, eyes, 0, 1, 1, 0, 2, 2, 2]))


@pytest.mark.parametrize(
    ("eyes", "count"),
    [([30], 1), ([30, 10], 2), ([30, 9.9], 1), ([9, 30, 11, 29], 3), ([5, 5], 2), ([0, 0], 2)],
)
def test_rivals_have_a_third_of_the_largest_inter_eye_distance(eyes, count):
    assert rivals([face(each) for each in eyes]) == count


def test_the_largest_face_is_the_first_of_equal_ones():
    faces = [face(3), face(7), face(7), Face()]
    assert largest(faces) is faces[1]
    assert FaceChoice.LARGEST.of(faces) == FaceChoice.SINGLE.of(faces) == [faces[1]]
    assert FaceChoice.ALL.of(faces) == faces
    assert not any(choice.of([]) for choice in FaceChoice)


def test_a_choice_has_a_name():
    assert named(Input, "crop", "input") is Input.CROP
    with pytest.raises(OptionError, match="input must be one of photo, crop, aligned; got 'film'"):
        named(Input, "film", "input")
