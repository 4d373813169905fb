import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.bootstrap import compare_methods
from facegauge.evaluate.differences import (
    COLUMNS,
    Difference,
    by_reference,
    decimals_of,
    signed,
    to_csv,
    to_markdown,
    to_reference,
)
from facegauge.evaluate.presets import PRESETS
from slow_edc import toy_pairs


def difference(method="theirs", value=-0.02, low=-0.03, high=-0.01, **changes) -> Difference:
    values = {
        "method": method,
        "reference": "ours",
        "set_name": "lfw",
        "recogniser": "AdaFace",
        "value": value,
        "low": low,
        "high": high,
        "confidence": 0.95,
    }
    return Difference(**(values | changes))


def compared(qualities, identities, pairs, **options):
    options = {"threshold": 0.45, "recogniser": "toy", "resamples": 300} | options
    return compare_methods(pairs, qualities, identities, PRESETS["difiqa"], **options)


def toy():
    """Pairs, identities, and a good and two random qualities."""
    pairs, quality, identities = toy_pairs(3, people=30, each=6, failures=0)
    lowest = np.full(quality.size, np.inf)  # the lowest mated similarity of each sample
    for side in (pairs.first, pairs.second):
        np.minimum.at(lowest, side[pairs.mated], pairs.similarity[pairs.mated])
    rng = np.random.default_rng(1)
    return pairs, identities, lowest, rng.normal(size=lowest.size), rng.normal(size=lowest.size)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.2, -0.1, "better"),
        (0.1, 0.2, "worse"),
        (-0.1, 0.1, "not told apart"),
        (0.0, 0.1, "not told apart"),
        (-0.1, 0.0, "not told apart"),
        (0.0, 0.0, "not told apart"),
    ],
)
def test_the_verdict_is_where_the_interval_lies(low, high, verdict):
    assert difference(low=low, high=high).verdict == verdict


def test_the_first_method_is_the_reference_and_numbers_are_those_of_the_draws():
    pairs, identities, good, random, other = toy()
    found = compared({"good": good, "random": random, "other": other}, identities, pairs)
    rows = to_reference(found, "s")
    assert [(row.method, row.reference) for row in rows] == [("random", "good"), ("other", "good")]
    assert {(row.set_name, row.recogniser, row.confidence) for row in rows} == {("s", "toy", 0.95)}
    for place, row in enumerate(rows, 1):
        draws = sorted((found.draws[place] - found.draws[0]).tolist())
        assert row.value == found.curves[place].pauc() - found.curves[0].pauc()
        assert draws[6] <= row.low <= draws[8]  # 2.5 % of 300
        assert draws[291] <= row.high <= draws[293]


def test_random_scores_are_told_apart_from_good_ones_and_not_from_each_other():
    pairs, identities, good, random, other = toy()
    rows = to_reference(
        compared({"random": random, "good": good, "other": other}, identities, pairs), "s"
    )
    assert [row.verdict for row in rows] == ["better", "not told apart"]


@pytest.mark.parametrize("preset", ["difiqa", "fiqat", "nist", "ofiq"])
def test_a_method_against_itself_is_exactly_0(preset):
    pairs, quality, identities = toy_pairs(5)
    both = {"one": quality, "same": quality * 3 + 7}  # the same order, on another scale
    found = compare_methods(
        pairs,
        both,
        identities,
        PRESETS[preset],
        threshold=0.45,
        resamples=50,
        recogniser="toy",
    )
    [row] = to_reference(found, "s")
    assert (row.value, row.low, row.high, row.verdict) == (0.0, 0.0, 0.0, "not told apart")
    own = found.difference("one", "one")
    assert (own.value, own.low, own.high) == (0.0, 0.0, 0.0)


def test_one_method_has_no_difference():
    pairs, quality, identities = toy_pairs(5)
    assert to_reference(compared({"q": quality}, identities, pairs, resamples=5), "s") == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"method": ""},
        {"value": math.nan},
        {"high": math.inf},
        {"low": 0.2},
        {"confidence": 1.0},
    ],
)
def test_what_is_no_difference(changes):
    with pytest.raises(InputError, match="Take it from MethodComparison.difference"):
        replace(difference(), **changes)


def test_markdown_has_a_row_for_each():
    rows = [difference(), difference("a|b", 0.0004, -0.01, 0.012, recogniser="y1")]
    text = to_markdown(rows)
    assert text.startswith("## Difference to ours\n\npAUC of a method minus that of ours: below 0")
    assert "The 95 % interval" in text
    assert "| theirs | AdaFace | lfw | -0.0200 | [-0.0300, -0.0100] | better |" in text
    assert "| a\\|b | y1 | lfw | +0.0004 | [-0.0100, +0.0120] | not told apart |" in text
    assert to_markdown([]) == ""


def test_each_reference_has_its_own_part():
    rows = [difference(), difference(reference="base"), difference("third")]
    assert [[row.method for row in own] for own in by_reference(rows)] == [
        ["theirs", "third"],
        ["theirs"],
    ]
    assert to_markdown(rows).count("## Difference to ") == 2


def test_csv_has_the_numbers_in_full():
    rows = [difference(value=-1 / 3, low=-0.5), difference("third", 0.1, 0.05, 0.2)]
    first, second = csv.DictReader(io.StringIO(to_csv(rows)))
    assert float(first["difference"]) == -1 / 3
    assert first["method_is"] == "better"
    assert list(second.values()) == [
        "AdaFace",
        "lfw",
        "third",
        "ours",
        "0.1",
        "0.05",
        "0.2",
        "0.95",
        "worse",
    ]
    assert to_csv([]) == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([(0.1, 0.9)], 3),
        ([(0.01, 0.02)], 4),
        ([(0.1, 0.9), (-0.001, 0.001)], 4),
        ([(0.1, 0.9), (0.2, 0.2 + 1e-13)], 6),
        ([(0.0, 0.0)], 3),
        ([], 3),
    ],
)
def test_a_narrow_interval_is_shown_with_two_digits(ends, expected):
    rows = [difference(value=low, low=low, high=high) for low, high in ends]
    assert decimals_of(rows) == expected


def test_a_rounded_0_has_no_sign():
    assert [signed(value, 2) for value in (0.001, -0.001, 0.0, -0.05, 0.5)] == [
        "0.00",
        "0.00",
        "0.00",
        "-0.05",
        "+0.50",
    ]
