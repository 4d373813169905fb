"""The recipe ``judge``: its own fields and what it refuses."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_detector import Scenery
from facegauge.train.recipe_judge import Judge


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    shared = {field.name for field in dataclasses.fields(Scenery)}
    own = [field.name for field in dataclasses.fields(Judge) if field.name not in shared]
    assert own == [
        *("detector", "least", "scenes", "doubted", "widths", "depths", "gathered", "hidden"),
        *("start", "spoiled", "embossed", "moved", "scaled", "turned", "weight", "box_weight"),
        "landmark_weight",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 1},
        {"scenes": 0},
        {"gathered": 0},
        {"hidden": 0},
        {"least": 1.5},
        {"doubted": 0.5},
        {"doubted": math.inf},
        {"spoiled": -0.1},
        {"embossed": 2.0},
        {"weight": -1.0},
        {"turned": math.nan},
        {"widths": (1, 2, 3)},
        {"depths": (1, 0)},
        {"shares": ()},
        {"hard": 0.5},
        {"upright": -1.0},
    ],
)
def test_bad_values_are_refused(change):
    with pytest.raises(RecipeError, match=next(iter(change))):
        Judge(**change)
