"""An excerpt of a score table: chosen rows in their order, as they are.

Rows of csv and jsonl are copied line by line, so that columns of one's own, measures and numbers
stay to the last byte; one thing changes: a line that says that another of its picture follows no
longer says so where none does. Rows of parquet are copied column by column. Between formats, rows
are read and written anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import compress, groupby
from pathlib import Path
from typing import Any

import numpy as np

from facegauge.curation.order import Flags
from facegauge.errors import OptionError, TableError
from facegauge.score_columns import ScoreColumns
from facegauge.score_parquet import ROW_GROUP, load_pyarrow, part_files
from facegauge.score_row import JSONL, LineFormat, csv_cells, csv_of, csv_row, decoded, table_suffix
from facegauge.score_table import open_scores, read_scores


def refuse_out(out: Path) -> None:
    """Refuse a place for a table that exists, or that is no csv, jsonl or parquet.

    Raises:
        OptionError: it is.
    """
    table_suffix(out)
    refuse_existing(out)


def refuse_existing(out: Path) -> None:
    """Refuse to overwrite a file.

    Raises:
        OptionError: it exists.
    """
    if out.exists() or out.is_symlink():
        raise OptionError(f"{out} exists already and is not overwritten. Choose another place.")


def write_excerpt(columns: ScoreColumns, kept: Flags, out: Path) -> None:
    """Write the rows of a table that are ``kept`` (N) to a new file, all of them or none.

    Raises:
        OptionError: the file exists, a place that cannot be written, or plain scores in another
            format.
        TableError: the table has changed since it was read.
        MissingExtra: parquet without pyarrow.
    """
    refuse_out(out)
    target = out.suffix.lower()
    source = ".parquet" if part_files(columns.table) else columns.table.suffix.lower()
    if columns.plain and source != target:
        raise OptionError(f"Plain scores are a .csv, got --out {out}. Give it this suffix.")
    part = out.with_name(f"{out.name}.partial{target}")
    refuse_existing(part)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if source != target:
            _converted(columns, kept, part)
        elif source == ".parquet":
            _filtered(columns, kept, part)
        else:
            _copied(columns, kept, part)
        part.replace(out)
    except OSError as error:
        raise OptionError(
            f"A selection needs a place to write, got {out}: {error.strerror or error}. Pass "
            "another --out."
        ) from error
    finally:
        for ending in ("", ".partial.jsonl", ".partial.parquet"):  # the latter two by conversion
            with contextlib.suppress(OSError):
                part.with_name(part.name + ending).unlink()


def _copied(columns: ScoreColumns, kept: Flags, out: Path) -> None:
    last = _last_of_image(columns, kept)
    with columns.table.open("rb") as lines, out.open("xb") as target:
        form = JSONL
        if columns.table.suffix.lower() == ".csv":
            header = next(lines, b"")
            target.write(_whole(header))
            names = csv_cells(header.removeprefix(b"\xef\xbb\xbf"))
            form = LineFormat(
                header=b"",
                start=b"",
                encode=csv_of(1).encode,
                decode=partial(csv_row, columns=names),
            )
        for row, line in enumerate(_every(columns, lines)):
            if kept[row]:
                target.write(_ended(columns.table, form, line) if last[row] else _whole(line))


def _every(columns: ScoreColumns, lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of all rows.

    Raises:
        TableError: not as many as there were.
    """
    row = 0
    for line in lines:
        row += 1
        if row <= len(columns):
            yield line
    if row != len(columns):
        raise _changed(columns, row)


def _changed(columns: ScoreColumns, came: int) -> TableError:
    return TableError(
        f"Expected {len(columns)} rows in {columns.table} as when it was read before, got {came}. "
        "Select again when nothing writes to it."
    )


def _last_of_image(columns: ScoreColumns, kept: Flags) -> Flags:
    """Which kept rows have become the last of their picture, as a later one was dropped."""
    image = np.cumsum(columns.new_image) - 1
    rows = np.flatnonzero(kept)
    last = rows[np.append(image[rows][1:] != image[rows][:-1], True)[: rows.size]]
    follows = np.append(image[1:] == image[:-1], False)
    found = np.zeros(len(columns), dtype=np.bool_)
    found[last] = follows[last]
    return found


def _ended(table: Path, form: LineFormat, line: bytes) -> bytes:
    """A line that does not say that another of its picture follows; others stay as they are."""
    row = decoded(table, 0, line, form.decode)
    return form.encode(row, False) if line == form.encode(row, True) else _whole(line)


def _whole(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"


def _filtered(columns: ScoreColumns, kept: Flags, out: Path) -> None:
    arrow = load_pyarrow("writing .parquet")
    tables = part_files(columns.table) or [columns.table]
    rows = sum(arrow.parquet.read_metadata(table).num_rows for table in tables)
    if rows != len(columns):
        raise _changed(columns, rows)
    schema = arrow.parquet.read_schema(tables[0])
    if tables != [columns.table]:  # a part's notes are of that part alone
        schema = schema.with_metadata({})
    done, waiting, count = 0, [], 0
    with arrow.parquet.ParquetWriter(out, schema) as writer:
        for batch in _batches(tables, schema.metadata):
            waiting.append(batch.filter(arrow.array(kept[done : done + len(batch)])))
            done, count = done + len(batch), count + len(waiting[-1])
            if count >= ROW_GROUP:
                writer.write_table(arrow.Table.from_batches(waiting, schema))
                waiting, count = [], 0
        if count:
            writer.write_table(arrow.Table.from_batches(waiting, schema))


def _batches(tables: Iterable[Path], notes: dict[bytes, bytes] | None) -> Iterator[Any]:
    """The rows of parquet files with the same notes on all, one file open at a time."""
    arrow = load_pyarrow("reading .parquet")
    for table in tables:
        with table.open("rb") as handle, arrow.parquet.ParquetFile(handle) as file:
            for batch in file.iter_batches(ROW_GROUP):
                yield batch.replace_schema_metadata(notes)


def _converted(columns: ScoreColumns, kept: Flags, out: Path) -> None:
    first = next(read_scores(columns.table))
    rows = compress(read_scores(columns.table), kept)
    with open_scores(out, model=first.model, further=first.models[1:]) as table:
        for _, image in groupby(rows, key=lambda row: row.path):
            table.append(list(image))
