"""The recipe ``first``: its fields and what it refuses."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_first import First


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    assert [field.name for field in dataclasses.fields(First)] == [
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
        "recognisers",
        "backbone",
        "size",
        "head_width",
        "views",
        "jitter",
        "loose",
        "frame",
        "embedding_weight",
        "label_beta",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", ""),
        ("recognisers", ()),
        ("size", 0),
        ("views", 0),
        ("head_width", 0),
        ("jitter", -0.1),
        ("jitter", math.nan),
        ("jitter", math.inf),
        ("embedding_weight", -1.0),
        ("label_beta", 0.0),
        ("label_beta", math.nan),
        ("frame", 0.0),
        ("frame", 1.1),
        ("loose", 1.5),
        ("loose", -0.1),
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(field, value):
    with pytest.raises(RecipeError, match=f"{field} must be"):
        First(**{field: value})


def test_jitter_is_three_pixels_of_the_crop():
    from facegauge.alignment import TEMPLATE_EYE_DISTANCE

    assert math.isclose(First().jitter * TEMPLATE_EYE_DISTANCE, 3.0, abs_tol=0.01)
