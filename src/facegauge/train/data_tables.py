"""Tables in a data folder: which of them fit, their rows, and which split a row belongs to."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from facegauge.errors import TrainingError

SPLITS = ("train", "validation", "test", "")


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
