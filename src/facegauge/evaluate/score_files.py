"""Score tables as an evaluation takes them: by method, one score for each picture or none."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import images
from facegauge.errors import InputError, OptionError, TableError
from facegauge.evaluate.operating import SCORES
from facegauge.evaluate.thumbnails import Pictures
from facegauge.score_row import ScoreRow
from facegauge.score_table import read_scores
from facegauge.tables import read_plain_scores, same_path
from facegauge.values import Box, Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFile:
    """What one method says of pictures, by path: a score, or None for another outcome.

    ``boxes`` are those of the scored faces, in pixels, where the table has them. ``plain`` scores
    are on a scale of the method's own, others calibrated, 0..100.
    """

    method: str
    scores: Mapping[str, float | None]
    boxes: Mapping[str, Box]
    plain: bool = False

    @property
    def known(self) -> dict[str, float]:
        """The scores that there are, by path."""
        return {path: score for path, score in self.scores.items() if score is not None}

    @property
    def asked(self) -> tuple[float, ...]:
        """Where an operating table asks: at 0, 10, ... 90, or at the tenths of plain scores."""
        if not self.plain:
            return SCORES
        known = list(self.known.values())
        tenths = np.quantile(known, np.arange(10) / 10, method="higher") if known else [0.0]
        return tuple(float(value) for value in np.unique(tenths))

    def of(self, paths: Sequence[str]) -> npt.NDArray[np.float64]:
        """The scores of N pictures, float64; nan for another outcome or no row.

        Raises:
            InputError: not one of them has a row.
        """
        names = [same_path(path) for path in paths]
        if not any(name in self.scores for name in names):
            raise InputError(
                f"Expected scores of the {len(names)} pictures that are compared, got none of them "
                f"in the table of {self.method}: it has {_example(self.scores)}, they are called "
                f"{_example(names)}. Make both relative to the same folder."
            )
        found = [self.scores.get(name) for name in names]
        return np.array([np.nan if score is None else score for score in found])


def read_score_files(files: Sequence[Path | str]) -> tuple[ScoreFile, ...]:
    """Read score tables, or csv files ``path,score`` of methods that are not ours.

    A method is named after its model, or after its file; plain scores after their file.
    The file's stem serves where a table names no model or several, or where tables share one.

    Raises:
        TableError: not a score table, or two rows for one picture.
        OptionError: no table, or two that would have the same name.
    """
    read = [_read(Path(file)) for file in files]
    models = Counter(each.method for each in read)
    named = [
        each if each.method and models[each.method] == 1 else replace(each, method=Path(file).stem)
        for file, each in zip(files, read, strict=True)
    ]
    names = [each.method for each in named]
    if not names or len(set(names)) < len(names):
        raise OptionError(
            "An evaluation needs score tables that differ in model or file name, got "
            f"{', '.join(names) or 'none'}. Rename one, or give one with --scores."
        )
    return tuple(named)


def pictures_in(folder: Path | str, files: Sequence[ScoreFile] = ()) -> Pictures:
    """Reads the pictures below ``folder``, each cut to its face's box where a table has one."""
    boxes: dict[str, Box] = {}
    for each in reversed(files):
        boxes.update(each.boxes)

    def read(path: str) -> Pixels:
        pixels = images.read(Path(folder) / path).pixels
        box = boxes.get(same_path(path))
        return pixels if box is None else _cut(pixels, box)

    return read


def _read(file: Path) -> ScoreFile:
    if file.suffix == ".csv" and _is_plain(file):
        return ScoreFile(method="", scores=read_plain_scores(file), boxes={}, plain=True)
    scores: dict[str, float | None] = {}
    boxes: dict[str, Box] = {}
    models = set()
    for row in read_scores(file):
        path = same_path(row.path)
        if path in scores:
            raise TableError(
                f"{file}: expected one row for a picture, got another for {path!r}. Score with "
                "--faces largest or single."
            )
        scores[path] = row.score
        models.update({row.model} - {""})
        if (box := _box(row)) is not None:
            boxes[path] = box
    method = models.pop() if len(models) == 1 else ""
    return ScoreFile(method=method, scores=scores, boxes=boxes)


def _is_plain(file: Path) -> bool:
    """Whether a csv has paths and scores, but not the outcomes of a score table."""
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            header = {cell.strip() for cell in next(csv.reader(handle), [])}
    except (OSError, csv.Error):
        return False  # read_scores says what is wrong
    return {"path", "score"} <= header and "outcome" not in header


def _box(row: ScoreRow) -> Box | None:
    if row.x0 is None or row.y0 is None or row.x1 is None or row.y1 is None:
        return None
    if row.x1 <= row.x0 or row.y1 <= row.y0:
        return None
    return Box(x0=row.x0, y0=row.y0, x1=row.x1, y1=row.y1)


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """The part of the picture inside of the box; all of it when the box lies outside."""
    left, top = (max(0, int(value)) for value in (box.x0, box.y0))
    right, bottom = (max(0, int(np.ceil(value))) for value in (box.x1, box.y1))
    part = pixels[top:bottom, left:right]
    return np.ascontiguousarray(part) if part.size else pixels


def _example(paths: Mapping[str, object] | Sequence[str]) -> str:
    return repr(next(iter(paths), "nothing"))
