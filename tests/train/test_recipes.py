"""Recipes: changed from the command line, written down, read again, refused when wrong."""

import ast
import dataclasses
import inspect
import json
import math
from itertools import pairwise

import pytest

from facegauge.errors import RecipeError
from facegauge.train import recipes
from facegauge.train.recipes import RECIPES, First, describe, from_json, recipe


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("batch=8", "batch", 8),
        ("learning_rate=1e-4", "learning_rate", 1e-4),
        ("loose=0", "loose", 0.0),
        ("weight_decay=1", "weight_decay", 1.0),
        ("name=mine", "name", "mine"),
        ("name=a=b", "name", "a=b"),
        ("version=2", "version", "2"),
        ("tables=a", "tables", ("a",)),
        ("tables=a,b", "tables", ("a", "b")),
        ("tables=a,", "tables", ("a",)),
        ("tables=", "tables", ()),
        ("precision=32-true", "precision", "32-true"),
    ],
)
def test_a_change_has_the_type_of_its_field(change, field, value):
    found = getattr(recipe("first", (change,)), field)
    assert found == value
    assert type(found) is type(value)


def test_without_changes_a_recipe_is_what_it_is():
    assert recipe("first") == RECIPES["first"] == First()


def test_changes_leave_the_recipe_alone_and_the_last_one_holds():
    assert recipe("first", ("batch=8", "batch=9", "seed=3")).batch == 9
    assert RECIPES["first"] == First()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("", "key=value"),
        ("batch", "key=value"),
        ("=8", "key=value"),
        ("bach=8", "key=value.*Fields: .*batch"),
        ("BATCH=8", "key=value"),
        ("batch=", "batch needs a int"),
        ("batch=8.5", "batch needs a int such as 64, got '8.5'"),
        ("batch=many", "batch needs a int"),
        ("learning_rate=fast", "learning_rate needs a float"),
        ("batch=0", "batch must be 1 or more, got 0"),
        ("steps=-1", "steps must be"),
        ("jitter=-0.1", "jitter must be 0 or more"),
        ("jitter=nan", "jitter must be"),
        ("loose=1.5", "loose must be in 0..1"),
        ("average=nan", "average must be"),
        ("learning_rate=0", "learning_rate must be above 0"),
        ("learning_rate=nan", "learning_rate must be"),
        ("precision=16", "precision must be bf16-mixed or 32-true, got '16'"),
        ("precision=", "precision must be"),
    ],
)
def test_a_wrong_change_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        recipe("first", (change,))


@pytest.mark.parametrize(
    "change",
    [
        "name=",
        "version=",
        "recognisers=",
        "backbone=",
        "seed=-1",
        "label_beta=-1",
        "label_beta=nan",
        "clip=-1",
        "clip=nan",
        "learning_rate=inf",
        "jitter=inf",
        "frame=0",
    ],
)
def test_what_cannot_train_or_export_is_refused_at_once(change):
    with pytest.raises(RecipeError):
        recipe("first", (change,))


def test_an_unknown_recipe_is_told_the_known_ones():
    with pytest.raises(RecipeError, match="'last'; one of: first"):
        recipe("last")


def test_what_is_written_beside_a_checkpoint_is_read_again():
    changed = recipe("first", ("tables=a,b", "batch=8", "loose=0.5", "name=mine"))
    for chosen in (First(), changed):
        text = json.dumps(describe(chosen))
        assert from_json(text) == chosen
        assert set(json.loads(text)) == {field.name for field in dataclasses.fields(First)}


def test_a_stored_field_that_is_unknown_is_named():
    text = json.dumps({**describe(First()), "dropout": 0.1, "zoom": 2})
    with pytest.raises(RecipeError, match="unknown fields: dropout, zoom"):
        from_json(text)


def test_a_stored_value_that_is_wrong_is_refused():
    with pytest.raises(RecipeError, match="batch must be 1 or more"):
        from_json(json.dumps({**describe(First()), "batch": 0}))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"batch": "8"}'])
def test_a_stored_recipe_that_is_broken_is_told(text):
    with pytest.raises(RecipeError):
        from_json(text)


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        First().batch = 3


def test_the_fields_are_these():
    """Flags and stored recipes hang on the names: a change here is a change for users."""
    assert [field.name for field in dataclasses.fields(First)] == [
        "name",
        "licence",
        "version",
        "tables",
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
        "batch",
        "legs",
        "steps",
        "learning_rate",
        "weight_decay",
        "warmup",
        "average",
        "clip",
        "precision",
        "seed",
    ]


def test_every_field_is_explained_below_itself():
    tree = ast.parse(inspect.getsource(recipes))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    body = next(node for node in classes if node.name == "First").body
    explained = [
        first.target.id
        for first, second in pairwise(body)
        if isinstance(first, ast.AnnAssign)
        and isinstance(second, ast.Expr)
        and isinstance(second.value, ast.Constant)
        and len(second.value.value) > 10
        and second.value.value.endswith(".")
    ]
    assert explained == [field.name for field in dataclasses.fields(First)]


def test_jitter_is_three_pixels_of_the_crop():
    from facegauge.alignment import TEMPLATE_EYE_DISTANCE

    assert math.isclose(First().jitter * TEMPLATE_EYE_DISTANCE, 3.0, abs_tol=0.01)
