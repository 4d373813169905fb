"""Every error facegauge raises on purpose, drawn as a tree.

FacegaugeError
├── InputError            what was handed in cannot be used
│   ├── UnreadableImage   a file, bytes or array that does not become an RGB image
│   ├── LandmarkError     five landmarks that do not describe a face
│   └── TableError        a csv or score table that is not in the expected form
├── SourceGone            pictures that were there when a run began and are gone
├── UnwritablePlace       a file that cannot grow any more: a full disk, a quota, a lost folder
├── OptionError           options that are wrong or contradict one another
├── ModelError            a model file that cannot be trusted or used
│   ├── ModelNotFound     no file and no registered model of that name
│   └── GoldenMismatch    the file does not reproduce its own golden vectors
├── RecipeError           an unknown recipe, field or value
├── TrainingError         a training run that cannot start, resume or be exported
└── MissingExtra          a part of facegauge that needs an optional dependency

A message has three parts: what was expected, what came, what to do. Exit codes and HTTP codes
live in the two doors (cli, serve), never here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FacegaugeError(Exception):
    """Any error facegauge raises on purpose: catch this one to catch them all."""


class InputError(FacegaugeError):
    """What was handed in cannot be used."""


class UnreadableImage(InputError):
    """A file, bytes or array that does not become an RGB image; the message is the reason."""


class LandmarkError(InputError):
    """Five landmarks that do not describe a face."""


class TableError(InputError):
    """A csv or score table that is not in the expected form."""


class SourceGone(FacegaugeError):
    """Pictures that were there when a run began are gone: their disk, say."""


class UnwritablePlace(FacegaugeError):
    """A file that cannot grow any more: a full disk, a quota, a lost folder."""


class OptionError(FacegaugeError):
    """Options that are wrong or contradict one another."""


class ModelError(FacegaugeError):
    """A model file that cannot be trusted or used."""


class ModelNotFound(ModelError):
    """No file and no registered model of that name."""


class GoldenMismatch(ModelError):
    """A model file does not reproduce its own golden vectors on this machine."""


class RecipeError(FacegaugeError):
    """An unknown recipe, field or value."""


class TrainingError(FacegaugeError):
    """A training run that cannot start, resume or be exported."""


class MissingExtra(FacegaugeError):
    """A part of facegauge that needs an optional dependency.

    Example:
        >>> print(MissingExtra("facegauge train", "train", "torch"))
        facegauge train needs torch, which is not installed. Run: pip install 'facegauge[train]'
    """

    def __init__(self, what: str, extra: str, module: str) -> None:
        super().__init__(
            f"{what} needs {module}, which is not installed. Run: pip install 'facegauge[{extra}]'"
        )


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Turn an optional dependency that is missing into the line that installs it.

    Raises:
        MissingExtra: an import inside failed; ``what`` is the part of facegauge that needs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(what, extra, error.name or "a dependency") from error
