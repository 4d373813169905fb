"""A benchmark set as the tables that score, embed and evaluate edc take: ``evaluate set``.

written = write_set(benchmark.open("data/lfw"), Path("lfw_tables"))
print(written)                                   # what there is, and how to go on
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge.errors import OptionError
from facegauge.evaluate.groups import GROUP_COLUMNS
from facegauge.evaluate.pairs import PAIR_COLUMNS, Pairs
from facegauge.evaluate.set_pictures import PictureFolder, picture_folder
from facegauge.evaluate.set_steps import steps
from facegauge.evaluate.sets import BenchmarkSet, Templates
from facegauge.evaluate.template_pooling import TEMPLATE_COLUMNS
from facegauge.tables import IDENTITY_COLUMNS, LANDMARK_COLUMNS, LandmarkTable, same_path

PICTURES = "pictures"
"""The folder for the pictures of sets that lie in no folder of their own."""

_TOGETHER = 1 << 16  # pairs that become Python objects at a time

_Cell = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrittenSet:
    """A set and what was written of it: the names of the ``tables`` in ``out``.

    ``pictures`` is what to score and embed. As text it counts the set, names the files, and gives
    the commands to go on with.
    """

    benchmark: BenchmarkSet
    out: Path
    tables: tuple[str, ...]
    pictures: PictureFolder

    def __str__(self) -> str:
        made = f"{self.pictures.folder} (new)" if self.pictures.gathered else self.pictures.folder
        return "\n".join(
            [
                f"{self.benchmark.name}, layout {self.benchmark.layout}: {_counts(self.benchmark)}",
                f"pictures in {made}",
                f"tables in {self.out}: {', '.join(self.tables)}",
                "Go on with:",
                *(f"  {step}" for step in steps(self.benchmark, self.pictures.folder, self.out)),
            ]
        )


def refuse_used(out: Path) -> None:
    """Refuse a place for tables that is a file, or a folder with something in it.

    Raises:
        OptionError: it is.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise OptionError(
            f"The tables of a set need a new or empty folder, and {out} has something in it, which "
            "is not overwritten. Choose another --out."
        )


def write_set(benchmark: BenchmarkSet, out: Path) -> WrittenSet:
    """Write the tables of a set, and its pictures where they lie in no folder of their own.

    The names in all tables are those that score and embed give the pictures of the folder.
    ``pairs.csv``, ``identities.csv``, ``groups.csv`` (the folds), ``landmarks.csv`` and
    ``templates.csv`` are written where the set knows them; of templates, ``pairs.csv`` has the
    numbers. Landmarks that are no face (not five different finite points) are left out.

    Raises:
        OptionError: ``out`` is not new or empty, or cannot be written.
        InputError: pictures that cannot lie in one folder under their names.
    """
    refuse_used(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        pictures = picture_folder(benchmark, out / PICTURES)
        tables = _tables(benchmark, pictures.names)
        for file, table in tables.items():
            _write(out / file, table)
    except OSError as error:
        raise OptionError(
            f"The tables of a set need a place to write, got {out}: {error.strerror or error}. "
            "Pass another --out."
        ) from error
    return WrittenSet(benchmark=benchmark, out=out, tables=tuple(tables), pictures=pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    columns: Sequence[str]
    rows: Iterable[Sequence[_Cell]]


def _tables(found: BenchmarkSet, names: Sequence[str]) -> dict[str, _Table]:
    """What there is to write, by the name of its file; ``names`` are those of the pictures."""
    tables = {}
    if found.pairs is not None:
        compared = names if found.templates is None else found.templates.names
        rows = _pair_rows(compared, found.pairs)
        tables["pairs.csv"] = _Table(columns=PAIR_COLUMNS, rows=rows)
    if found.identities is not None:
        people = zip(names, found.identities, strict=True)
        tables["identities.csv"] = _Table(columns=IDENTITY_COLUMNS, rows=people)
    if found.folds is not None:
        parts = zip(names, (f"fold {fold}" for fold in found.folds.tolist()), strict=True)
        tables["groups.csv"] = _Table(columns=GROUP_COLUMNS, rows=parts)
    if found.landmarks is not None:
        points = _landmark_rows(found.names, names, found.landmarks)
        tables["landmarks.csv"] = _Table(columns=LANDMARK_COLUMNS, rows=points)
    if found.templates is not None:
        grouped = _template_rows(names, found.templates)
        tables["templates.csv"] = _Table(columns=TEMPLATE_COLUMNS, rows=grouped)
    return tables


def _pair_rows(names: Sequence[str], pairs: Pairs) -> Iterator[Sequence[_Cell]]:
    for start in range(0, len(pairs), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        columns = (each[part].tolist() for each in (pairs.first, pairs.second, pairs.mated))
        for first, second, mated in zip(*columns, strict=True):
            yield names[first], names[second], int(mated)


def _landmark_rows(
    own: Sequence[str], names: Sequence[str], table: LandmarkTable
) -> Iterator[Sequence[_Cell]]:
    """The faces of each picture, which the set calls by its ``own`` name, in the table's order."""
    points = table.points
    faces = np.isfinite(points).all(axis=(1, 2)) & (np.ptp(points, axis=1) > 0).any(axis=1)
    for known, name in zip(own, names, strict=True):
        row = table.first.get(same_path(known), -1)
        while row >= 0:
            if faces[row]:
                yield name, *points[row].ravel().tolist()
            row = int(table.following[row])


def _template_rows(names: Sequence[str], templates: Templates) -> Iterator[Sequence[_Cell]]:
    of_picture = templates.ids[templates.of_picture].tolist()
    return zip(names, of_picture, templates.media.tolist(), strict=True)


def _write(file: Path, table: _Table) -> None:
    """A csv as every reader of tables takes it; a name that is not UTF-8 keeps its bytes."""
    with file.open("x", encoding="utf-8", errors="surrogateescape", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def _counts(found: BenchmarkSet) -> str:
    """How many pictures, templates, pairs and people there are."""
    parts = [f"{len(found)} pictures"]
    if found.templates is not None:
        parts.append(f"{len(found.templates.ids)} templates")
    if found.pairs is not None:
        total, mated = len(found.pairs), int(found.pairs.mated.sum())
        parts.append(f"{total} pairs ({mated} mated, {total - mated} non-mated)")
    if found.identities is not None:
        parts.append(f"{len(set(found.identities))} people")
    return ", ".join(parts)
