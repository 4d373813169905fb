"""The recipes ``cr-fiqa`` and ``magface``: their fields and what they refuse."""

import dataclasses
import math

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_embedding import CrFiqa, Embedding, MagFace

EMBEDDING = ["network", "width", "start", "size", "jitter", "degraded", "frame"]


def fields(kind):
    return [field.name for field in dataclasses.fields(kind)]


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    assert fields(Embedding) == [*fields(Recipe), *EMBEDDING]
    own = ["scale", "margin", "quality_weight", "quality_beta"]
    assert fields(CrFiqa) == [*fields(Embedding), *own]
    own = ["scale", "shortest", "longest", "least_margin", "most_margin", "penalty_weight"]
    assert fields(MagFace) == [*fields(Embedding), *own]


def test_constants_are_those_of_the_papers():
    chosen = CrFiqa()
    assert (chosen.scale, chosen.margin) == (64.0, 0.5)
    assert (chosen.quality_weight, chosen.quality_beta) == (10.0, 0.5)
    mag = MagFace()
    assert (mag.scale, mag.penalty_weight) == (64.0, 35.0)
    assert (mag.shortest, mag.longest) == (10.0, 110.0)
    assert (mag.least_margin, mag.most_margin) == (0.45, 0.8)


def test_the_penalty_is_heavy_enough_for_one_best_length():
    """The bound of the paper, as MagFace's docstring states it."""
    mag = MagFace()
    slope = (mag.most_margin - mag.least_margin) / (mag.longest - mag.shortest)
    low, high = mag.shortest**2, mag.longest**2
    bound = mag.scale * slope * low * high / (high - low)
    assert bound == pytest.approx(22.6, abs=0.05)
    assert mag.penalty_weight > bound


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (CrFiqa, "network", ""),
        (CrFiqa, "width", 0),
        (CrFiqa, "batch", 1),
        (CrFiqa, "size", 0),
        (CrFiqa, "jitter", -0.1),
        (CrFiqa, "jitter", math.nan),
        (CrFiqa, "degraded", 1.1),
        (CrFiqa, "frame", 0.0),
        (CrFiqa, "frame", 1.1),
        (CrFiqa, "scale", 0.0),
        (CrFiqa, "margin", -0.1),
        (CrFiqa, "margin", 3.2),
        (CrFiqa, "quality_weight", math.inf),
        (CrFiqa, "quality_beta", 0.0),
        (MagFace, "scale", math.nan),
        (MagFace, "shortest", 0.0),
        (MagFace, "longest", 10.0),
        (MagFace, "longest", math.inf),
        (MagFace, "least_margin", -0.1),
        (MagFace, "most_margin", 0.4),
        (MagFace, "most_margin", 3.2),
        (MagFace, "penalty_weight", -1.0),
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(kind, field, value):
    with pytest.raises(RecipeError, match=f"{field} must be"):
        kind(**{field: value})
