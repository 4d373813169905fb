"""Tables in a data folder: which of them fit, their rows, and which split a row belongs to."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from facegauge.errors import TrainingError
from facegauge.tables import IDENTITY_COLUMNS, same_path

SPLITS = ("train", "validation", "test", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is in a picture, and the split that keeps persons apart; both may be empty."""

    identity: str = ""
    split: str = ""


def tables_with(folder: Path, columns: Collection[str]) -> tuple[str, ...]:
    """Names of the tables NAME.csv in a folder that have these columns."""
    names = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file), [])
        if set(columns) <= set(header):
            names.append(path.stem)
    return tuple(names)


def read_rows(table: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """All rows of a table.

    Raises:
        TrainingError: a column is missing.
    """
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = set(columns) - set(reader.fieldnames or [])
        if missing:
            raise TrainingError(f"{table} lacks the columns {', '.join(sorted(missing))}.")
        return list(reader)


def split_of(row: dict[str, str], number: int, table: Path) -> str:
    """train, validation, test or nothing; any other word could hide test people, so it stops.

    Raises:
        TrainingError: another word in row ``number``, counted from 0.
    """
    split = row.get("split") or ""
    if split not in SPLITS:
        raise TrainingError(
            f"{table}, row {number + 2}: expected the split {', '.join(SPLITS[:-1])} or nothing, "
            f"got {split!r}."
        )
    return split


def read_people(table: Path) -> dict[str, Person]:
    """Who is in which picture, and in which split, by path.

    Raises:
        TrainingError: a column is missing, or an unknown split.
    """
    rows = enumerate(read_rows(table, IDENTITY_COLUMNS))
    return {
        same_path(row["path"]): Person(identity=row["identity"], split=split_of(row, at, table))
        for at, row in rows
    }
