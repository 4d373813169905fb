import inspect

import pytest

from facegauge import errors
from facegauge.errors import (
    FacegaugeError,
    GoldenMismatch,
    InputError,
    LandmarkError,
    MissingExtra,
    ModelError,
    ModelNotFound,
    OptionError,
    RecipeError,
    SourceGone,
    TableError,
    TrainingError,
    UnreadableImage,
    UnwritablePlace,
)

PARENTS = [
    (InputError, FacegaugeError),
    (UnreadableImage, InputError),
    (LandmarkError, InputError),
    (TableError, InputError),
    (SourceGone, FacegaugeError),
    (UnwritablePlace, FacegaugeError),
    (OptionError, FacegaugeError),
    (ModelError, FacegaugeError),
    (ModelNotFound, ModelError),
    (GoldenMismatch, ModelError),
    (RecipeError, FacegaugeError),
    (TrainingError, FacegaugeError),
    (MissingExtra, FacegaugeError),
]


def defined() -> dict[str, type]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    }


@pytest.mark.parametrize(("error", "parent"), PARENTS)
def test_the_family_is_as_documented(error, parent):
    assert error.__bases__ == (parent,)


def test_the_family_is_complete():
    assert set(defined().values()) == {FacegaugeError} | {error for error, _ in PARENTS}
    assert FacegaugeError.__bases__ == (Exception,)


def test_the_drawn_tree_is_the_tree():
    drawn: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        words = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        if words.strip() and words.split()[0] in defined():
            drawn.append((len(words) - len(words.lstrip()), words.split()[0]))
    assert {name for _, name in drawn} == set(defined())
    for index, (depth, name) in enumerate(drawn[1:], 1):
        above = next(other for level, other in reversed(drawn[:index]) if level < depth)
        assert defined()[name].__bases__ == (defined()[above],)


def test_a_missing_extra_names_the_line_that_installs_it():
    text = str(MissingExtra("facegauge train", "train", "torch"))
    assert "facegauge train" in text
    assert "torch" in text
    assert text.endswith("pip install 'facegauge[train]'")
