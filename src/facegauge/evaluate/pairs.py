"""Pairs of pictures to compare: which two, and whether they show the same person."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, TableError
from facegauge.tables import same_path

PAIR_COLUMNS = ("path_a", "path_b", "mated")
"""Columns of a pairs table; mated is 1 or 0 (true or false)."""

Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_FLAGS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """P pairs of indices ``first`` and ``second`` (int32, from 0), and which are ``mated``.

    ``fold`` (int32, from 0) is there where a protocol has folds. ``absent_mated`` and
    ``absent_nonmated`` count the pairs that were left out because one of the two has no embedding:
    a failure to detect is part of the result.

    Raises:
        InputError: lengths that differ, or a negative index.
    """

    first: Indices
    second: Indices
    mated: Flags
    fold: Indices | None = None
    absent_mated: int = 0
    absent_nonmated: int = 0

    def __post_init__(self) -> None:
        for name, kind in (("first", np.int32), ("second", np.int32), ("mated", np.bool_)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=kind))
        shapes = {self.first.shape, self.second.shape, self.mated.shape}
        if self.fold is not None:
            object.__setattr__(self, "fold", np.ascontiguousarray(self.fold, dtype=np.int32))
            shapes.add(self.fold.shape)
        if len(shapes) != 1 or self.first.ndim != 1:
            raise InputError(f"Expected lists of pairs of one length, got {sorted(shapes)}.")
        if len(self) and min(self.first.min(), self.second.min()) < 0:
            raise InputError("Expected pairs of indices from 0, got a negative one. Use placed().")

    def __len__(self) -> int:
        """How many pairs."""
        return int(self.first.size)

    @property
    def highest(self) -> int:
        """The highest index in use; -1 without pairs."""
        return int(max(self.first.max(initial=-1), self.second.max(initial=-1)))

    def placed(self, rows: npt.ArrayLike) -> Pairs:
        """The same pairs by other indices: ``rows[i]`` stands for i, -1 for what is absent.

        Args:
            rows: int N, for instance ``embeddings.rows(names)``; pairs with a -1 are left out and
                counted.

        Raises:
            InputError: fewer rows than the pairs need.
        """
        places = np.asarray(rows, dtype=np.int32)
        if places.size <= self.highest:
            raise InputError(
                f"Expected a row for each of {self.highest + 1} pictures, got {places.size}. "
                "Pass -1 for a picture that is absent."
            )
        first, second = places[self.first], places[self.second]
        kept = (first >= 0) & (second >= 0)
        absent_mated = int((self.mated & ~kept).sum())
        return Pairs(
            first=first[kept],
            second=second[kept],
            mated=self.mated[kept],
            fold=None if self.fold is None else self.fold[kept],
            absent_mated=self.absent_mated + absent_mated,
            absent_nonmated=self.absent_nonmated + int((~kept).sum()) - absent_mated,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairTable:
    """A pairs table: every path once, and pairs of indices into ``paths``."""

    paths: tuple[str, ...]
    pairs: Pairs


def people_of_pairs(count: int, pairs: Pairs) -> npt.NDArray[np.int64]:
    """A number for the person of each picture: those that mated pairs connect are one person.

    All a table of pairs says of who is who. Pictures of one person that no mated pair connects
    count as two people, which makes intervals a little narrower.

    Example:
        >>> chain = Pairs(first=[2, 0], second=[3, 2], mated=[True, True])
        >>> people_of_pairs(4, chain).tolist()
        [0, 1, 0, 0]
    """
    first, second = pairs.first[pairs.mated], pairs.second[pairs.mated]
    people = np.arange(count)
    while True:
        lowest = people.copy()
        np.minimum.at(lowest, first, people[second])
        np.minimum.at(lowest, second, people[first])
        lowest = lowest[lowest]
        if np.array_equal(lowest, people):
            return people
        people = lowest


def read_pairs(path: Path | str) -> PairTable:
    """Read a csv ``path_a,path_b,mated``; other columns are passed over.

    Compact while reading: nine bytes a pair and one dictionary entry a path.

    Raises:
        TableError: no such file, columns missing, or a line that is no pair.
    """
    table = Path(path)
    places: dict[str, int] = {}
    indices, mated = (array("i"), array("i")), array("b")
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            for line in _lines(table, csv.reader(handle, strict=True)):
                for column, name in zip(indices, (line.first, line.second), strict=True):
                    column.append(places.setdefault(name, len(places)))
                mated.append(line.mated)
    except OSError as error:
        raise _error(table, error.strerror or str(error), "Check the path.") from error
    except csv.Error as error:
        raise _error(table, f"text that is not csv ({error})", "Quote commas.") from error
    first, second = (np.array(column, dtype=np.int32) for column in indices)
    flags = np.array(mated, dtype=np.bool_)
    return PairTable(paths=tuple(places), pairs=Pairs(first=first, second=second, mated=flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    first: str
    second: str
    mated: bool


def _lines(table: Path, rows: Iterator[list[str]]) -> Iterator[_Line]:
    header = [cell.strip() for cell in next(rows, [])]
    if any(header.count(column) != 1 for column in PAIR_COLUMNS):
        raise _error(table, f"the first line {','.join(header)[:200]!r}", "Name the columns.")
    columns = [header.index(column) for column in PAIR_COLUMNS]
    for number, cells in enumerate(rows, 2):
        if cells:
            yield _line(table, number, cells, columns, len(header))


def _line(table: Path, number: int, cells: list[str], columns: list[int], width: int) -> _Line:
    first, second, flag = (cells[i] for i in columns) if len(cells) == width else ("", "", "")
    mated = _FLAGS.get(flag.strip().lower())
    if not first or not second or mated is None:
        came = f"{','.join(cells)[:200]!r} as row {number}"
        raise _error(table, came, "Write two paths and 1 or 0, quoted where they hold commas.")
    return _Line(first=same_path(first), second=same_path(second), mated=mated)


def _error(table: Path, got: str, remedy: str) -> TableError:
    expected = f"a csv with the columns {','.join(PAIR_COLUMNS)}"
    return TableError(f"Expected {expected} in {table}, got {got}. {remedy}")
