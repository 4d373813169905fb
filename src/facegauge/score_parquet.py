"""Score tables as parquet: written and read in row groups, in constant memory.

pyarrow is imported when it is used: it is part of the extra ``scale``, not of the base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from facegauge.errors import InputError, MissingExtra, TableError
from facegauge.score_cells import escaped, further_of, unescaped
from facegauge.score_row import (
    SCORE_COLUMNS,
    ScoreRow,
    columns_for,
)

ROW_GROUP = 16384
"""Rows of a row group: some 40 MB as Python objects, the most that is held at once."""


def load_pyarrow(what: str) -> Any:
    """The module pyarrow, or a MissingExtra that says ``what`` needs it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(what, "scale", "pyarrow") from error
    return pyarrow


def write_parquet(
    path: Path, rows: Iterator[ScoreRow], notes: Mapping[str, str] | None = None
) -> None:
    """Write rows to a new file, with notes in its footer; the same rows give the same bytes."""
    arrow = load_pyarrow("writing .parquet")
    first = next(rows, None)
    schema = _schema(arrow, 1 if first is None else len(first.models)).with_metadata(notes)
    rows = rows if first is None else chain([first], rows)
    with arrow.parquet.ParquetWriter(path, schema) as writer:
        while group := [_record(row) for row in islice(rows, ROW_GROUP)]:
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))


def read_notes(path: Path) -> dict[str, str]:
    """The notes in the footer of a file; raises what pyarrow does where it is no parquet."""
    schema = load_pyarrow("reading .parquet").parquet.read_schema(path)
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


def part_files(table: Path) -> list[Path]:
    """The files of a folder that many machines wrote, in the order of its rows; none elsewhere."""
    return sorted(table.glob("part-*.parquet")) if table.is_dir() else []


def read_parquet(table: Path) -> Iterator[ScoreRow]:
    """The rows of a file one by one.

    Raises:
        TableError: not parquet, columns missing, or a row that is none.
    """
    arrow = load_pyarrow("reading .parquet")
    try:
        with table.open("rb") as handle, arrow.parquet.ParquetFile(handle) as file:
            _check_columns(table, file.schema_arrow.names)
            models = sum(name.startswith("model") for name in file.schema_arrow.names)
            for batch in file.iter_batches(ROW_GROUP, columns=list(columns_for(models))):
                for record in batch.to_pylist():
                    yield _row(record)
    except TableError:
        raise
    except (arrow.ArrowException, InputError, TypeError, ValueError) as error:
        raise TableError(
            f"{table} needs to be a parquet file of scores, got: {error}. "
            "Score again with another --out."
        ) from error


def _check_columns(table: Path, names: list[str]) -> None:
    missing = [name for name in SCORE_COLUMNS if name not in names]
    if missing:
        raise TableError(
            f"{table} needs the columns {','.join(SCORE_COLUMNS)}, got "
            f"{','.join(names)[:300]!r}. Add {', '.join(missing)}."
        )


def _schema(arrow: Any, models: int) -> Any:
    kinds: dict[str, Callable[[], Any]] = dict.fromkeys(("face", "disagreement"), arrow.int32)
    names = columns_for(models)
    texts = [name for name in names if name.startswith("model")]
    kinds |= dict.fromkeys(("path", "outcome", "detail", *texts), arrow.string)
    return arrow.schema([(name, kinds.get(name, arrow.float64)()) for name in names])


def _row(record: dict[str, Any]) -> ScoreRow:
    own = {name: record[name] for name in SCORE_COLUMNS} | {"path": unescaped(record["path"])}
    return ScoreRow(**own, further=further_of(record))


def _record(row: ScoreRow) -> dict[str, object]:
    path = escaped(row.path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return {**row.to_dict(), "path": path}
