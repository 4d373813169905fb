import dataclasses

import pytest

from facegauge.curation.rules import Per, Rules
from facegauge.errors import OptionError


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "got none"),
        ({"unscored": True}, "got none"),
        ({"per": Per.IDENTITY}, "--per identity alone"),
        ({"per": Per.TRACK, "min_score": 5.0}, "--per track alone"),
        ({"keep": 0}, "1 or more"),
        ({"keep": -3}, "got -3"),
        ({"discard": 1.0}, "below 1"),
        ({"discard": -0.1}, "got -0.1"),
        ({"discard": float("nan")}, "share"),
        ({"min_score": float("nan")}, "finite"),
        ({"apart": 1.0}, "cosine"),
        ({"apart": -1.1}, "cosine"),
        ({"apart": float("nan")}, "cosine"),
    ],
)
def test_what_is_no_rule(values, told):
    with pytest.raises(OptionError, match=told):
        Rules(**values)


@pytest.mark.parametrize(
    "values", [{"discard": 0.0}, {"min_score": 0.0}, {"keep": 1, "per": Per.TRACK}, {"apart": -1.0}]
)
def test_what_is_one(values):
    rules = Rules(**values)
    assert {name: value for name, value in dataclasses.asdict(rules).items() if value} == {
        name: value for name, value in values.items() if value
    }
