"""What all recipes have in common: explained, frozen, refused when wrong."""

import ast
import dataclasses
import inspect
from itertools import pairwise

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe import Recipe
from facegauge.train.recipes import KINDS

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def declared(kind: type) -> list[ast.stmt]:
    """The statements of a class."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(kind)))
    return next(
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind.__name__
    ).body


def fields_of(body: list[ast.stmt]) -> list[str]:
    return [node.target.id for node in body if isinstance(node, ast.AnnAssign)]


def explained(body: list[ast.stmt]) -> list[str]:
    """Fields with a sentence below them."""
    return [
        first.target.id
        for first, second in pairwise(body)
        if isinstance(first, ast.AnnAssign)
        and isinstance(second, ast.Expr)
        and isinstance(second.value, ast.Constant)
        and len(second.value.value) > 10
        and second.value.value.endswith(".")
    ]


def test_every_common_field_is_explained_below_itself():
    body = declared(Recipe)
    assert explained(body) == fields_of(body) == [f.name for f in dataclasses.fields(Recipe)]


@each_kind
def test_every_field_is_explained_once_where_it_is_introduced(kind):
    seen = []
    for step in reversed(kind.__mro__[:-1]):  # from Recipe down to the kind, object left out
        body = declared(step)
        own = [name for name in fields_of(body) if name not in seen]
        assert explained(body) == own
        seen += own
    assert [field.name for field in dataclasses.fields(kind)] == seen


@each_kind
def test_every_field_has_a_default_of_its_own_kind(kind):
    """The command line takes the kind of a value from the default."""
    for field in dataclasses.fields(kind):
        assert type(getattr(kind(), field.name)).__name__ == field.type.split("[")[0]


@each_kind
def test_a_recipe_is_frozen(kind):
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().batch = 3


@pytest.mark.parametrize("kind", [Recipe, *KINDS.values()])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "name must be given, got ''"),
        ("version", "", "version must be given"),
        ("batch", 0, "batch must be 1 or more, got 0"),
        ("legs", 0, "legs must be 1 or more"),
        ("steps", -1, "steps must be 1 or more"),
        ("seed", -1, "seed must be 0 or more"),
        ("weight_decay", float("nan"), "weight_decay must be 0 or more and finite, got nan"),
        ("weight_decay", float("inf"), "weight_decay must be"),
        ("optimiser", "adam", "optimiser must be adamw or (muon|sgd), got 'adam'"),
        ("learning_rate", 0.0, "learning_rate must be above 0 and finite, got 0"),
        ("learning_rate", float("inf"), "learning_rate must be"),
        ("clip", -1.0, "clip must be above 0"),
        ("clip", float("nan"), "clip must be"),
        ("warmup", 1.5, r"warmup must be in 0\.\.1, got 1\.5"),
        ("average", float("nan"), "average must be in"),
        ("precision", "16", "precision must be bf16-mixed or 32-true, got '16'"),
    ],
)
def test_a_wrong_value_is_refused_on_construction(kind, field, value, message):
    with pytest.raises(RecipeError, match=message):
        kind(**{field: value})


@pytest.mark.parametrize("field", ["weight_decay", "seed", "warmup", "average"])
def test_nothing_is_an_amount_too(field):
    assert getattr(Recipe(**{field: 0}), field) == 0
