"""The tables of AI-KD's authors: pickled dictionaries of labels and of landmarks.

Labels are ``{name: quality}``, landmarks ``{name: (anything, 5×2)}``, names relative to the
pictures. They are read without running anything (see ``evaluate.inert_pickle``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from facegauge.errors import FacegaugeError, LandmarkError, TrainingError
from facegauge.evaluate.inert_pickle import StoredArray, unpickled
from facegauge.tables import same_path
from facegauge.values import Landmarks

SUFFIXES = (".pkl", ".pickle")
_LABELS = "a pickled dictionary {name: quality}"
_LANDMARKS = "a pickled dictionary {name: (anything, 5×2 landmarks)}"
Value = TypeVar("Value")


def is_pickle(path: Path) -> bool:
    """Whether a file calls itself a pickle."""
    return path.suffix.lower() in SUFFIXES


def pickled_labels(path: Path) -> dict[str, float]:
    """The finite labels of a pickle by path.

    Raises:
        TrainingError: no such file, another form, or a pickle that wants to run something.
    """
    return _entries(path, _LABELS, _number)


def pickled_landmarks(path: Path) -> dict[str, tuple[float, ...]]:
    """The landmarks of a pickle by path, ten numbers each, x and y of the five points.

    Raises:
        TrainingError: as ``pickled_labels``.
    """
    return _entries(path, _LANDMARKS, _points)


def _entries(path: Path, form: str, of: Callable[[object], Value]) -> dict[str, Value]:
    stored = _dictionary(path, form)
    found = {}
    for name, value in stored.items():
        try:
            found[same_path(_text(name))] = of(value)
        except (TypeError, ValueError, IndexError, LandmarkError) as error:
            raise _wrong(path, form, f"{str(name)[:80]!r} with {error}") from error
    return found


def _dictionary(path: Path, form: str) -> dict[object, object]:
    try:
        stored = unpickled(path.read_bytes(), lambda name: _refused(path, form, name), "latin1")
    except FacegaugeError:
        raise
    except OSError as error:
        raise _wrong(path, form, f"no file to read ({error.strerror or error})") from error
    except Exception as error:  # a broken pickle fails in a dozen ways
        raise _wrong(path, form, f"no such pickle ({error or type(error).__name__})") from error
    if not isinstance(stored, dict) or not stored:
        raise _wrong(path, form, f"a pickled {type(stored).__name__}, or an empty one")
    return stored


def _text(name: object) -> str:
    if isinstance(name, str):
        return name
    raise TypeError(f"a {type(name).__name__} in place of a name")


def _number(value: object) -> float:
    number = float(_numbers(value).reshape(()))
    if not np.isfinite(number):
        raise ValueError(f"the label {number}")
    return number


def _points(value: object) -> tuple[float, ...]:
    """The second part of an entry, brought to ten numbers."""
    if not isinstance(value, tuple | list):
        raise TypeError(f"a {type(value).__name__} in place of two parts")
    return tuple(Landmarks.from_array(_numbers(value[1])).array().ravel().tolist())


def _numbers(value: object) -> npt.NDArray[np.float64]:
    """A number, an array, or lists of either."""
    if isinstance(value, StoredArray):
        return value.numbers().astype(np.float64)
    if isinstance(value, tuple | list):
        return np.stack([_numbers(each) for each in value])
    if isinstance(value, int | float):
        return np.array(value, dtype=np.float64)
    raise TypeError(f"a {type(value).__name__} in place of numbers")


def _refused(path: Path, form: str, name: str) -> TrainingError:
    return _wrong(path, form, f"one that asks for {name}, which was not run")


def _wrong(path: Path, form: str, came: str) -> TrainingError:
    return TrainingError(
        f"Expected {form} in {path}, got {came}. Take the file from a source you trust, or write a "
        "csv: path,label for labels, see docs/reference/tables.md for landmarks."
    )
