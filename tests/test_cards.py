import json
import math
import zlib
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pytest

from facegauge.cards import (
    Calibration,
    Card,
    Crop,
    Golden,
    Kind,
    Training,
    View,
    calibrate,
    golden_inputs,
)
from facegauge.errors import ModelError
from facegauge.operating import OperatingPoint, OperatingTable
from tiny_models import replaced

FINE = nullcontext()


def refused(match=None):
    return pytest.raises(ModelError, match=match)


def table(raw=(0.0, 1.0, 3.0), score=(5.0, 20.0, 100.0)) -> Calibration:
    return Calibration(population="people", date="2026-01-01", raw=raw, score=score)


OPERATING = OperatingTable(
    recogniser="r",
    threshold=0.25,
    samples=9,
    failures=1,
    points=(OperatingPoint(score=0.0, discarded=0.1, comparisons=3, errors=2),),
    data="toys",
)
PHOTO = Crop(view=View.PHOTO, size=640, resampling="area")


def card(**fields) -> Card:
    complete = {
        "name": "größe",
        "version": "2.1",
        "kind": Kind.UTILITY,
        "crop": Crop(view=View.ALIGNED, size=112, frame=0.7),
        "golden": Golden(seed=7, outputs=((1.5,), (2.25,), (99.125,))),
        "calibration": table(),
        "training": Training(data="a", licence="b", recipe="c", revision="d", notes='e\n"f"'),
    }
    return Card(**complete | fields)


@pytest.mark.parametrize(
    "made",
    [
        card(),
        card(kind="perceptual"),
        card(crop=Crop(view=View.WHOLE, size=224, short_side=256, resampling="pillow-bilinear")),
        card(crop=Crop(view="aligned", size=64, resampling="reference")),
        card(kind="recogniser", calibration=None),
        card(kind="detector", calibration=None, crop=PHOTO),
        card(training=Training()),
        card(golden=Golden(seed=2**63, outputs=[[0.1] * 8] * 3)),
        card(operating=[OPERATING, OPERATING]),
    ],
)
def test_a_card_survives_json(made):
    text = made.to_json()
    assert Card.from_json(text) == made
    assert Card.from_json(json.dumps(json.loads(text), indent=1)) == made
    assert json.loads(text)["format"] == 1
    assert made.identifier == f"{made.name}-2.1"


def changed(**changes) -> str:
    return replaced(card().to_json(), changes)


def without(name: str) -> str:
    data = json.loads(card().to_json())
    del data[name]
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed(), FINE),
        (changed(version="3"), FINE),
        ("", refused("broken")),
        ("not json", refused("broken")),
        ("[]", refused("broken")),
        ("null", refused("broken")),
        ("{}", refused("broken")),
        (changed(format=2), refused("format 1, the file has 2")),
        (without("format"), refused("broken")),
        (without("name"), refused("broken")),
        (without("golden"), refused("broken")),
        (without("crop"), refused("broken")),
        (changed(extra=1), refused("broken")),
        (changed(name=""), refused("name")),
        (changed(version=""), refused("version")),
        (changed(kind="beauty"), refused("beauty")),
        (changed(kind="recogniser"), refused("calibration")),
        (changed(kind="detector"), refused("detector has none. This detector has one")),
        (changed(kind="detector", calibration=None), refused("photo")),
        (
            changed(crop__view="photo", crop__resampling="area"),
            refused("this utility has the view"),
        ),
        (changed(calibration=None), refused("calibration")),
        (changed(operating=[{"points": []}]), refused("broken")),
        (changed(operating=[{**OPERATING.to_dict(), "points": []}]), refused("broken")),
        (
            changed(kind="recogniser", calibration=None, operating=[OPERATING.to_dict()]),
            refused("belong to quality models"),
        ),
        (changed(crop__size=0), refused("size")),
        (changed(crop__size="big"), refused("whole pixels")),
        (changed(crop__size=112.5), refused()),
        (changed(crop__view="sideways"), refused("sideways")),
        (changed(crop__resampling="area"), refused("resampling")),
        (changed(crop__frame=0.0), refused("frame")),
        (changed(crop__frame=1.5), refused("frame")),
        (changed(crop__frame=math.nan), refused("frame")),
        (changed(crop__colour=1), refused("broken")),
        (changed(golden__outputs=[[1.0]]), refused("3 golden")),
        (changed(golden__outputs=[1, 2, 3]), refused("broken")),
        (changed(golden__outputs=[["a"]] * 3), refused("broken")),
        (changed(golden__outputs=[[1.0], [1.0, 2.0], [1.0]]), refused()),
        (changed(golden__outputs=[[], [], []]), refused()),
        (changed(golden__seed=-1), refused()),
        (changed(golden__seed="seven"), refused()),
        (changed(golden__seed=2**64), refused()),
        (changed(calibration__raw=[1.0, 0.0, 2.0]), refused("increasing")),
        (changed(calibration__score=[1.0]), refused("as many")),
    ],
)
def test_a_stored_card_is_checked(text, expected):
    with expected:
        assert Card.from_json(text).name == "größe"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"view": "whole", "size": 224, "short_side": 224, "resampling": "area"}, FINE),
        ({"view": "whole", "size": 224, "short_side": 223, "resampling": "area"}, refused("short")),
        ({"view": "whole", "size": 224, "short_side": 256}, refused("resampling")),
        ({"view": "aligned", "size": 112, "resampling": "pillow-bilinear"}, refused("resampling")),
        ({"view": "aligned", "size": -1}, refused("size")),
        ({"view": "photo", "size": 640, "resampling": "area"}, FINE),
        ({"view": "photo", "size": 640}, refused("resampling")),
        ({"view": "photo", "size": 0, "resampling": "area"}, refused("size")),
        ({"view": "aligned", "size": 1, "frame": 1.0}, FINE),
    ],
)
def test_crops_fit_their_view(fields, expected):
    with expected:
        assert Crop(**fields).view is View(fields["view"])


