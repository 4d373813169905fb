import dataclasses
import json
import math
from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.errors import InputError, LandmarkError
from facegauge.values import Assessment, Box, Face, Landmarks, Measure, Outcome, worst

POINTS = [[30.0, 40.0], [70.0, 40.5], [50.0, 60.0], [35.0, 80.0], [65.0, 81.0]]
NAN, INF = math.nan, math.inf
FINE = nullcontext()


def landmarks() -> Landmarks:
    return Landmarks.from_array(POINTS)


def refused(error=InputError, match=None):
    return pytest.raises(error, match=match)


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((0, 0, 1, 1), FINE),
        ((-5.5, -2, 0.5, 1e6), FINE),
        ((0, 0, 0, 1), refused(match="x1 > x0")),
        ((0, 0, 1, 0), refused(match="y1 > y0")),
        ((2, 0, 1, 1), refused(match="x1 > x0")),
        ((NAN, 0, 1, 1), refused(match="finite")),
        ((0, 0, INF, 1), refused(match="finite")),
    ],
)
def test_a_box_has_finite_corners_in_order(corners, expected):
    x0, y0, x1, y1 = corners
    with expected:
        box = Box(x0=x0, y0=y0, x1=x1, y1=y1)
        assert (box.x0, box.y0, box.x1, box.y1) == corners


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (POINTS, FINE),
        (np.ravel(POINTS).tolist(), FINE),
        (np.array(POINTS, dtype=np.float32), FINE),
        (POINTS[:4], refused(LandmarkError, "5 points")),
        ([*POINTS, [1, 2]], refused(LandmarkError, "5 points")),
        ([[1, 2]] * 5, refused(LandmarkError, "different")),
        ([[NAN, 2], *POINTS[1:]], refused(LandmarkError, "finite")),
        ([[INF, 2], *POINTS[1:]], refused(LandmarkError, "finite")),
        (np.transpose(POINTS), refused(LandmarkError)),  # xs, then ys: not five points
        ([["a", "b"], *POINTS[1:]], refused(LandmarkError)),
    ],
)
def test_landmarks_are_five_different_finite_points(points, expected):
    with expected:
        made = Landmarks.from_array(points)
        assert made.array().tolist() == np.reshape(points, (5, 2)).tolist()


@pytest.mark.parametrize("point", [(1.0, 2.0, 3.0), (1.0,), (NAN, 0.0)])
def test_every_landmark_is_a_pair(point):
    five = dict(zip(Landmarks.__dataclass_fields__, POINTS, strict=True))
    with pytest.raises(LandmarkError):
        Landmarks(**five | {"nose": point})


def test_landmarks_keep_their_order():
    five = landmarks()
    assert [five.left_eye, five.right_eye, five.nose, five.left_mouth, five.right_mouth] == [
        tuple(point) for point in POINTS
    ]
    assert five.inter_eye_distance == pytest.approx(math.sqrt(40**2 + 0.5**2), abs=1e-12)


@pytest.mark.parametrize("factor", [0.125, 0.5, 1.0, 3.0])
def test_scaling_keeps_pixel_centres_in_place(factor):
    # The left edge of a picture lies at -0.5, its right edge at width - 0.5, in every size of it.
    edges = Landmarks.from_array([[-0.5, -0.5], [99.5, -0.5], [49.5, 29.5], [0, 0], [99.5, 59.5]])
    moved = edges.scaled(factor, factor).array()
    assert moved[0].tolist() == [-0.5, -0.5]
    assert moved[4] == pytest.approx([100 * factor - 0.5, 60 * factor - 0.5])
    back = Landmarks.from_array(moved).scaled(1 / factor, 1 / factor)
    assert back.array() == pytest.approx(edges.array())


def test_scaling_takes_a_factor_for_each_axis():
    assert landmarks().scaled(2.0, 0.5).left_eye == (2 * 30.5 - 0.5, 0.5 * 40.5 - 0.5)


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (None, FINE),
        (0.0, FINE),
        (1.0, FINE),
        (-0.01, refused(match="0..1")),
        (1.01, refused(match="0..1")),
        (NAN, refused(match="0..1")),
    ],
)
def test_a_confidence_lies_in_0_to_1(confidence, expected):
    with expected:
        assert Face(confidence=confidence).confidence == confidence


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"outcome": "scored", "score": 0.0, "raw": -3.0}, FINE),
        ({"outcome": Outcome.SCORED, "score": 100.0, "raw": 3.0}, FINE),
        ({"outcome": "no_face"}, FINE),
        ({"outcome": "scored"}, refused(match="needs finite")),
        ({"outcome": "scored", "score": 5.0}, refused(match="needs finite")),
        ({"outcome": "scored", "raw": 5.0}, refused(match="needs finite")),
        ({"outcome": "scored", "score": NAN, "raw": 1.0}, refused(match="needs finite")),
        ({"outcome": "scored", "score": 5.0, "raw": INF}, refused(match="needs finite")),
        ({"outcome": "scored", "score": 100.1, "raw": 1.0}, refused(match="0..100")),
        ({"outcome": "scored", "score": -0.1, "raw": 1.0}, refused(match="0..100")),
        ({"outcome": "unreadable", "score": 5.0, "raw": 1.0}, refused(match="no score")),
        ({"outcome": "no_face", "score": 0.0}, refused(match="no score")),
        ({"outcome": "no_face", "raw": 0.0}, refused(match="no score")),
        ({"outcome": "splendid"}, refused(ValueError, "splendid")),
    ],
)
def test_a_score_exists_only_with_scored(fields, expected):
    with expected:
        made = Assessment(**fields)
        assert made.outcome is Outcome(fields["outcome"])
        assert (made.score is None) == (made.outcome is not Outcome.SCORED)


