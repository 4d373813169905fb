"""Templates: pictures that are compared together, on the command line a csv path,template,media.

table = read_templates("templates.csv")
pooled = table.pooled(scores, embeddings)   # of templates: evaluate_edc takes both as they are
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, TableError
from facegauge.evaluate.pairs import PairTable
from facegauge.evaluate.score_files import ScoreFile
from facegauge.evaluate.sets import Templates
from facegauge.tables import same_path

TEMPLATE_COLUMNS = ("path", "template", "media")
"""Columns of a table of templates: a picture, and the whole numbers of its template and medium."""

_MOST_DIGITS = 18  # fits into int64 for certain


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """Scores by method and embeddings by recogniser; what pictures had, templates have."""

    scores: tuple[ScoreFile, ...]
    embeddings: dict[str, Embeddings]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemplateTable:
    """N pictures by name, and which of the T ``templates`` and which medium each belongs to."""

    names: tuple[str, ...]
    templates: Templates

    def refuse_others(self, pairs: PairTable) -> None:
        """Refuse pairs of something else than these templates.

        Raises:
            InputError: a name in the pairs that is no template.
        """
        known = set(self.templates.names)
        others = [path for path in pairs.paths if path not in known]
        if others:
            raise InputError(
                f"Expected pairs of the {len(known)} templates, got {len(others)} other names, the "
                f"first {others[0]!r}. Write the numbers of templates as path_a and path_b."
            )

    def pooled(self, scores: Sequence[ScoreFile], embeddings: Mapping[str, Embeddings]) -> Pooled:
        """Scores and embeddings of templates, called by their numbers.

        Embeddings are pooled by media, see ``Templates.pooled``; scores are, too, see
        ``template_scores``.

        Raises:
            InputError: scores or embeddings that none of the pictures have.
        """
        return Pooled(
            scores=tuple(map(self._scores, scores)),
            embeddings={name: self._embeddings(name, each) for name, each in embeddings.items()},
        )

    def _scores(self, file: ScoreFile) -> ScoreFile:
        values = template_scores(self.templates, file.of(self.names)).tolist()
        known = {
            name: None if np.isnan(value) else value
            for name, value in zip(self.templates.names, values, strict=True)
        }
        return replace(file, scores=known, boxes={})

    def _embeddings(self, recogniser: str, embeddings: Embeddings) -> Embeddings:
        pooled = self.templates.pooled(embeddings, self.names)
        if not len(pooled):
            has = repr(embeddings.paths[0]) if embeddings.paths else "nothing"
            raise InputError(
                f"Expected embeddings of the {len(self.names)} pictures of templates, got none of "
                f"them in {recogniser}: it has {has}, they are called {self.names[0]!r}. Make both "
                "relative to the same folder."
            )
        return pooled


def template_scores(
    templates: Templates, scores: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The scores of T templates from those of N pictures: the mean of its media's mean scores.

    As with embeddings, a video of a thousand frames weighs as much as a still. Pictures without a
    score (nan) count nowhere; a template none of whose pictures has one has none (nan).

    Example:
        >>> two = Templates(ids=np.array([4, 8]), of_picture=[0, 0, 0, 1], media=[1, 1, 2, 1])
        >>> template_scores(two, np.array([10.0, 20.0, 45.0, np.nan])).tolist()
        [30.0, nan]
    """
    there, count = np.flatnonzero(~np.isnan(scores)), len(templates.ids)
    keys = np.stack([templates.of_picture, templates.media], axis=1)[there]
    media, medium = np.unique(keys, axis=0, return_inverse=True)
    means = _means(scores[there], medium.reshape(-1), len(media))
    return _means(means, media[:, 0], count)


def _means(
    values: npt.NDArray[np.float64], group: npt.NDArray[np.integer], count: int
) -> npt.NDArray[np.float64]:
    """The mean of each of ``count`` groups; nan for one without a value."""
    sizes = np.bincount(group, minlength=count)
    totals = np.bincount(group, values, count)
    return np.where(sizes > 0, totals / np.maximum(sizes, 1), np.nan)


def read_templates(path: Path | str) -> TemplateTable:
    """Read a csv ``path,template,media``; other columns are passed over.

    Raises:
        TableError: no such file, columns missing, no rows, a picture twice, or a template or
            medium that is no whole number.
    """
    table, names = Path(path), list[str]()
    numbers = array("q")
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            for record in _records(table, csv.reader(handle, strict=True)):
                names.append(record.path)
                numbers.extend((record.template, record.medium))
    except OSError as error:
        raise _error(table, error.strerror or str(error), "Check the path.") from error
    except csv.Error as error:
        raise _error(table, f"text that is not csv ({error})", "Quote commas.") from error
    if not names or len(set(names)) < len(names):
        got = f"{len(set(names))} different pictures in {len(names)} rows"
        raise _error(table, got, "Give every picture one row.")
    return TemplateTable(names=tuple(names), templates=_templates(numbers))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    path: str
    template: int
    medium: int


def _templates(numbers: array[int]) -> Templates:
    pairs = np.array(numbers, dtype=np.int64).reshape(-1, 2)
    ids, of_picture = np.unique(pairs[:, 0], return_inverse=True)
    media = np.unique(pairs[:, 1], return_inverse=True)[1]
    return Templates(
        ids=ids,
        of_picture=of_picture.reshape(-1).astype(np.int32),
        media=media.reshape(-1).astype(np.int32),
    )


def _records(table: Path, rows: Iterator[list[str]]) -> Iterator[_Record]:
    header = [cell.strip() for cell in next(rows, [])]
    if any(header.count(column) != 1 for column in TEMPLATE_COLUMNS):
        raise _error(table, f"the first line {','.join(header)[:200]!r}", "Name the columns.")
    columns = [header.index(column) for column in TEMPLATE_COLUMNS]
    for number, cells in enumerate(rows, 2):
        if cells:
            wanted = [cells[i] for i in columns] if len(cells) == len(header) else ["", "", ""]
            yield _record(table, number, cells, wanted)


def _record(table: Path, number: int, cells: list[str], wanted: list[str]) -> _Record:
    path, *groups = wanted
    numbers = [int(cell) for cell in map(str.strip, groups) if _is_number(cell)]
    if not path or len(numbers) != 2:
        came = f"{','.join(cells)[:200]!r} as row {number}"
        raise _error(table, came, "Write a path and two whole numbers, as 17 rather than 017.")
    return _Record(path=same_path(path), template=numbers[0], medium=numbers[1])


def _is_number(text: str) -> bool:
    """Whether a text is a whole number as Python would write it: a template's only name."""
    digits = text.removeprefix("-")
    return digits.isdecimal() and len(digits) <= _MOST_DIGITS and str(int(text)) == text


def _error(table: Path, got: str, remedy: str) -> TableError:
    expected = f"a csv with the columns {','.join(TEMPLATE_COLUMNS)}"
    return TableError(f"Expected {expected} in {table}, got {got}. {remedy}")