@pytest.mark.parametrize(
    ("raw", "score", "expected"),
    [
        ((0, 1), (0, 100), FINE),
        ((0,), (0,), refused("two or more")),
        ((0, 1, 2), (0, 100), refused("as many")),
        ((0, 0), (0, 100), refused("increasing")),
        ((1, 0), (0, 100), refused("increasing")),
        ((0, math.inf), (0, 100), refused("finite")),
        ((0, math.nan), (0, 100), refused("finite")),
        ((0, 1), (50, 50), refused("increase strictly")),
        ((0, 1), (-1, 50), refused("0..100")),
        ((0, 1), (0, 100.5), refused("0..100")),
        ((0, 1), (0, math.nan), refused("finite")),
    ],
)
def test_a_calibration_is_a_rising_table(raw, score, expected):
    with expected:
        assert table(raw, score).apply(raw).tolist() == list(score)


def slow_score(calibration: Calibration, raw: float) -> float:
    knots = list(zip(calibration.raw, calibration.score, strict=True))
    if raw <= knots[0][0]:
        return knots[0][1]
    for (left, low), (right, high) in pairwise(knots):
        if raw <= right:
            return low + (high - low) * (raw - left) / (right - left)
    return knots[-1][1]


def test_a_calibration_is_linear_between_and_constant_outside():
    raw = np.random.default_rng(0).uniform(-2, 5, (40, 5))
    expected = [[slow_score(table(), value) for value in row] for row in raw]
    assert table().apply(raw) == pytest.approx(np.array(expected), abs=1e-12)
    assert table().apply([-1e9, 1e9]).tolist() == [5.0, 100.0]


def populations():
    rng = np.random.default_rng(3)
    yield "normal", rng.normal(0.6, 0.1, 3000)
    yield "skewed", rng.exponential(2.0, 3000)
    yield "small", rng.normal(0, 1e-3, 50)
    yield "large numbers", 1e6 + rng.normal(0, 1, 500)
    yield "tied", np.round(rng.normal(0, 2, 1000))


@pytest.mark.parametrize(("name", "values"), list(populations()))
def test_scores_are_percentiles_of_the_population(name, values):
    found = calibrate(values, population=name, date="2026-01-01")
    assert found.population == name
    scores = found.apply(values)
    assert (np.diff(found.score) > 0).all()
    assert (found.score[0], found.score[-1]) == (0.0, 100.0)
    for raw, score in zip(values[:200], scores[:200], strict=True):
        below, upto = 100 * np.mean(values < raw), 100 * np.mean(values <= raw)
        assert below - 3.0 <= score <= upto + 3.0


def test_what_is_worse_or_better_than_all_still_gets_ranked():
    values = np.random.default_rng(1).normal(0, 1, 2000)
    found = calibrate(values, population="p", date="d")
    outside = [values.min() - 1, values.min() - 0.1, values.max() + 0.1, values.max() + 1]
    scores = found.apply(outside)
    assert (np.diff(scores) > 0).all()
    assert scores[0] > 0
    assert scores[-1] < 100


def test_calibration_follows_a_linear_change_of_raw():
    values = np.random.default_rng(2).gamma(2, 1, 500)
    one = calibrate(values, population="p", date="d")
    other = calibrate(7 * values - 3, population="p", date="d")
    assert other.apply(7 * values - 3) == pytest.approx(one.apply(values), abs=1e-9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(50), FINE),
        (np.arange(49), refused("50 or more")),
        (np.r_[np.arange(60), math.nan], refused("finite")),
        (np.r_[np.arange(60), math.inf], refused("finite")),
        (np.ones(100), refused("differ")),
        (np.r_[np.zeros(1000), 1.0], refused("differ")),
    ],
)
def test_a_population_needs_values_that_differ(values, expected):
    with expected:
        assert len(calibrate(values, population="p", date="d").raw) > 2


def plain_noise(seed: int, index: int) -> int:
    """One byte of golden noise, in Python's own integers."""
    mixed = (index + seed) * 0x9E3779B97F4A7C15 % 2**64
    return (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9 % 2**64 >> 56


@pytest.mark.parametrize("seed", [0, 7, 20251121, 2**63])
def test_golden_noise_is_integer_arithmetic(seed):
    noise = golden_inputs(seed, 8)[1].ravel().tolist()
    assert noise == [plain_noise(seed, index) for index in range(8 * 8 * 3)]


def test_golden_inputs_never_change():
    # A change here makes every model file ever written fail its golden vectors.
    assert zlib.crc32(golden_inputs(20251121, 112).tobytes()) == 0x54977C20
    assert zlib.crc32(golden_inputs(7, 32).tobytes()) == 0x16ECF793


def test_golden_inputs_are_three_different_pictures():
    images = golden_inputs(1, 24)
    assert images.shape == (3, 24, 24, 3)
    assert images.dtype == np.uint8
    assert all(image.std() > 20 for image in images)
    assert (golden_inputs(2, 24)[1] != images[1]).mean() > 0.9
    assert np.abs(np.diff(images[0].astype(int), axis=0)).max() <= 10  # a ramp
