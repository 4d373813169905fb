"""Recipes: changed from the command line, written down, read again, refused when wrong."""

import dataclasses
import json

import pytest

from facegauge.errors import RecipeError
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_first import First
from facegauge.train.recipes import (
    KINDS,
    RECIPES,
    changed,
    describe,
    fields,
    from_json,
    kind,
    recipe,
    stored,
)


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


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("widths=1,2,3,4,5", "widths", (1, 2, 3, 4, 5)),
        ("depths=1,1,2", "depths", (1, 1, 2)),
        ("backgrounds=a,b", "backgrounds", ("a", "b")),
        ("shares=1,0.5", "shares", (1.0, 0.5)),
        ("long_side=320", "long_side", 320),
        ("upright=0", "upright", 0.0),
    ],
)
def test_a_list_has_the_type_of_its_elements(change, field, value):
    found = getattr(recipe("detector", (change,)), field)
    assert found == value
    assert type(found) is type(value)


def test_without_changes_a_recipe_is_what_it_is():
    assert recipe("first") == RECIPES["first"] == First()
    assert recipe("detector") == RECIPES["detector"] == Detector()


def test_every_recipe_is_of_the_kind_of_its_name():
    assert RECIPES.keys() == KINDS.keys()
    for name, chosen in RECIPES.items():
        assert kind(chosen) == name


def test_a_changed_recipe_may_be_changed_again():
    once = changed(First(), ("batch=8",))
    assert changed(once, ("seed=3",)) == First(batch=8, seed=3)
    assert changed(once, ()) == once


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
    ("change", "message"),
    [
        ("widths=1,2,many,4,5", r"widths needs a int such as \(16.*got 'many'"),
        ("widths=1,2", "widths must be 5 whole numbers"),
        ("widths=", "widths must be 5 whole numbers"),
        ("depths=1,1.5,1", "depths needs a int"),
        ("jitter=0.1", "key=value.*Fields: .*upright"),
    ],
)
def test_a_wrong_change_of_a_detector_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        recipe("detector", (change,))


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
    with pytest.raises(RecipeError, match=r"'last'; one of: first, detector, judge, cr-fiqa"):
        recipe("last")


@pytest.mark.parametrize(
    "chosen",
    [
        First(),
        recipe("first", ("tables=a,b", "batch=8", "loose=0.5", "name=mine")),
        Detector(),
        recipe("detector", ("widths=1,2,3,4,5", "backgrounds=a", "tables=", "empty=0.5")),
        recipe("cr-fiqa", ("network=toy", "margin=0.4")),
        recipe("magface"),
        recipe("sdd-fiqa", ("labels=a.csv", "trained=7")),
        recipe("faceqnet"),
        recipe("difiqa-r", ("start=a.safetensors",)),
        recipe("difiqa", ("multiples=1,2,4,8", "dim=128")),
        recipe("ai-kd", ("labels=a.csv,b.pkl", "start=a.safetensors")),
        recipe("ai-kd-xxs", ("labels=", "chosen_by=loss", "devices=2")),
        recipe("perceptual", ("network=toy", "size=24")),
        recipe("efficient-fiqa", ("data.labels=a", "teacher.size=24", "student.channels=0.5")),
        recipe("efficient-fiqa-small", ("alone=0",)),
    ],
)
def test_what_is_written_beside_a_checkpoint_is_read_again(chosen):
    text = json.dumps(stored(chosen))
    found = from_json(text)
    assert found == chosen
    assert type(found) is type(chosen)
    names = {field.name for field in dataclasses.fields(chosen)}
    assert set(json.loads(text)) == names | {"kind"}
    assert set(describe(chosen)) == names


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("data.labels=mos", "data.labels", "mos"),
        ("labels=mos", "data.labels", "mos"),
        ("unlabelled_a=wild", "data.unlabelled_a", "wild"),
        ("teacher.size=160", "teacher.size", 160),
        ("student.channels=2", "student.channels", 2.0),
        ("teacher.weights=a=b", "teacher.weights", "a=b"),
        ("batch=8", "batch", 8),
    ],
)
def test_fields_of_parts_are_changed_by_their_full_name_or_where_it_is_clear(change, field, value):
    before, after = fields(recipe("efficient-fiqa")), fields(recipe("efficient-fiqa", (change,)))
    assert after[field] == value
    assert type(after[field]) is type(value)
    assert {key for key in after if after[key] != before[key]} == {field}


def test_several_changes_of_one_part_hold_together():
    found = recipe("efficient-fiqa", ("teacher.size=8", "teacher.short_side=9", "labels=x"))
    assert (found.teacher.size, found.teacher.short_side, found.data.labels) == (8, 9, "x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("size=8", "known field, got 'size=8'. Fields: .*teacher.size.*student.size"),
        ("teacher=8", "known field"),
        ("teacher.siz=8", "known field"),
        ("pupil.size=8", "known field"),
        ("teacher.size=big", "teacher.size needs a int such as 448, got 'big'"),
        ("teacher.size=0", "size must be 1 or more"),
        ("teacher.short_side=9", "short_side must be 0, or the size 448"),
        ("student.channels=0", "channels must be above 0"),
        ("alone=2", "alone must be 0 or 1"),
        ("plus_start=now", "plus_start must be fresh or teacher"),
        ("fitted_on=all", "fitted_on must be labelled or held-out"),
        ("doubt=-1", "doubt must be"),
    ],
)
def test_a_wrong_change_of_a_part_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        recipe("efficient-fiqa", (change,))


def test_what_was_written_before_there_were_kinds_is_a_first():
    assert from_json(json.dumps(describe(First(batch=7)))) == First(batch=7)


def test_a_field_of_another_kind_is_unknown():
    text = json.dumps({**stored(Detector()), "jitter": 0.1})
    with pytest.raises(RecipeError, match=r"unknown fields: jitter\."):
        from_json(text)


def test_a_stored_field_that_is_unknown_is_named():
    text = json.dumps({**describe(First()), "dropout": 0.1, "zoom": 2})
    with pytest.raises(RecipeError, match="unknown fields: dropout, zoom"):
        from_json(text)


def test_a_stored_value_that_is_wrong_is_refused():
    with pytest.raises(RecipeError, match="batch must be 1 or more"):
        from_json(json.dumps({**describe(First()), "batch": 0}))


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "3", '{"batch": "8"}', '{"kind": "last"}', '{"kind": []}']
)
def test_a_stored_recipe_that_is_broken_is_told(text):
    with pytest.raises(RecipeError):
        from_json(text)
