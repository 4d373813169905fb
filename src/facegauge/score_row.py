r"""One row of a score table, and how it becomes one line of csv or jsonl and back.

A row is one physical line, whatever a file is called. A line that is followed by another of the
same image says so in a way no reader of csv or JSON sees (csv: its outcome is quoted; jsonl: a
space ends the line), so a table cut at any byte tells which image was last complete.

How a path is written:

- csv: backslash, newline and carriage return as ``\\``, ``\n``, ``\r``; bytes that are not UTF-8
  as they are;
- jsonl: JSON's own escapes; a byte 0xff that is not UTF-8 is the lone surrogate ``\udcff``, as in
  Python's ``surrogateescape``;
- parquet: as csv, but a byte that is not UTF-8 becomes ``\xff``, as parquet holds UTF-8 only.

``score_table.read_scores`` gives the original path back from all three.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from facegauge.errors import InputError, OptionError, TableError
from facegauge.score_cells import (
    DECIMALS,
    DISAGREEMENT,
    FURTHER_COLUMNS,
    MEASURE_DECIMALS,
    NO_MEASURES,
    WORST,
    Further,
    escaped,
    explained,
    further_of,
    one_line,
    rounded,
    unescaped,
)
from facegauge.values import Assessment, Box, Measure, Outcome

SCORE_COLUMNS = (
    "path",
    "face",
    "outcome",
    "score",
    "raw",
    "model",
    "x0",
    "y0",
    "x1",
    "y1",
    "confidence",
    "detail",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One line of a score table, rounded and on one line from the moment it is made.

    ``face`` counts the faces of an image from 0 (also 0 for an image without a score). Score is
    0..100, the box is in pixels, confidence 0..1; what is unknown is None. ``further`` models have
    columns of their own behind the others, numbered from 2, and the last is ``disagreement``.
    ``measures`` stand in jsonl only, the worst three of them in every table's ``detail``.
    """

    path: str
    face: int
    outcome: Outcome
    score: float | None = None
    raw: float | None = None
    model: str = ""
    x0: float | None = None
    y0: float | None = None
    x1: float | None = None
    y1: float | None = None
    confidence: float | None = None
    detail: str = ""
    further: tuple[Further, ...] = ()
    measures: tuple[Measure, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path or self.face < 0:
            raise InputError(f"A row needs a path and a face >= 0, got {self.path!r}, {self.face}.")
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        object.__setattr__(self, "model", one_line(self.model))
        object.__setattr__(self, "detail", one_line(self.detail))
        for name, places in DECIMALS.items():
            object.__setattr__(self, name, rounded(name, getattr(self, name), places))
        object.__setattr__(self, "measures", tuple(map(_short, self.measures)))
        scored = self.outcome is Outcome.SCORED
        if (self.score is not None, self.raw is not None) != (scored, scored):
            raise InputError(f"A row has score and raw exactly when it is scored, got {self}.")
        if not scored and any(each.score is not None for each in self.further):
            raise InputError(f"A row has no score of a further model unless scored, got {self}.")

    @classmethod
    def from_assessment(cls, path: str, face_index: int, assessment: Assessment) -> ScoreRow:
        """The row of one assessment; landmarks have no columns."""
        face = assessment.face
        box: Box | None = None if face is None else face.box
        return cls(
            path=path,
            face=face_index,
            outcome=assessment.outcome,
            score=assessment.score,
            raw=assessment.raw,
            model=assessment.model,
            x0=None if box is None else box.x0,
            y0=None if box is None else box.y0,
            x1=None if box is None else box.x1,
            y1=None if box is None else box.y1,
            confidence=None if face is None else face.confidence,
            detail=explained(assessment.detail, assessment.measures),
            measures=assessment.measures,
            further=tuple(
                Further(model=each.model, score=each.score, raw=each.raw)
                for each in assessment.further
            ),
        )

    @property
    def models(self) -> tuple[str, ...]:
        """All models that say something of this face, the one of ``score`` first."""
        return (self.model, *(each.model for each in self.further))

    @property
    def explained(self) -> bool:
        """Whether the detail says something of measures: the worst, or why there are none."""
        parts = self.detail.split("; ")
        return any(part.startswith((WORST, NO_MEASURES)) for part in parts)

    @property
    def disagreement(self) -> bool | None:
        """Whether two models are ``DISAGREEMENT`` or more points apart; None without two scores."""
        told = (self.score, *(each.score for each in self.further))
        scores = [score for score in told if score is not None]
        return None if len(scores) < 2 else max(scores) - min(scores) >= DISAGREEMENT

    def to_dict(self) -> dict[str, str | int | float | None]:
        """Plain Python values in the order of the columns."""
        values = {name: getattr(self, name) for name in SCORE_COLUMNS}
        values |= {"outcome": str(self.outcome)}
        for number, each in enumerate(self.further, 2):
            values |= {f"{name}_{number}": getattr(each, name) for name in FURTHER_COLUMNS}
        if self.further:
            told = self.disagreement
            values["disagreement"] = None if told is None else int(told)
        return values


def _short(measure: Measure) -> Measure:
    """A measure with the digits that a table has."""
    score, value = (round(each, MEASURE_DECIMALS) for each in (measure.score, measure.value))
    return replace(measure, score=score, value=value + 0.0)


def table_suffix(table: Path) -> str:
    """The suffix of a score table, in lower case: .csv, .jsonl or .parquet.

    Raises:
        OptionError: another one.
    """
    suffix = table.suffix.lower()
    if suffix not in (".csv", ".jsonl", ".parquet"):
        raise OptionError(
            f"A score table is a .csv, .jsonl or .parquet file, got {table}. "
            "Give it one of these three suffixes."
        )
    return suffix


def columns_for(models: int) -> tuple[str, ...]:
    """The columns of a table of so many models.

    Example:
        >>> columns_for(2)[len(SCORE_COLUMNS):]
        ('score_2', 'raw_2', 'model_2', 'disagreement')
    """
    more = [f"{name}_{number}" for number in range(2, models + 1) for name in FURTHER_COLUMNS]
    return (*SCORE_COLUMNS, *more, *(("disagreement",) if more else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How rows become lines and lines become rows.

    ``encode(row, more)`` gives one line; ``more`` marks that another of the same image follows.
    ``start`` is what every line begins with, to tell a line cut short from a foreign file.
    """

    header: bytes
    start: bytes
    encode: Callable[[ScoreRow, bool], bytes]
    decode: Callable[[bytes], ScoreRow]


_NUMBER = re.compile(r"_\d+$")


def _csv_line(row: ScoreRow, more: bool) -> bytes:
    cells = []
    for name, value in row.to_dict().items():
        places = DECIMALS.get(_NUMBER.sub("", name))
        if places is not None:
            cells.append("" if value is None else f"{value:.{places}f}")
        else:
            text = escaped(row.path) if name == "path" else "" if value is None else str(value)
            cells.append(_quoted(text, always=more and name == "outcome"))
    return (",".join(cells) + "\n").encode("utf-8", "surrogateescape")


def _quoted(text: str, *, always: bool) -> str:
    if always or "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_cells(line: bytes) -> list[str]:
    """The cells of one line of csv."""
    text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return next(csv.reader([text], strict=True), [])


def csv_row(line: bytes, columns: Sequence[str] = SCORE_COLUMNS) -> ScoreRow:
    """The row of one line of csv whose cells are these columns."""
    texts = dict(zip(columns, csv_cells(line), strict=True))
    numbers = {name: float(texts[name]) if texts[name] else None for name in DECIMALS}
    return ScoreRow(
        path=unescaped(texts["path"]),
        face=int(texts["face"]),
        outcome=Outcome(texts["outcome"]),
        model=texts["model"],
        detail=texts["detail"],
        further=further_of(texts),
        measures=(),  # of jsonl only
        **numbers,
    )


def _json_line(row: ScoreRow, more: bool) -> bytes:
    values: dict[str, object] = dict(row.to_dict())
    if row.measures:
        values["measures"] = [each.to_dict() for each in row.measures]
    text = json.dumps(values, ensure_ascii=False) + (" \n" if more else "\n")
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \udcff: JSON


def _json_row(line: bytes) -> ScoreRow:
    values = json.loads(line)
    return ScoreRow(
        **{name: values[name] for name in SCORE_COLUMNS},
        further=further_of(values),
        measures=tuple(Measure(**each) for each in values.get("measures", ())),
    )


def csv_of(models: int) -> LineFormat:
    """The csv of a table of so many models."""
    columns = columns_for(models)
    return LineFormat(
        header=(",".join(columns) + "\n").encode(),
        start=b"",
        encode=_csv_line,
        decode=partial(csv_row, columns=columns),
    )


CSV = csv_of(1)
JSONL = LineFormat(header=b"", start=b'{"path": "', encode=_json_line, decode=_json_row)


def decoded(table: Path, number: int, line: bytes, decode: Callable[[bytes], ScoreRow]) -> ScoreRow:
    """One row, or a TableError that names the line."""
    try:
        return decode(line)
    except (ValueError, TypeError, KeyError, InputError, csv.Error) as error:
        raise TableError(
            f"{table}, line {number}: expected a row with {','.join(SCORE_COLUMNS)}, got "
            f"{line[:80]!r} ({type(error).__name__}: {error}). Correct or remove the line; a table "
            "cut off in the middle is completed by scoring again with --resume."
        ) from error
