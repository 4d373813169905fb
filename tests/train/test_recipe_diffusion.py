"""The recipe ``difiqa``: its fields and what it refuses."""

import dataclasses

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_diffusion import DifFiqa


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    shared = [field.name for field in dataclasses.fields(Recipe)]
    own = ["size", "dim", "multiples", "blocks", "timesteps", "horizon"]
    assert [field.name for field in dataclasses.fields(DifFiqa)] == [*shared, *own]


def test_it_is_small_and_the_paper_can_be_asked_for():
    chosen = DifFiqa()
    assert (chosen.size, chosen.dim, chosen.multiples) == (112, 32, (1, 2, 4))
    assert (chosen.timesteps, chosen.horizon) == (1000, 100)
    DifFiqa(dim=128, multiples=(1, 2, 4, 8))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 0),
        ("size", 110),
        ("dim", 0),
        ("dim", 12),
        ("multiples", ()),
        ("multiples", (1, 0)),
        ("blocks", 0),
        ("horizon", 0),
        ("timesteps", 99),
    ],
)
def test_what_cannot_train_is_refused_at_once(field, value):
    with pytest.raises(RecipeError, match=f"{field} must be"):
        DifFiqa(**{field: value})
