"""All measures of a face together: which there are, what each is blind to, what is left out."""

from pathlib import Path

import numpy as np
import pytest

from facegauge.alignment import TEMPLATE, align
from facegauge.measures import MOST_TURNED, measure, measure_aligned
from facegauge.pose import pose_of
from facegauge.values import Landmarks, worst
from portrait import LANDMARKS, PIXELS, blurred, compressed, noisy, resized, rotated, scaled
from test_pose import head

PLACE = ["inter-eye distance", "margins", "head roll", "head yaw", "head pitch"]
LIGHT = ["under-exposure", "over-exposure", "dynamic range"]
EVEN, TEXTURE = ["illumination uniformity"], ["sharpness", "noise", "compression artefacts"]


def names(measures) -> list[str]:
    return [each.name for each in measures]


def scores(measures) -> dict[str, float]:
    return {each.name: each.score for each in measures}


def test_a_good_portrait_is_fine_in_everything():
    found = measure(PIXELS, LANDMARKS)
    assert names(found) == PLACE + LIGHT + EVEN + TEXTURE
    assert {each.advice for each in found} == {"fine"}
    assert min(each.score for each in found) > 90


@pytest.mark.parametrize(
    ("spoilt", "blamed"),
    [
        ((scaled(PIXELS, 0.15), LANDMARKS), {"under-exposure", "dynamic range"}),
        ((scaled(PIXELS, 4), LANDMARKS), {"over-exposure", "dynamic range", "sharpness"}),
        ((blurred(PIXELS, 4), LANDMARKS), {"sharpness"}),
        ((noisy(PIXELS, 25), LANDMARKS), {"noise"}),
        ((compressed(PIXELS, 3), LANDMARKS), {"compression artefacts", "dynamic range"}),
        (resized(PIXELS, 0.35), {"inter-eye distance"}),
        (rotated(PIXELS, -50), {"head roll"}),
        ((PIXELS[:135], LANDMARKS), {"margins"}),
        ((PIXELS, head(yaw=60)), {"head yaw"}),
    ],
)
def test_each_fault_is_blamed_on_its_measure(spoilt, blamed):
    """The worst is one of those blamed, and beside them nothing becomes much worse."""
    pixels, points = spoilt
    found, before = (
        measure(np.ascontiguousarray(pixels), points),
        scores(measure(PIXELS, LANDMARKS)),
    )
    assert worst(found)[0].name in blamed
    assert worst(found)[0].score < 60
    assert worst(found)[0].advice != "fine"
    if points is LANDMARKS:
        others = [each for each in found if each.name not in blamed]
        assert all(each.score > before[each.name] - 12 for each in others)


def test_a_turned_head_has_no_two_sides():
    for yaw, there in ((MOST_TURNED - 1, True), (MOST_TURNED + 1, False)):
        points = head(yaw=yaw)
        assert pose_of(points).yaw == pytest.approx(yaw)
        assert (EVEN[0] in names(measure(PIXELS, points))) is there


def test_a_face_of_a_few_pixels_has_no_texture():
    small, points = resized(PIXELS, 0.2)
    assert names(measure(small, points)) == PLACE + LIGHT + EVEN


def test_a_face_outside_the_picture_is_told_by_its_landmarks():
    away = Landmarks.from_array(LANDMARKS.array() + [5000, 0])
    found = measure(PIXELS, away)
    assert names(found) == PLACE
    assert scores(found)["margins"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_points_that_resemble_no_face_stop_nothing(seed):
    """Points to which no rotation fits: their part that looks like a face is taken away."""
    face = TEMPLATE @ [1, 1j]
    face -= face.mean()
    other = np.random.default_rng(seed).normal(0, 90, (5, 2)) @ [1, 1j]
    other -= other.mean() + face * np.vdot(face, other - other.mean()) / np.vdot(face, face)
    points = np.column_stack([other.real, other.imag]) + 200
    for each in measure(PIXELS, Landmarks.from_array(points)):
        assert 0 <= each.score <= 100
    assert measure(PIXELS, Landmarks.from_array([[9, 9], *[[100, 100]] * 3, [300, 9]]))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_measures_that_say_so(level):
    found = scores(measure(np.full_like(PIXELS, level), LANDMARKS))
    assert found["dynamic range"] == found["sharpness"] == 0
    assert (found["under-exposure"] == 0) is (level == 0)
    assert (found["over-exposure"] == 0) is (level == 255)
    assert found["noise"] == found["compression artefacts"] == 100


@pytest.mark.parametrize("size", [112, 224])
def test_an_aligned_face_has_light_and_texture(size):
    crop = align(PIXELS, LANDMARKS, size)
    found = measure_aligned(crop)
    assert names(found) == LIGHT + TEXTURE
    whole = scores(measure(PIXELS, LANDMARKS))
    for name in LIGHT:
        assert scores(found)[name] == pytest.approx(whole[name], abs=2)
    assert scores(measure_aligned(blurred(crop, size / 30)))["sharpness"] < 60


def test_nothing_is_changed_and_the_same_is_said_again():
    before = PIXELS.copy()
    assert measure(PIXELS, LANDMARKS) == measure(PIXELS, LANDMARKS)
    assert (before == PIXELS).all()


def test_the_documentation_names_them_all():
    page = (Path(__file__).parents[1] / "docs" / "reference" / "measures.md").read_text()
    for name in names(measure(PIXELS, LANDMARKS)):
        assert f"| {name} |" in page
