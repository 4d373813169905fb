"""IJB-B and IJB-C in the form in which InsightFace hands them on (1:1 verification).

``meta/ijbc_face_tid_mid.txt`` has a line ``image template medium`` for each picture,
``meta/ijbc_name_5pts_score.txt`` a line ``image x y x y x y x y x y score`` with five landmarks in
pixels and the detector's confidence, in the same order, ``meta/ijbc_template_pair_label.txt`` a
line ``template template label`` for each of 15.7 million pairs, and ``loose_crop/`` the 469,375
pictures. IJB-B is the same with ``ijbb``. The three lists may lie beside ``loose_crop/`` too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.evaluate.pairs import Pairs
from facegauge.evaluate.set_files import Expected, lines_of
from facegauge.evaluate.sets import BenchmarkSet, Layout, Templates
from facegauge.tables import LandmarkTable

IJB = Expected(
    name=Layout.IJB,
    form=(
        "meta/ijbc_face_tid_mid.txt 'image template medium', meta/ijbc_name_5pts_score.txt "
        "'image, 10 landmarks, score', meta/ijbc_template_pair_label.txt 'template template "
        "label', and loose_crop/ with the pictures; or the same with ijbb"
    ),
)

_REPAIR = "Correct the list, or download it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """Where the lists are, and whether they are of ijbb or ijbc."""

    folder: Path
    prefix: str

    def file(self, what: str) -> Path:
        return self.folder / f"{self.prefix}_{what}.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line in cells; an error can name it."""

    file: Path
    number: int
    cells: list[str]

    def numbers(self, start: int, kind: type[Any]) -> list[Any]:
        try:
            return [kind(cell) for cell in self.cells[start:]]
        except ValueError:
            got = f"{self.file.name}, line {self.number} is {' '.join(self.cells)[:80]!r}"
            raise IJB.error(self.file.parent, got, _REPAIR) from None


def recognises(path: Path) -> bool:
    """Whether there is a list of templates and media."""
    return _lists(path) is not None


def read(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read IJB-B or IJB-C: the folder that has ``meta`` and ``loose_crop``.

    Pairs are of templates, see ``Templates.pooled``. Pictures are looked for when they are
    embedded: only the first must be there now. Pairs take 9 bytes each, and about 60 while reading.
    """
    lists = _lists(path)
    if lists is None:
        raise IJB.error(path, "no list of templates was found")
    grouped = _grouped(lists)
    folder = path / "loose_crop" if images is None else images
    if not (folder / grouped.names[0]).is_file():
        raise IJB.error(path, f"{folder / grouped.names[0]} is missing")
    return BenchmarkSet(
        name=lists.prefix,
        layout=Layout.IJB,
        names=grouped.names,
        images=tuple(folder / name for name in grouped.names),
        pairs=_pairs(lists, grouped.templates),
        templates=grouped.templates,
        landmarks=_landmarks(lists, grouped.names),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grouped:
    names: tuple[str, ...]
    templates: Templates


def _lists(path: Path) -> _Lists | None:
    places = [
        _Lists(folder=folder, prefix=prefix)
        for prefix in ("ijbc", "ijbb")
        for folder in (path / "meta", path)
    ]
    return next((lists for lists in places if lists.file("face_tid_mid").is_file()), None)


def _grouped(lists: _Lists) -> _Grouped:
    names, numbers = [], []
    for row in _rows(lists.file("face_tid_mid"), 3):
        names.append(row.cells[0])
        numbers.append(row.numbers(1, int))
    if not names or len(set(names)) < len(names):
        got = f"{len(set(names))} different pictures in {len(names)} lines"
        raise IJB.error(lists.file("face_tid_mid"), got, _REPAIR)
    table = np.array(numbers, dtype=np.int64)
    ids, of_picture = np.unique(table[:, 0], return_inverse=True)
    templates = Templates(
        ids=ids,
        of_picture=of_picture.reshape(-1).astype(np.int32),
        media=table[:, 1].astype(np.int32),
    )
    return _Grouped(names=tuple(names), templates=templates)


def _landmarks(lists: _Lists, names: tuple[str, ...]) -> LandmarkTable:
    points = np.empty((len(names), 5, 2))
    file, count = lists.file("name_5pts_score"), 0
    for row in _rows(file, 12):
        if count >= len(names) or row.cells[0] != names[count]:
            got = f"line {row.number} of {file.name} is another picture than in face_tid_mid"
            raise IJB.error(lists.folder, got, _REPAIR)
        points[count] = np.reshape(row.numbers(1, float)[:10], (5, 2))
        count += 1
    if count < len(names):
        raise IJB.error(lists.folder, f"{file.name} has {count} of {len(names)} pictures", _REPAIR)
    return LandmarkTable(
        points=points,
        following=np.full(count, -1, dtype=np.int32),
        first={name: row for row, name in enumerate(names)},
    )


def _rows(file: Path, width: int) -> Iterator[_Row]:
    for line in lines_of(file, IJB):
        cells = line.text.split()
        if len(cells) != width:
            got = f"{file.name}, line {line.number} has {len(cells)} cells where {width} are due"
            raise IJB.error(file.parent, got, _REPAIR)
        yield _Row(file=file, number=line.number, cells=cells)


def _pairs(lists: _Lists, templates: Templates) -> Pairs:
    file = lists.file("template_pair_label")
    table = _integers(file)
    if table.ndim != 2 or table.shape[1] != 3 or not np.isin(table[:, 2], (0, 1)).all():
        got = f"{file.name} is not three whole numbers a line, the last 0 or 1"
        raise IJB.error(lists.folder, got, _REPAIR)
    places = np.searchsorted(templates.ids, table[:, :2]).astype(np.int32)
    known = templates.ids[np.minimum(places, len(templates.ids) - 1)] == table[:, :2]
    if not known.all():
        got = f"{file.name} names the template {table[:, :2][~known][0]}, which has no picture"
        raise IJB.error(lists.folder, got, _REPAIR)
    return Pairs(first=places[:, 0], second=places[:, 1], mated=table[:, 2] == 1)


def _integers(file: Path) -> npt.NDArray[np.int32]:
    """The whole numbers of a large file, int32 lines×columns."""
    if not file.is_file():
        raise IJB.error(file.parent, f"{file.name} is missing")
    try:
        if not file.stat().st_size:
            return np.empty((0, 3), dtype=np.int32)
        return np.loadtxt(file, dtype=np.int32, ndmin=2, comments=None)
    except (ValueError, OSError) as error:
        raise IJB.error(file.parent, f"{file.name} cannot be read: {error}", _REPAIR) from error
