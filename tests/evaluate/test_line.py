import json

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.engine import edc
from facegauge.evaluate.line import Line, ordered
from facegauge.evaluate.presets import PRESETS
from toy_lines import line

PROMISED = {
    *("method", "recogniser", "preset", "fmr", "threshold", "discard_limit"),
    *("pauc", "pauc_low", "pauc_high", "comparisons", "errors", "discard", "error"),
}


def test_a_record_comes_back():
    made = line(pauc_low=0.6, pauc_high=0.8, protocol="in words", samples=9, failures=1)
    record = json.loads(json.dumps(made.to_dict()))
    assert set(record) >= PROMISED
    assert Line.from_dict(record) == made


def test_a_curve_of_the_engine_and_a_set_name_are_enough():
    record = {name: line().to_dict()[name] for name in PROMISED}
    made = Line.from_dict(record | {"unknown": 1}, "xqlfw")
    assert made == line(set_name="xqlfw")


@pytest.mark.parametrize(("preset", "shape"), [("crfiqa", "linear"), ("difiqa", "stairs")])
def test_the_shape_follows_the_preset_unless_given(preset, shape):
    record = line(preset=preset).to_dict()
    assert Line.from_dict(record | {"shape": "stairs"}).shape == "stairs"
    del record["shape"]
    assert Line.from_dict(record).shape == shape


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": " "}, "needs a method, got ' '"),
        ({"set_name": ""}, "needs a set_name"),
        ({"pauc": float("nan")}, "a finite pauc, got nan"),
        ({"pauc": "0.7"}, "a finite pauc, got 0.7"),
        ({"pauc_low": 0.1}, "both ends of the interval or none"),
        ({"discard_limit": 0.0}, r"a discard_limit in \(0, 1\], got 0.0"),
        ({"discard_limit": None}, "a finite number as discard_limit"),
        ({"errors": 4000}, "0 <= errors <= comparisons"),
        ({"comparisons": 0, "errors": 0}, "0 <= errors <= comparisons"),
        ({"discard": (0.0, 0.1)}, "as many discards as errors"),
        ({"discard": (), "error": ()}, "at least one"),
        ({"discard": (0.1, 0.2, 0.3)}, "rise from 0"),
        ({"discard": (0.0, 0.2, 0.1)}, "rise from 0"),
        ({"error": (0.1, 1.2, 0.0)}, "errors in 0..1"),
        ({"error": (0.1, float("nan"), 0.0)}, "errors in 0..1"),
        ({"shape": "round"}, "stairs or linear"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        line(**change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record.pop("set_name"), "got none for set_name"),
        (lambda record: record.pop("errors"), "got none for errors"),
        (lambda record: record.update(discard="ab"), "could not convert"),
        (lambda record: record.update(error=3), "not iterable"),
        (lambda record: record.update(errors="many"), "numbers and names where they belong"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(change, words):
    record = line().to_dict()
    change(record)
    with pytest.raises(InputError, match=words):
        Line.from_dict(record)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "difiqa, FMR 0.001, pAUC to discard 0.3"),
        ({"preset": "nist", "fmr": None}, "nist, pAUC to discard 0.3"),
        ({"kind": "FMR"}, "difiqa, FMR, FMR 0.001, pAUC to discard 0.3"),
    ],
)
def test_the_rule_in_words(changes, rule):
    assert line(**changes).rule == rule


def test_names_keep_their_order():
    assert ordered(["b", "a", "b"]) == ("b", "a")


@pytest.mark.parametrize("name", PRESETS)
def test_a_curve_of_every_preset_becomes_a_line(name):
    rng = np.random.default_rng(0)
    mated = rng.random(9000) < 0.4
    pairs = ComparedPairs(
        samples=500,
        first=rng.integers(0, 250, 9000),
        second=rng.integers(250, 500, 9000),
        similarity=np.where(mated, rng.normal(0.5, 0.2, 9000), rng.normal(0, 0.1, 9000)),
        mated=mated,
    )
    quality = np.append(rng.random(498), [np.nan, np.nan])
    curve = edc(pairs, quality, PRESETS[name], method="ours", recogniser="AdaFace")
    made = Line.from_edc(curve, "lfw")
    assert made.to_dict().items() >= curve.to_dict().items()
    assert (made.shape, made.kind) == ("linear" if name == "crfiqa" else "stairs", "FNMR")
    assert (made.samples, made.failures, made.protocol) == (500, 2, str(PRESETS[name]))
    assert Line.from_dict(curve.to_dict(), "lfw").shape == made.shape
