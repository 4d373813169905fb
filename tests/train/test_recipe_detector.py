"""The recipe ``detector``: its fields and what it refuses."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_detector import Detector


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    assert [field.name for field in dataclasses.fields(Detector)] == [
        "name",
        "licence",
        "version",
        "tables",
        "batch",
        "legs",
        "steps",
        "learning_rate",
        "optimiser",
        "weight_decay",
        "warmup",
        "average",
        "clip",
        "precision",
        "seed",
        "backgrounds",
        "shares",
        "surest",
        "hard",
        "mosaic",
        "empty",
        "degraded",
        "defocused",
        "covered",
        "upright",
        "start",
        "widths",
        "depths",
        "neck",
        "head",
        "size",
        "wide",
        "every",
        "long_side",
        "box_weight",
        "landmark_weight",
    ]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("widths", (16, 32, 64, 96), "5 whole numbers of 1 or more"),
        ("widths", (16, 32, 64, 96, 0), "5 whole numbers"),
        ("widths", (16, 32, 64, 96, 0.5), "5 whole numbers"),
        ("depths", (1, 1, 1, 1), "3 whole numbers"),
        ("depths", (), "3 whole numbers"),
        ("neck", 0, "1 or more"),
        ("head", 0, "1 or more"),
        ("every", 0, "1 or more"),
        ("size", 0, "1 or more"),
        ("size", 321, "a multiple of 64"),
        ("wide", 672, "a multiple of 64"),
        ("long_side", 600, "a multiple of 64"),
        ("shares", (), "one or more finite numbers above 0"),
        ("shares", (1.0, 0.0), "one or more finite numbers"),
        ("shares", (math.nan,), "one or more finite numbers"),
        ("shares", (math.inf, 1.0), "one or more finite numbers"),
        ("surest", 1.1, r"in 0\.\.1"),
        ("mosaic", -0.1, r"in 0\.\.1"),
        ("empty", math.nan, r"in 0\.\.1"),
        ("degraded", 2, r"in 0\.\.1"),
        ("covered", -1, r"in 0\.\.1"),
        ("defocused", 1.5, r"in 0\.\.1"),
        ("hard", 0.5, "a finite number of 1 or more"),
        ("hard", math.inf, "a finite number of 1 or more"),
        ("hard", math.nan, "a finite number of 1 or more"),
        ("upright", -1.0, "0 or more and finite"),
        ("upright", math.inf, "0 or more and finite"),
        ("box_weight", -1.0, "0 or more"),
        ("landmark_weight", math.nan, "0 or more"),
        ("batch", 0, "1 or more"),
        ("precision", "16", "bf16-mixed or 32-true"),
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(field, value, expected):
    with pytest.raises(RecipeError, match=f"{field} must be {expected}"):
        Detector(**{field: value})


def test_shares_may_be_nothing_or_all():
    for share in (0.0, 1.0):
        chosen = Detector(mosaic=share, empty=share, degraded=share, covered=share, surest=share)
        assert chosen.mosaic == chosen.empty == chosen.surest == share
