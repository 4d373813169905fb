"""What a picture shows, and which of its faces count: the choices that scoring offers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from facegauge.alignment import frontal_eye_distance
from facegauge.errors import OptionError
from facegauge.values import Face

RIVAL = 1 / 3
"""Share of the largest face's size from which another face is one too many."""

_Kind = TypeVar("_Kind", bound=StrEnum)


class Engine(StrEnum):
    """What a batch runs on: this machine's threads, or a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


class Input(StrEnum):
    """What a picture shows.

    ``photo``: faces somewhere, to be found or given by landmarks. ``crop``: one loosely cropped
    face, looked for in it. ``aligned``: a face already on the five-point template, resized to the
    model's size if need be.
    """

    PHOTO = "photo"
    CROP = "crop"
    ALIGNED = "aligned"


class FaceChoice(StrEnum):
    """Which faces of a picture are scored.

    ``largest``: the largest one (see alignment.frontal_eye_distance). ``all``: each. ``single``:
    the largest too, but a picture where another face is a third as large or more has no score: it
    was to show one person.
    """

    LARGEST = "largest"
    ALL = "all"
    SINGLE = "single"

    def of(self, faces: Sequence[Face]) -> Sequence[Face]:
        """The faces that are chosen: all in their order, or the largest."""
        return faces if self is FaceChoice.ALL or not faces else [largest(faces)]


def largest(faces: Sequence[Face]) -> Face:
    """The largest face, of equal ones the first."""
    return max(faces, key=_size)


def rivals(faces: Sequence[Face]) -> int:
    """How many faces compete for being the one of the picture, the largest included."""
    least = RIVAL * _size(largest(faces))
    return sum(_size(face) >= least for face in faces)


def _size(face: Face) -> float:
    return frontal_eye_distance(face.landmarks)


def named(kind: type[_Kind], word: str, what: str) -> _Kind:
    """The choice of that name.

    Raises:
        OptionError: there is none; the message lists those there are.
    """
    try:
        return kind(word)
    except ValueError as error:
        known = ", ".join(kind)
        raise OptionError(f"{what} must be one of {known}; got {word!r}.") from error
