"""What a picture shows, and which of its faces count: the choices that scoring offers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from facegauge.errors import OptionError
from facegauge.values import Face

RIVAL = 1 / 3
"""Share of the largest face's inter-eye distance from which another face is one too many."""

_Kind = TypeVar("_Kind", bound=StrEnum)


class Input(StrEnum):
    """What a picture shows.

    ``photo``: faces somewhere, to be found or given by landmarks. ``crop``: one loosely cropped
    face. ``aligned``: a face already on the five-point template, resized to the model's size if
    need be.
    """

    PHOTO = "photo"
    CROP = "crop"
    ALIGNED = "aligned"


class FaceChoice(StrEnum):
    """Which faces of a picture are scored.

    ``largest``: the one with the widest inter-eye distance. ``all``: each. ``single``: the largest
    too, but a picture where another face has a third of its inter-eye distance or more has no
    score: it was to show one person.
    """

    LARGEST = "largest"
    ALL = "all"
    SINGLE = "single"

    def of(self, faces: Sequence[Face]) -> Sequence[Face]:
        """The faces that are chosen: all in their order, or the largest."""
        return faces if self is FaceChoice.ALL or not faces else [largest(faces)]


def largest(faces: Sequence[Face]) -> Face:
    """The face with the widest inter-eye distance, of equal ones the first."""
    return max(faces, key=lambda face: face.inter_eye_distance)


def rivals(faces: Sequence[Face]) -> int:
    """How many faces compete for being the one of the picture, the largest included."""
    least = RIVAL * largest(faces).inter_eye_distance
    return sum(face.inter_eye_distance >= least for face in faces)


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