def test_outcomes_are_the_promised_words():
    assert sorted(Outcome) == sorted(
        ["scored", "no_face", "several_faces", "too_small", "cut_off", "unreadable"]
    )


@pytest.mark.parametrize("kind", [Box, Landmarks, Face, Measure, Assessment])
def test_values_are_frozen_slotted_and_keyword_only(kind):
    parameters = kind.__dataclass_params__
    assert parameters.frozen
    assert "__slots__" in vars(kind)
    assert all(field.kw_only for field in dataclasses.fields(kind))


DIM = Measure(name="noise", score=20.0, value=30.5, unit="levels", advice="grainy")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, FINE),
        ({"score": 0.0}, FINE),
        ({"score": 100.0, "value": -3.0}, FINE),
        ({"score": 100.1}, refused(match="0..100")),
        ({"score": -0.1}, refused(match="0..100")),
        ({"score": NAN}, refused(match="0..100")),
        ({"value": INF}, refused(match="finite value")),
        ({"advice": "dark; add light"}, refused(match="semicolons")),
        ({"advice": "dark (add light)"}, refused(match="brackets")),
        ({"advice": "dark\n"}, refused(match="lines")),
        ({"name": ""}, refused(match="lines")),
    ],
)
def test_a_measure_has_a_score_a_value_and_words_for_a_cell(fields, expected):
    with expected:
        dataclasses.replace(DIM, **fields)


def test_the_worst_measures_come_lowest_first():
    many = [
        dataclasses.replace(DIM, score=score, value=at) for at, score in enumerate((9, 4, 9, 1))
    ]
    assert [(each.score, each.value) for each in worst(many)] == [(1, 3), (4, 1), (9, 0)]
    assert worst(many, 1) == (many[3],)
    assert worst([], 3) == ()


def test_an_assessment_becomes_plain_json():
    face = Face(box=Box(x0=1, y0=2, x1=3, y1=4), landmarks=landmarks(), confidence=0.5)
    made = Assessment(
        outcome=Outcome.SCORED, score=50.0, raw=0.5, face=face, model="m-1", measures=(DIM,)
    )
    stored = json.loads(json.dumps(made.to_dict()))
    assert stored == {
        "outcome": "scored",
        "score": 50.0,
        "raw": 0.5,
        "face": {"box": [1, 2, 3, 4], "landmarks": POINTS, "confidence": 0.5},
        "model": "m-1",
        "measures": [
            {"name": "noise", "score": 20.0, "value": 30.5, "unit": "levels", "advice": "grainy"}
        ],
        "detail": "",
    }
    assert Assessment(outcome=Outcome.NO_FACE).to_dict()["face"] is None
    bare = Assessment(outcome=Outcome.CUT_OFF, face=Face()).to_dict()["face"]
    assert bare == {"box": None, "landmarks": None, "confidence": None}


def test_a_face_is_scaled_about_the_corner_of_the_picture():
    """The centre of a pixel stays where it is in the picture: 0 of four pixels is 0.5 of two."""
    face = Face(box=Box(x0=0, y0=0, x1=3, y1=7), landmarks=landmarks(), confidence=0.5)
    half = face.scaled(0.5, 0.25)
    assert half.box == Box(x0=-0.25, y0=-0.375, x1=1.25, y1=1.375)
    assert half.landmarks == landmarks().scaled(0.5, 0.25)
    assert half.confidence == 0.5
    back = half.scaled(2, 4)
    assert back.box == face.box
    assert back.landmarks.array() == pytest.approx(landmarks().array())
    assert Face().scaled(2, 2) == Face()


def test_the_distance_between_the_eyes_of_a_face():
    assert Face(landmarks=landmarks()).inter_eye_distance == landmarks().inter_eye_distance > 0
    assert Face(box=Box(x0=0, y0=0, x1=3, y1=7)).inter_eye_distance == 0.0
