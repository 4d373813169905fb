import pytest

from facegauge.alignment import TEMPLATE, TEMPLATE_EYE_DISTANCE
from facegauge.choices import FaceChoice, Input, largest, named, rivals
from facegauge.errors import OptionError
from facegauge.values import Face, Landmarks


def face(eyes: float) -> Face:
    return Face(landmarks=Landmarks.from_array(TEMPLATE * eyes / TEMPLATE_EYE_DISTANCE))


@pytest.mark.parametrize(
    ("eyes", "count"),
    [([30], 1), ([30, 10], 2), ([30, 9.9], 1), ([9, 30, 11, 29], 3), ([5, 5], 2)],
)
def test_rivals_are_a_third_as_large_as_the_largest_or_more(eyes, count):
    assert rivals([face(each) for each in eyes]) == count


def test_the_largest_face_is_the_first_of_equal_ones():
    faces = [face(3), face(7), face(7), Face()]
    assert largest(faces) is faces[1]
    assert FaceChoice.LARGEST.of(faces) == FaceChoice.SINGLE.of(faces) == [faces[1]]
    assert FaceChoice.ALL.of(faces) == faces
    assert not any(choice.of([]) for choice in FaceChoice)


def test_a_large_profile_beats_a_small_frontal_face():
    profile = Face(landmarks=Landmarks.from_array(3 * TEMPLATE * (0.2, 1.0)))
    frontal = face(40)
    assert profile.inter_eye_distance < frontal.inter_eye_distance
    assert largest([frontal, profile]) is profile


def test_a_choice_has_a_name():
    assert named(Input, "crop", "input") is Input.CROP
    with pytest.raises(OptionError, match="input must be one of photo, crop, aligned; got 'film'"):
        named(Input, "film", "input")
