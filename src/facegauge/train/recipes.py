"""The recipes by name: looked up, changed from the command line, written down, read again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, TypeVar

from facegauge.errors import RecipeError
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_alignment import AiKd, AiKdXxs
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.recipe_efficient import EfficientFiqa, EfficientFiqaSmall
from facegauge.train.recipe_embedding import CrFiqa, MagFace
from facegauge.train.recipe_first import First
from facegauge.train.recipe_judge import Judge
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.recipe_regression import DifFiqaR, FaceQnet, SddFiqa

Chosen = TypeVar("Chosen", bound=Recipe)

KINDS: dict[str, type[Recipe]] = {
    "first": First,
    "detector": Detector,
    "judge": Judge,
    "cr-fiqa": CrFiqa,
    "magface": MagFace,
    "sdd-fiqa": SddFiqa,
    "faceqnet": FaceQnet,
    "difiqa": DifFiqa,
    "difiqa-r": DifFiqaR,
    "ai-kd": AiKd,
    "ai-kd-xxs": AiKdXxs,
    "perceptual": Perceptual,
    "efficient-fiqa": EfficientFiqa,
    "efficient-fiqa-small": EfficientFiqaSmall,
}
RECIPES: dict[str, Recipe] = {name: kind() for name, kind in KINDS.items()}


def recipe(name: str, changes: tuple[str, ...] = ()) -> Recipe:
    """A recipe by name, with ``key=value`` changes.

    Example:
        >>> recipe("first", ("batch=8", "tables=a,b")).tables
        ('a', 'b')

    Raises:
        RecipeError: an unknown name or field, or a value of the wrong kind.
    """
    if name not in RECIPES:
        raise RecipeError(f"No recipe {name!r}; one of: {', '.join(RECIPES)}.")
    return changed(RECIPES[name], changes)


def changed(base: Chosen, changes: tuple[str, ...]) -> Chosen:
    """A recipe with ``key=value`` changes.

    A field of a part has the part's name in front (``teacher.size=160``), which may be left out
    where only one part has the field and the recipe itself does not.

    Raises:
        RecipeError: an unknown field, or a value of the wrong kind.
    """
    own: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for change in changes:
        part, key, value = _change(base, change)
        (parts.setdefault(part, {}) if part else own)[key] = value
    made = {part: dataclasses.replace(getattr(base, part), **new) for part, new in parts.items()}
    return dataclasses.replace(base, **own, **made)


def kind(chosen: Recipe) -> str:
    """The name of a recipe's kind: ``first``, ``detector``, ``cr-fiqa``, ..."""
    return next(name for name, known in KINDS.items() if type(chosen) is known)


def describe(chosen: Recipe) -> dict[str, Any]:
    """A recipe as plain values, for printing and for the file beside a checkpoint."""
    return dataclasses.asdict(chosen)


def fields(chosen: Recipe) -> dict[str, Any]:
    """Every field by the name that changes it, those of parts as ``part.field``.

    Example:
        >>> fields(recipe("efficient-fiqa"))["student.size"]
        352
    """
    found: dict[str, Any] = {}
    for key, value in describe(chosen).items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        found |= {f"{key}.{name}" if name else key: each for name, each in parts}
    return found


def stored(chosen: Recipe) -> dict[str, Any]:
    """What is written beside a checkpoint: the kind of recipe and its values."""
    return {"kind": kind(chosen), **describe(chosen)}


def from_json(text: str) -> Recipe:
    """The recipe that was written beside a checkpoint; without a kind it is a ``first``."""
    try:
        values = json.loads(text)
        known = KINDS[values.pop("kind", "first")]
        unknown = set(values) - {field.name for field in dataclasses.fields(known)}
        if unknown:
            raise RecipeError(
                f"The stored recipe has unknown fields: {', '.join(sorted(unknown))}."
            )
        return known(**_read(known(), values))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RecipeError(f"The stored recipe is broken or of another version: {error}.") from error


def _read(base: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Stored values as a recipe's fields have them: tuples for lists, parts for objects."""
    made = dict(values)
    for key, value in values.items():
        if isinstance(value, list):
            made[key] = tuple(value)
        elif isinstance(value, dict):
            part = getattr(base, key)
            made[key] = type(part)(**_read(part, value))
    return made


def _change(base: Recipe, change: str) -> tuple[str, str, Any]:
    """Part (or nothing), field and value of a change."""
    name, mark, text = change.partition("=")
    known = fields(base)
    ends = [each for each in known if each.partition(".")[2] == name]
    full = name if name in known else ends[0] if len(ends) == 1 else ""
    if not mark or not full:
        raise RecipeError(
            f"Expected key=value with a known field, got {change!r}. Fields: {', '.join(known)}."
        )
    part, _, field = full.rpartition(".")
    return part, field, _parsed(full, text, known[full])


def _parsed(key: str, text: str, present: Any) -> Any:
    if isinstance(present, tuple):
        element = type(present[0]) if present else str
        return tuple(_single(key, part, element, present) for part in text.split(",") if part)
    return _single(key, text, type(present), present)


def _single(key: str, text: str, element: type, present: Any) -> Any:
    try:
        return element(text)
    except ValueError as error:
        raise RecipeError(
            f"{key} needs a {element.__name__} such as {present}, got {text!r}."
        ) from error
