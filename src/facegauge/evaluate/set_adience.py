r"""Adience (Eidinger, Enbar and Hassner, IEEE TIFS 2014): faces from Flickr albums in five folds.

``fold_0_data.txt`` .. ``fold_4_data.txt``, or the frontal faces alone in
``fold_frontal_0_data.txt`` .. ``fold_frontal_4_data.txt``, are tables divided by tabs that begin
with the columns ``user_id original_image face_id age gender``. A face is the file
``user_id/coarse_tilt_aligned_face.FACE_ID.ORIGINAL_IMAGE`` in ``faces/``, or
``user_id/landmark_aligned_face.FACE_ID.ORIGINAL_IMAGE`` in ``aligned/``. One person has one
``face_id`` within an album, so that the identity is ``user_id/face_id`` (2,284 people).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge.evaluate.set_files import (
    Expected,
    TextLine,
    files_of,
    folders_of,
    lines_of,
    one_of,
    refuse_missing,
)
from facegauge.evaluate.sets import BenchmarkSet, Layout

COLUMNS = ("user_id", "original_image", "face_id")
PREFIXES = ("coarse_tilt_aligned_face", "landmark_aligned_face")
ADIENCE = Expected(
    name=Layout.ADIENCE,
    form=(
        "fold_0_data.txt ... or fold_frontal_0_data.txt ..., tab separated with the columns "
        "user_id, original_image and face_id, and faces/USER_ID/"
        "coarse_tilt_aligned_face.FACE_ID.ORIGINAL_IMAGE"
    ),
)

_FOLD = re.compile(r"fold_(?P<frontal>frontal_)?(?P<number>\d+)_data\.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    file: Path
    number: int
    frontal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """A row: whose album, which picture, which person in it, and the number of its fold."""

    user: str
    image: str
    person: str
    fold: int

    def name(self, prefix: str) -> str:
        return f"{self.user}/{prefix}.{self.person}.{self.image}"


def recognises(path: Path) -> bool:
    """Whether there are fold files, in the folder or in one below it."""
    return bool(_folds(path))


def read(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read Adience: the folder that has the fold files, in it or in a folder below it.

    All faces are read where there are both kinds of folds. The albums are in ``images``, or in the
    folder or one directly below it.
    """
    folds = _folds(path)
    if not folds:
        raise ADIENCE.error(path, "no fold file was found")
    faces = list({face.name(""): face for fold in folds for face in _faces(fold)}.values())
    if not faces:
        raise ADIENCE.error(path, "the fold files name no face")
    candidates = [path, *folders_of(path)] if images is None else [images]
    places = [place for place in candidates if _prefix(place, faces[0])]
    folder = one_of(places, path, f"pictures such as {faces[0].name(PREFIXES[0])}", ADIENCE)
    names = tuple(face.name(_prefix(folder, faces[0])) for face in faces)
    missing = [name for name in names if not (folder / name).is_file()]
    refuse_missing(missing, len(names), folder, ADIENCE)
    return BenchmarkSet(
        name="adience",
        layout=Layout.ADIENCE,
        names=names,
        images=tuple(folder / name for name in names),
        identities=tuple(f"{face.user}/{face.person}" for face in faces),
        folds=np.array([face.fold for face in faces], dtype=np.int32),
    )


def _folds(path: Path) -> list[_Fold]:
    """The fold files, all faces rather than the frontal ones, by number."""
    texts = [file for folder in (path, path / "folds") for file in files_of(folder, (".txt",))]
    matches = ((file, _FOLD.fullmatch(file.name)) for file in texts)
    found = [
        _Fold(file=file, number=int(match["number"]), frontal=match["frontal"] is not None)
        for file, match in matches
        if match
    ]
    whole = [fold for fold in found if not fold.frontal]
    return sorted(whole or found, key=lambda fold: fold.number)


def _faces(fold: _Fold) -> Iterator[_Face]:
    lines = lines_of(fold.file, ADIENCE)
    first = next(lines, None)
    header = [] if first is None else first.text.split("\t")
    if any(column not in header for column in COLUMNS):
        got = f"{fold.file.name} begins with {'' if first is None else first.text[:80]!r}"
        raise ADIENCE.error(fold.file.parent, got)
    places = [header.index(column) for column in COLUMNS]
    for line in lines:
        yield _face(fold, line, places)


def _face(fold: _Fold, line: TextLine, places: list[int]) -> _Face:
    cells = line.text.split("\t")
    wanted = [cells[place].strip() if place < len(cells) else "" for place in places]
    if not all(wanted):
        got = f"{fold.file.name}, line {line.number} is {line.text[:80]!r}"
        raise ADIENCE.error(fold.file.parent, got, "Correct or remove the line.")
    return _Face(user=wanted[0], image=wanted[1], person=wanted[2], fold=fold.number)


def _prefix(folder: Path, face: _Face) -> str:
    """How file names begin in a folder of albums; empty when the face is not in there."""
    there = (prefix for prefix in PREFIXES if (folder / face.name(prefix)).is_file())
    return next(there, "")
