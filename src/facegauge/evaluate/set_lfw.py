"""LFW and XQLFW: a folder for each person, and a list of pairs in ten folds.

The list (LFW's README, section 3c) begins with the number of folds and the mated pairs of each,
``10<TAB>300``; then, fold by fold, 300 mated lines ``name n1 n2`` and 300 non-mated lines
``name1 n1 name2 n2``, for the pictures ``name/name_0001.jpg``. A first line with one number, as in
LFW's pairsDevTest.txt, is one fold. Cells are divided by tabs, blanks, commas or semicolons.
XQLFW (Knoche et al. 2021) comes in the same form as ``xqlfw_pairs.txt``, beside the folder of the
people. Pictures may be in any format that has a suffix known to facegauge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge.evaluate.pairs import Pairs
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
from facegauge.images import IMAGE_SUFFIXES

_FORM = (
    "folders name/name_0001.jpg and a list of pairs {}: a first line '10 300', then for each fold "
    "300 lines 'name n1 n2' and 300 lines 'name1 n1 name2 n2'"
)
LFW = Expected(name=Layout.LFW, form=_FORM.format("pairs.txt"))
XQLFW = Expected(name=Layout.XQLFW, form=_FORM.format("xqlfw_pairs.txt"))

_BETWEEN = re.compile(r"[\s,;]+")
_PICTURE = re.compile(r"(?P<name>.+)_(?P<number>\d{4,})", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """The n-th picture of a person."""

    person: str
    number: int

    @property
    def stem(self) -> str:
        return f"{self.person}/{self.person}_{self.number:04}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    first: _Shot
    second: _Shot
    mated: bool
    fold: int


def recognises_lfw(path: Path) -> bool:
    """Whether there is a pairs.txt."""
    return _list_in(path, "pairs.txt").is_file()


def recognises_xqlfw(path: Path) -> bool:
    """Whether there is an xqlfw_pairs.txt."""
    return _list_in(path, "xqlfw_pairs.txt").is_file()


def read_lfw(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read LFW: the folder with ``pairs.txt``, or that file.

    The people's folders are in ``images`` or else beside the list, or in one folder beside it.
    """
    return _read(path, images, LFW, "pairs.txt")


def read_xqlfw(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read XQLFW: the folder with ``xqlfw_pairs.txt``, or that file; else as ``read_lfw``."""
    return _read(path, images, XQLFW, "xqlfw_pairs.txt")


def _list_in(path: Path, name: str) -> Path:
    return path if path.name == name else path / name


def _read(path: Path, images: Path | None, expected: Expected, list_name: str) -> BenchmarkSet:
    given = _list_in(path, list_name) if path.is_dir() else path
    pairs = _pairs(given, expected)
    folder = images or _people_in(given.parent, pairs, expected)
    shots = _shots(folder)
    named = list(dict.fromkeys(shot for pair in pairs for shot in (pair.first, pair.second)))
    missing = [shot.stem for shot in named if shot not in shots]
    refuse_missing(missing, len(named), folder, expected)
    places = {shot: place for place, shot in enumerate(shots)}
    return BenchmarkSet(
        name=expected.name,
        layout=Layout(expected.name),
        names=tuple(f"{shot.person}/{file.name}" for shot, file in shots.items()),
        images=tuple(shots.values()),
        identities=tuple(shot.person for shot in shots),
        pairs=_indexed(pairs, places.__getitem__),
    )


def _indexed(pairs: Sequence[_Pair], place: Callable[[_Shot], int]) -> Pairs:
    return Pairs(
        first=np.array([place(pair.first) for pair in pairs], dtype=np.int32),
        second=np.array([place(pair.second) for pair in pairs], dtype=np.int32),
        mated=np.array([pair.mated for pair in pairs], dtype=np.bool_),
        fold=np.array([pair.fold for pair in pairs], dtype=np.int32),
    )


def _people_in(root: Path, pairs: Sequence[_Pair], expected: Expected) -> Path:
    """The folder with the people: ``root`` or one below it that has the first pair's person."""
    person = pairs[0].first.person
    if (root / person).is_dir():
        return root
    found = [folder for folder in folders_of(root) if (folder / person).is_dir()]
    return one_of(found, root, f"folders of people such as {person}", expected)


def _shots(folder: Path) -> dict[_Shot, Path]:
    """All pictures of all people, sorted; of two formats of one picture the first."""
    found: dict[_Shot, Path] = {}
    for person in folders_of(folder):
        for file in files_of(person, IMAGE_SUFFIXES):
            match = _PICTURE.fullmatch(file.stem)
            if match and match["name"] == person.name:
                found.setdefault(_Shot(person=person.name, number=int(match["number"])), file)
    return found


def _pairs(path: Path, expected: Expected) -> list[_Pair]:
    lines = list(lines_of(path, expected))
    folds, each = _header(path, lines, expected)
    if len(lines) - 1 != folds * 2 * each:
        got = f"{len(lines) - 1} pairs where {folds} folds of 2 x {each} are announced"
        raise expected.error(path, got)
    return [
        _pair(path, line, index // (2 * each), index % (2 * each) < each, expected)
        for index, line in enumerate(lines[1:])
    ]


def _header(path: Path, lines: Sequence[TextLine], expected: Expected) -> tuple[int, int]:
    """How many folds, and the mated pairs of each."""
    cells = _cells(lines[0].text) if lines else []
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    if len(numbers) != len(cells) or len(numbers) not in (1, 2) or not all(numbers):
        got = f"the first line {lines[0].text[:60]!r}" if lines else "an empty file"
        raise expected.error(path, got, "Begin with '10 300' for ten folds of 300 mated pairs.")
    return (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _pair(path: Path, line: TextLine, fold: int, mated: bool, expected: Expected) -> _Pair:
    cells = _cells(line.text)
    numbers = [cells[1], cells[-1]] if len(cells) == (3 if mated else 4) else []
    if not numbers or not all(number.isdecimal() for number in numbers):
        form = "name n1 n2" if mated else "name1 n1 name2 n2"
        got = f"line {line.number} is {line.text[:80]!r} where {form!r} is due"
        raise expected.error(path, got, "Correct the list.")
    first = _Shot(person=cells[0], number=int(numbers[0]))
    second = _Shot(person=cells[0] if mated else cells[2], number=int(numbers[1]))
    return _Pair(first=first, second=second, mated=mated, fold=fold)


def _cells(text: str) -> list[str]:
    return [cell for cell in _BETWEEN.split(text.strip()) if cell]
