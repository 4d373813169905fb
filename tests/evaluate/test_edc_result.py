"""One curve read, printed, saved and drawn."""

import builtins
import csv
import json
import math
from dataclasses import FrozenInstanceError, replace

import matplotlib as mpl
import numpy as np
import pytest

from facegauge.errors import InputError, MissingExtra, OptionError
from facegauge.evaluate.edc_result import CSV_COLUMNS, Edc, Interval
from facegauge.evaluate.presets import PRESETS

mpl.use("Agg")

KEYS = (
    *("method", "recogniser", "preset", "fmr", "threshold", "discard_limit", "pauc"),
    *("pauc_low", "pauc_high", "comparisons", "errors", "discard", "error"),
)


def curve(preset="difiqa", errors=(40, 30, 5), **changes):
    """Of 100, 80 and 50 pairs at 0, 20 % and 50 %; on a linear curve at 0, 30 % and 95 %."""
    linear = preset == "crfiqa"
    values = {
        "method": "ours",
        "recogniser": "y1",
        "preset": PRESETS[preset],
        "discard": np.array([0.0, 0.3, 0.95] if linear else [0.0, 0.2, 0.5]),
        "remaining": np.array([100, 80, 50]),
        "remaining_errors": np.array(errors),
        "thresholds": np.full(3, 0.25),
        "samples": 60,
        "failures": 3,
    }
    return Edc(**(values | changes))


@pytest.mark.parametrize(
    ("preset", "discard", "error", "comparisons", "errors"),
    [
        ("difiqa", 0.0, 0.4, 100, 40),
        ("difiqa", 0.19, 0.4, 100, 40),
        ("difiqa", 0.2, 0.375, 80, 30),
        ("difiqa", 1.0, 0.1, 50, 5),
        ("crfiqa", 0.0, 0.4, 100, 40),
        ("crfiqa", 0.15, 0.3875, 100, 40),
        ("crfiqa", 0.3, 0.375, 80, 30),
        ("crfiqa", 0.95, 0.1, 50, 5),
    ],
)
def test_the_error_after_a_discard(preset, discard, error, comparisons, errors):
    assert curve(preset).at(discard) == pytest.approx(error)
    point = curve(preset).point(discard)
    assert (point.comparisons, point.errors) == (comparisons, errors)
    assert (point.discard, point.error) == (discard, pytest.approx(error))


@pytest.mark.parametrize(
    ("preset", "limit", "how", "area"),
    [
        ("difiqa", 0.1, "none", 0.04),
        ("difiqa", 0.3, "none", 0.08 + 0.0375),
        ("difiqa", 0.3, None, (0.08 + 0.0375) / (0.4 * 0.3)),
        ("difiqa", 1.0, "none", 0.08 + 0.1125 + 0.05),
        ("difiqa", 0.3, "best", 0.08 + 0.0375 - (0.4**2 / 2 - 0.1**2 / 2)),
        ("difiqa", 0.6, "best", 0.08 + 0.1125 + 0.01 - 0.4**2 / 2),
        ("crfiqa", 0.3, None, 0.3 * (0.4 + 0.375) / 2),
        ("crfiqa", 0.15, None, 0.15 * (0.4 + 0.3875) / 2),
        ("crfiqa", 0.95, None, 0.3 * (0.4 + 0.375) / 2 + 0.65 * (0.375 + 0.1) / 2),
        ("nist", None, None, 0.08),
    ],
)
def test_the_area_by_hand(preset, limit, how, area):
    assert curve(preset).pauc(limit, how) == pytest.approx(area, abs=1e-15)


def test_points_of_the_preset():
    assert [point.error for point in curve("nist").points] == [0.4, 0.4, 0.375]
    assert [point.discard for point in curve("ofiq").points] == [0.1]
    assert curve("difiqa").points == ()


def test_counts_at_the_start():
    found = curve()
    assert (found.comparisons, found.errors, found.threshold) == (100, 40, 0.25)
    assert found.failure_share == 0.05


def test_nothing_left_is_no_error():
    found = curve(remaining=np.array([100, 80, 0]), errors=(40, 30, 0))
    assert found.error.tolist() == [0.4, 0.375, 0.0]


def test_a_curve_stays_as_it_is():
    with pytest.raises(FrozenInstanceError):
        curve().method = "theirs"


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.01, math.nan])
def test_a_limit_lies_on_the_curve(limit):
    with pytest.raises(InputError, match="limit"):
        curve().pauc(limit)


