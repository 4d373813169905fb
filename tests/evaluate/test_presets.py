"""Presets: the table of the field, and values that contradict one another."""

from contextlib import nullcontext
from dataclasses import FrozenInstanceError, replace

import pytest

from facegauge.errors import OptionError
from facegauge.evaluate.presets import PRESETS, Preset, preset

TABLE = {
    # error, threshold, rate, leaving, quality, shape, normalisation, limit, points, closed
    "fiqat": ("fnmr", "start", 0.05, "mated", "min", "stairs", "none", 0.2, (), True),
    "difiqa": ("fnmr", "fmr", 1e-3, "mated", "min", "stairs", "e0", 0.3, (), False),
    "crfiqa": ("fnmr", "floating", 1e-3, "both", "min", "linear", "none", 0.95, (), False),
    "nist": (
        *("fnmr", "start", 0.01, "samples", "min", "stairs", "none", 0.2),
        *((0.01, 0.05, 0.2), False),
    ),
    "ofiq": ("fnmr", "start", 0.1, "mated", "min", "stairs", "none", 0.1, (0.1,), False),
}
FIELDS = (
    *("error", "threshold", "rate", "leaving", "quality", "shape"),
    *("normalisation", "limit", "points", "closed"),
)


def test_there_are_the_five_presets_of_the_field():
    assert list(PRESETS) == list(TABLE)
    for name, values in TABLE.items():
        found = preset(name)
        assert found.name == name
        assert tuple(getattr(found, field) for field in FIELDS) == values


def test_a_preset_stays_as_it_is():
    with pytest.raises(FrozenInstanceError):
        preset("difiqa").limit = 0.2
    with pytest.raises(TypeError):
        PRESETS["mine"] = preset("difiqa")


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(OptionError, match=r"fiqat, difiqa, crfiqa, nist, ofiq, got 'erc'"):
        preset("erc")


@pytest.mark.parametrize(
    ("name", "fmr"),
    [("fiqat", None), ("difiqa", 1e-3), ("crfiqa", 1e-3), ("nist", None), ("ofiq", None)],
)
def test_the_fmr_is_that_of_the_threshold(name, fmr):
    assert preset(name).fmr == fmr


@pytest.mark.parametrize("name", TABLE)
def test_a_preset_says_all_that_it_does(name):
    found = preset(name)
    for field, other in {"rate": 0.02, "limit": 0.15, "normalisation": "best"}.items():
        assert str(replace(found, **{field: other})) != str(found)
    assert str(found).startswith(f"{name}: FNMR, ")


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        ("difiqa", {"limit": 1.0}, nullcontext()),
        ("difiqa", {"threshold": "given", "rate": None}, nullcontext()),
        ("difiqa", {"error": "fmr", "rate": 0.1}, nullcontext()),
        ("difiqa", {"limit": 0.0}, pytest.raises(OptionError, match="limit")),
        ("difiqa", {"limit": 1.1}, pytest.raises(OptionError, match="limit")),
        ("difiqa", {"limit": float("nan")}, pytest.raises(OptionError, match="limit")),
        ("crfiqa", {"limit": 1.0}, pytest.raises(OptionError, match=r"0\.95")),
        ("nist", {"points": (0.1, 1.1)}, pytest.raises(OptionError, match="points")),
        ("difiqa", {"rate": None}, pytest.raises(OptionError, match="rate")),
        ("difiqa", {"rate": 1.0}, pytest.raises(OptionError, match="rate")),
        ("difiqa", {"threshold": "given"}, pytest.raises(OptionError, match="no rate")),
        ("crfiqa", {"error": "fmr"}, pytest.raises(OptionError, match="fixed threshold")),
        ("nist", {"quality": "mean"}, pytest.raises(OptionError, match="samples leave")),
        ("crfiqa", {"closed": True}, pytest.raises(OptionError, match="stairs")),
    ],
)
def test_values_that_contradict_one_another_are_refused(base, changes, expected):
    with expected:
        assert isinstance(_changed(base, changes), Preset)


@pytest.mark.parametrize("field", ["error", "threshold", "leaving", "quality", "shape"])
def test_an_unknown_value_is_refused(field):
    with pytest.raises(OptionError, match="'sideways'"):
        replace(preset("difiqa"), **{field: "sideways"})


def _changed(base, changes):
    return replace(preset(base), **changes)
