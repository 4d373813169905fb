"""A score table as columns: what choosing among millions of rows needs, in numbers instead of rows.

A row takes 21 bytes and those of its path: no Python object stays in memory for it.
What the columns do not hold stays in the file; ``curation.excerpt`` copies chosen rows from there.
"""

from __future__ import annotations

import csv
import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, TableError
from facegauge.names import Names
from facegauge.score_cells import unescaped
from facegauge.score_parquet import ROW_GROUP, load_pyarrow, part_files
from facegauge.score_row import SCORE_COLUMNS, table_suffix
from facegauge.values import Outcome

OUTCOMES = tuple(Outcome)
"""What the numbers in ``ScoreColumns.outcomes`` stand for."""
_SCORED = OUTCOMES.index(Outcome.SCORED)
_CODES = {str(outcome): code for code, outcome in enumerate(OUTCOMES)}
_NEEDED = ("path", "face", "outcome", "score", "model")
_PLAIN = ("path", "score")

_Cells = Sequence[Any]
"""Path, face, outcome, score and model of one row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreColumns:
    """The N rows of a score table, in its order: path, number of the face, outcome and score.

    ``outcomes`` are places in ``OUTCOMES``; ``scores`` are finite, or nan where the outcome is
    another than ``scored``. ``models`` are those that the rows name. ``plain`` scores, of a csv
    ``path,score``, are on a scale of their own. No path and face is there twice.
    """

    table: Path
    paths: Names
    faces: npt.NDArray[np.int32]
    outcomes: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float64]
    models: tuple[str, ...] = ()
    plain: bool = False

    @classmethod
    def of(cls, paths: Sequence[str], scores: Sequence[float | None]) -> ScoreColumns:
        """Columns of N faces, one a path; None is no face.

        Raises:
            TableError: a path twice, or a score that is not finite.

        Example:
            >>> ScoreColumns.of(["a.jpg", "b.jpg"], [71.5, None]).scored.tolist()
            [True, False]
        """
        growing = _Growing(Path("<memory>"))
        for path, score in zip(paths, scores, strict=True):
            outcome = Outcome.NO_FACE if score is None else Outcome.SCORED
            growing.add((path, 0, outcome, score, ""))
        return growing.columns()

    def __len__(self) -> int:
        """How many rows."""
        return len(self.scores)

    @property
    def scored(self) -> npt.NDArray[np.bool_]:
        """Which rows have a score."""
        return np.asarray(self.outcomes == _SCORED)

    @property
    def new_image(self) -> npt.NDArray[np.bool_]:
        """Which rows begin a picture: face 0, or another picture than that of the row before."""
        new = np.ones(len(self), dtype=np.bool_)
        for row in (np.flatnonzero(self.faces[1:]) + 1).tolist():
            new[row] = self.paths.coded(row) != self.paths.coded(row - 1)
        return new

    def name(self, row: int) -> str:
        """A row in a message: its path, and its face where there may be several."""
        face = f" face {self.faces[row]}" if self.faces[row] else ""
        return f"{self.paths[row]!r}{face}"


def read_score_columns(path: Path | str) -> ScoreColumns:
    """Read a score table, csv, jsonl or parquet, or a csv ``path,score`` of any method.

    A folder of parquet files, as ``facegauge score --engine ray`` writes it, is read as one table.

    Raises:
        TableError: not a score table, a line that is no row, a score that is not finite, or a path
            and face twice.
        OptionError: another suffix.
        MissingExtra: parquet without pyarrow.
    """
    table = Path(path)
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
    growing = _Growing(table)
    try:
        suffix = ".parquet" if part_files(table) else table_suffix(table)
        readers[suffix](growing)
    except OSError as error:
        raise TableError(
            f"Expected a score table in {table}, got: {error.strerror or error}. Check the path."
        ) from error
    return growing.columns()


class _Growing:
    """Columns while they are read."""

    def __init__(self, table: Path) -> None:
        self.table, self.plain = table, False
        self._data, self._ends = bytearray(), array("q")
        self._faces, self._outcomes = array("i"), array("B")
        self._scores, self._keys = array("d"), array("q")
        self._models: dict[str, None] = {}

    def add(self, cells: _Cells, *, escaped: bool = False) -> None:
        """One more row; ``escaped`` is a path as csv and parquet have it.

        Raises:
            TableError: cells that are no row.
        """
        path, face, outcome, score, model = cells
        try:
            self._add(unescaped(path) if escaped else path, face, outcome, score, model)
        except (InputError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise self.wrong(cells, error) from error

    def _add(self, path: str, face: Any, outcome: str, score: Any, model: str | None) -> None:
        number, code, value = int(face), _CODES[outcome], math.nan
        if code == _SCORED:
            value = float(score)
        if not path or number < 0:
            raise InputError("a row needs a path and a face >= 0")
        if math.isfinite(value) != (code == _SCORED) or (code != _SCORED and score):
            raise InputError("a row has a finite score exactly when it is scored")
        data = path.encode("utf-8", "surrogateescape")
        self._data += data
        self._ends.append(len(self._data))
        self._faces.append(number)
        self._outcomes.append(code)
        self._scores.append(value)
        self._keys.append(hash((data, number)))
        if model:
            self._models[model] = None

    def columns(self) -> ScoreColumns:
        """All rows that were added.

        Raises:
            TableError: a path and face twice.
        """
        found = ScoreColumns(
            table=self.table,
            paths=Names(data=self._data, ends=np.frombuffer(self._ends, dtype=np.int64)),
            faces=np.frombuffer(self._faces, dtype=np.int32),
            outcomes=np.frombuffer(self._outcomes, dtype=np.uint8),
            scores=np.frombuffer(self._scores, dtype=np.float64),
            models=tuple(sorted(self._models)),
            plain=self.plain,
        )
        _refuse_twice(found, np.frombuffer(self._keys, dtype=np.int64))
        return found

    def wrong(self, cells: _Cells, error: Exception) -> TableError:
        """What is wrong with the next row."""
        columns = _PLAIN if self.plain else SCORE_COLUMNS
        return TableError(
            f"{self.table}, row {len(self._ends) + 1}: expected a row with {','.join(columns)}, "
            f"got {str(cells)[:120]} ({type(error).__name__}: {error}). Correct or remove the row."
        )


def _refuse_twice(columns: ScoreColumns, keys: npt.NDArray[np.int64]) -> None:
    """Refuse two rows of one face; rows whose keys are equal by chance are told apart."""
    ranked = np.sort(keys)
    suspects = ranked[1:][ranked[1:] == ranked[:-1]]
    seen: dict[tuple[bytes, int], int] = {}
    for row in np.flatnonzero(np.isin(keys, suspects)).tolist() if suspects.size else ():
        first = seen.setdefault((columns.paths.coded(row), int(columns.faces[row])), row)
        if first != row:
            raise TableError(
                f"{columns.table}: expected one row for each face, got {columns.name(row)} in row "
                f"{first + 1} and again in row {row + 1}. Remove one of the two."
            )


def _read_csv(growing: _Growing) -> None:
    with growing.table.open("rb") as lines:
        reader = csv.reader(_texts(lines), strict=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            growing.plain = set(_PLAIN) <= set(header) and "outcome" not in header
            pick, width = _picker(growing, header), len(header)
            for cells in reader:
                if len(cells) != width:
                    raise _of_width(growing.table, reader.line_num, width, len(cells))
                growing.add(pick(cells), escaped=True)
        except csv.Error as error:
            raise TableError(
                f"{growing.table}, line {reader.line_num}: expected cells separated by commas, got "
                f"text that is not csv ({error}). Quote cells that hold commas or quotes."
            ) from error


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        yield text.decode("utf-8", "surrogateescape").rstrip("\r\n")


def _picker(growing: _Growing, header: Sequence[str]) -> Callable[[_Cells], _Cells]:
    """What takes the needed cells out of a line."""
    columns = _PLAIN if growing.plain else SCORE_COLUMNS
    _refuse_columns(growing.table, columns, header)
    places = [header.index(name) for name in (_PLAIN if growing.plain else _NEEDED)]
    take = itemgetter(*places)
    return (lambda cells: _plain_row(*take(cells))) if growing.plain else take


def _plain_row(path: str, score: str) -> _Cells:
    shown = score.strip()
    return path.replace("\\", "\\\\"), 0, "scored" if shown else "no_face", shown, ""


def _of_width(table: Path, line: int, width: int, came: int) -> TableError:
    return TableError(
        f"{table}, line {line}: expected {width} cells as in the first line, got {came}. Complete "
        "or remove the line; a table cut off in the middle is completed by scoring again with "
        "--resume."
    )


def _refuse_columns(table: Path, columns: Sequence[str], header: Sequence[str]) -> None:
    missing = [name for name in columns if header.count(name) != 1]
    if missing:
        raise TableError(
            f"{table} needs the columns {','.join(columns)} in its first line, got "
            f"{','.join(header)[:300]!r}. Add {', '.join(missing)}, once each."
        )


def _read_jsonl(growing: _Growing) -> None:
    with growing.table.open("rb") as lines:
        for line in lines:
            try:
                values = json.loads(line)
                cells = [values[name] for name in _NEEDED]
            except (ValueError, TypeError, KeyError) as error:
                raise growing.wrong([line[:80]], error) from error
            growing.add(cells)


def _read_parquet(growing: _Growing) -> None:
    for table in part_files(growing.table) or [growing.table]:
        _read_part(growing, table)


def _read_part(growing: _Growing, table: Path) -> None:
    arrow = load_pyarrow("reading .parquet")
    try:
        with table.open("rb") as handle, arrow.parquet.ParquetFile(handle) as file:
            _refuse_columns(table, SCORE_COLUMNS, file.schema_arrow.names)
            for batch in file.iter_batches(ROW_GROUP, columns=list(_NEEDED)):
                columns = [batch.column(name).to_pylist() for name in _NEEDED]
                for path, *others in zip(*columns, strict=True):
                    growing.add((path, *others), escaped=True)
    except TableError:
        raise
    except (arrow.ArrowException, TypeError, ValueError) as error:
        raise TableError(
            f"{table} needs to be a parquet file of scores, got: {error}. Score again with "
            "another --out."
        ) from error