@pytest.mark.parametrize(("preset", "discard"), [("difiqa", 1.1), ("crfiqa", 0.96), ("nist", -1)])
def test_a_discard_lies_on_the_curve(preset, discard):
    with pytest.raises(InputError, match="discard on this curve"):
        curve(preset).at(discard)


def test_without_an_error_there_is_no_share_of_it():
    found = curve(errors=(0, 0, 0))
    with pytest.raises(InputError, match="no error a discard could avoid"):
        found.pauc()
    assert found.pauc(how="none") == 0
    assert found.to_dict()["pauc"] is None
    assert "no pAUC without errors" in str(found)


def test_a_dictionary_has_the_keys_of_results():
    found = curve(interval=Interval(value=0.9, low=0.8, high=1.0, confidence=0.95)).to_dict()
    assert tuple(found) == KEYS
    assert found["method"], found["recogniser"] == ("ours", "y1")
    assert (found["preset"], found["fmr"], found["discard_limit"]) == ("difiqa", 1e-3, 0.3)
    assert (found["pauc_low"], found["pauc_high"]) == (0.8, 1.0)
    assert found["error"] == [0.4, 0.375, 0.1]
    assert curve("nist").to_dict()["fmr"] is None
    assert curve().to_dict()["pauc_low"] is None


def test_saved_and_read_again(tmp_path):
    found = curve()
    found.save(tmp_path / "curve.json")
    assert json.loads((tmp_path / "curve.json").read_text()) == found.to_dict()
    found.save(str(tmp_path / "curve.csv"))
    with (tmp_path / "curve.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == CSV_COLUMNS
    for key, values in {
        "discard": found.discard,
        "error": found.error,
        "comparisons": found.remaining,
        "errors": found.remaining_errors,
        "threshold": found.thresholds,
    }.items():
        assert [float(row[key]) for row in rows] == values.tolist()
    assert {(r["method"], r["recogniser"], r["preset"]) for r in rows} == {("ours", "y1", "difiqa")}


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(OptionError, match=r"\.json or \.csv, got curve\.txt"):
        curve().save(tmp_path / "curve.txt")


def test_a_line_says_what_one_must_know():
    text = str(curve(interval=Interval(value=0.979, low=0.8, high=1.01, confidence=0.95)))
    assert text == (
        "ours, y1, difiqa: pAUC(0.3) 0.9790 [0.8000, 1.0100]; FNMR 0.4000 at threshold 0.2500; "
        "40 errors in 100 comparisons, 30 in 80 left at 0.3; 3 of 60 samples without a score (5.0%)"
    )
    assert "0.4000 left at 0.01, 0.4000 left at 0.05, 0.3750 left at 0.2" in str(curve("nist"))
    assert "\n" not in str(curve("crfiqa"))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_plot_shows_the_preset_and_the_counts(preset):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    found = curve(preset)
    assert found.plot(axes) is axes
    replace(found, method="theirs").plot(axes)
    assert axes.get_title() == str(found.preset)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 2
    assert labels[0].startswith(f"ours, y1, {preset}: pAUC")
    assert "40/100 errors, " in labels[0]
    assert "3/60 samples without score" in labels[1]
    x, y = axes.get_lines()[0].get_data()
    assert y[:3].tolist() == found.error.tolist()
    assert x[-1] == (0.95 if preset == "crfiqa" else 1.0)
    assert (axes.get_lines()[0].get_drawstyle() == "steps-post") == (preset != "crfiqa")


def test_a_plot_shows_all_curves_whole():
    axes = curve().plot(curve(errors=(4, 3, 0)).plot())
    low, high = axes.get_ylim()
    assert low == 0
    assert high > 0.4
    from matplotlib import pyplot

    pyplot.close(axes.figure)


def test_a_plot_makes_its_own_axes():
    from matplotlib import pyplot

    axes = curve().plot()
    axes.figure.canvas.draw()
    assert axes.get_ylabel() == "FNMR"
    pyplot.close(axes.figure)


def test_a_plot_needs_matplotlib(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"facegauge\[evaluate\]"):
        curve().plot()


def test_an_interval_holds_its_ends():
    interval = Interval(value=1.0, low=0.9, high=1.2, confidence=0.95)
    assert 0.9 in interval
    assert 1.2 in interval
    assert 0.89 not in interval
    assert str(interval) == "1.0000 [0.9000, 1.2000]"
