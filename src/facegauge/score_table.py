"""Score tables on disk: csv, jsonl or parquet, read one row at a time, resumable at any byte.

A table grows by whole images: the lines of one image are one write, so rows can be watched as they
come. A process may be killed at any moment: ``resume`` cuts off an incomplete last line, and the
lines of an image of which not all were written, and continues there. What is done is remembered as
8 bytes an image.

Parquet has its index at the end and cannot be continued after a crash: its rows go to a journal
``<out>.partial.jsonl``, which becomes the parquet file when the table is complete.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from facegauge.errors import OptionError, TableError, UnwritablePlace
from facegauge.score_cells import one_line
from facegauge.score_parquet import load_pyarrow, part_files, read_parquet, write_parquet
from facegauge.score_resume import Kept, kept, name_hash
from facegauge.score_row import (
    JSONL,
    SCORE_COLUMNS,
    LineFormat,
    ScoreRow,
    csv_cells,
    csv_of,
    csv_row,
    decoded,
    table_suffix,
)
from facegauge.score_run import ScoreRun


def open_scores(
    out: Path | str,
    *,
    model: str,
    further: Sequence[str] = (),
    explain: bool = False,
    resume: bool = False,
) -> ScoreTable:
    """Open a table to append to; missing parent folders are made.

    ``further`` are the models whose scores stand beside those of ``model``; with ``explain``
    details say what was measured. With ``resume`` an existing table is continued, or a new one
    started. Everything is checked before a byte is written or cut off.

    Raises:
        OptionError: another suffix; the table exists and ``resume`` is not set; rows by another
            model, or made with another ``explain``; a place that cannot be written.
        TableError: the file to resume is not a score table.
        MissingExtra: parquet without pyarrow.
    """
    table = Path(out)
    suffix = table_suffix(table)
    run = ScoreRun(models=tuple(map(one_line, (model, *further))), explain=explain)
    try:
        if suffix != ".parquet":
            form = csv_of(len(run.models)) if suffix == ".csv" else JSONL
            return ScoreTable(table, form, run, resume)
        load_pyarrow("writing .parquet")
        return _ParquetTable(table, run, resume)
    except UnwritablePlace as error:
        raise OptionError(
            f"The score table needs a place to write, got {table}: {error.__cause__}. "
            "Make room, or pass another --out."
        ) from error
    except OSError as error:
        raise OptionError(
            f"The score table needs a place to write, got {table}: {error.strerror or error}. "
            "Pass another --out."
        ) from error


def read_scores(path: Path | str) -> Iterator[ScoreRow]:
    """The rows of a score table one by one, in constant memory.

    A csv may have its columns in another order and more of them. A folder of parquet files, as
    ``facegauge score --engine ray`` writes it, is read as one table, in the order of their names.

    Raises:
        TableError: not a score table, or a line that is no row, with its number.
        OptionError: another suffix.
        MissingExtra: parquet without pyarrow.
    """
    table = Path(path)
    if parts := part_files(table):
        return chain.from_iterable(map(read_scores, parts))
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": read_parquet}
    return _readable(table, readers[table_suffix(table)](table))


class ScoreTable:
    """A csv or jsonl table open to append; a context manager that closes the file."""

    def __init__(self, path: Path, form: LineFormat, run: ScoreRun, resume: bool) -> None:
        self._form = form
        fresh = not (resume and path.exists())
        found = Kept() if fresh else kept(path, form, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._shown = path
        self._file = _created(path) if fresh else path.open("ab", buffering=0)
        self._done = np.unique(np.array(found.hashes, dtype=np.uint64))
        try:
            if not fresh and path.stat().st_size != found.size:
                self._file.truncate(found.size)
            if found.size == 0:
                self._write(form.header)
        except BaseException:
            self._file.close()
            if fresh:
                path.unlink()
            raise

    def done(self, path: str) -> bool:
        """Whether an image was complete when the table was opened."""
        key = np.uint64(name_hash(path))
        place = int(np.searchsorted(self._done, key))
        return place < len(self._done) and bool(self._done[place] == key)

    def append(self, rows: Sequence[ScoreRow]) -> None:
        """Write all rows of one image, at once.

        Raises:
            UnwritablePlace: they cannot be written. None of them is in the table then.
        """
        last = len(rows) - 1
        self._write(b"".join(self._form.encode(row, at < last) for at, row in enumerate(rows)))

    def finish(self) -> None:
        """Called when every image is in the table.

        Raises:
            UnwritablePlace: there is no room for its final form.
        """

    def close(self) -> None:
        """Close the file; what was appended stays."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._take_back(len(data) - len(rest))
            raise _unwritable(self._shown, error) from error

    def _take_back(self, size: int) -> None:
        """Cut off the part of an image that was written; where even that fails, resuming does."""
        with contextlib.suppress(OSError):
            end = self._file.seek(0, os.SEEK_END) - size
            self._file.truncate(end)
            self._file.seek(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.close()
        if kind is None:
            self.finish()


class _ParquetTable(ScoreTable):
    """A jsonl journal that becomes a parquet file when it is complete."""

    def __init__(self, path: Path, run: ScoreRun, resume: bool) -> None:
        self._out, self._journal = path, _beside(path, ".partial.jsonl")
        if not resume:
            _refuse_existing(path)
            _refuse_existing(self._journal)
        elif path.exists() and not self._journal.exists():
            _reopen(path, self._journal, run)
        super().__init__(self._journal, JSONL, run, resume)

    def finish(self) -> None:
        part = _beside(self._out, ".partial.parquet")
        try:
            write_parquet(part, read_scores(self._journal))
            part.replace(self._out)
            self._journal.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise _unwritable(self._journal, error) from error


def _unwritable(table: Path, error: OSError) -> UnwritablePlace:
    return UnwritablePlace(
        f"A score table needs a place where it can grow, got: {error.strerror or error}. What is "
        f"in {table} is complete and can be read: make room, and go on with --resume."
    )


def _created(path: Path) -> Any:
    _refuse_existing(path)
    return path.open("xb", buffering=0)


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise OptionError(
            f"A new score table needs a new file, and {path} exists; pass --resume to continue it, "
            "or another --out."
        )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _readable(table: Path, rows: Iterator[ScoreRow]) -> Iterator[ScoreRow]:
    try:
        yield from rows
    except OSError as error:
        raise TableError(
            f"Expected a score table in {table}, got: {error.strerror or error}. Check the path."
        ) from error


def _jsonl_rows(table: Path) -> Iterator[ScoreRow]:
    with table.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield decoded(table, number, line, JSONL.decode)


def _csv_rows(table: Path) -> Iterator[ScoreRow]:
    with table.open("rb") as lines:
        columns = csv_cells(next(lines, b"").removeprefix(b"\xef\xbb\xbf"))
        missing = [name for name in SCORE_COLUMNS if columns.count(name) != 1]
        if missing:
            raise TableError(
                f"{table} needs the columns {','.join(SCORE_COLUMNS)} in its first line, got "
                f"{','.join(columns)[:300]!r}. Add {', '.join(missing)}, once each."
            )
        for number, line in enumerate(lines, 2):
            yield decoded(table, number, line, partial(csv_row, columns=columns))


def _reopen(out: Path, journal: Path, run: ScoreRun) -> None:
    """Turn a finished parquet file back into a journal; the parquet file stays until the end."""
    part = _beside(out, ".partial.tmp")
    try:
        with part.open("wb") as handle:
            rows = read_scores(out)
            row = next(rows, None)
            while row is not None:
                run.check(out, row)
                following = next(rows, None)
                more = following is not None and following.path == row.path
                handle.write(JSONL.encode(row, more))
                row = following
        part.replace(journal)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
