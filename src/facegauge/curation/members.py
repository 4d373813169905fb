"""Who belongs together: identities and tracks of faces, as numbers for the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge.curation.order import Groups
from facegauge.curation.rules import Per
from facegauge.errors import InputError
from facegauge.score_columns import ScoreColumns
from facegauge.tables import Record, has_column, records, same_path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Members:
    """The number of the identity or track of each picture, or of each face where ``by_face``."""

    table: Path
    per: Per
    by_face: bool
    numbers: dict[str, int]

    def of(self, columns: ScoreColumns) -> Groups:
        """The group of each of N rows of a score table; -1 for none.

        Raises:
            InputError: no row is in the table, or it says of a picture whose it is that has
                several scored faces.
        """
        if not self.by_face:
            self._refuse_several(columns)
        get = self.numbers.get
        pairs = zip(columns.paths, columns.faces.tolist(), strict=True)
        found = (get(_key(path, face if self.by_face else None), -1) for path, face in pairs)
        groups = np.fromiter(found, dtype=np.int32, count=len(columns))
        if not (groups >= 0).any():
            raise InputError(
                f"Expected an {self.per} of the pictures in {columns.table}, got none: "
                f"{self.table} has {_example(self.numbers)}, they are called "
                f"{columns.paths[0] if len(columns) else 'nothing'!r}. Make both relative to the "
                "same folder."
            )
        return groups

    def _refuse_several(self, columns: ScoreColumns) -> None:
        image = np.cumsum(columns.new_image) - 1
        scored = np.bincount(image[columns.scored], minlength=1)
        several = np.flatnonzero(scored > 1)
        first = {int(each) for each in several}
        for row in np.flatnonzero(np.isin(image, several)) if first else ():
            if _key(columns.paths[int(row)], None) in self.numbers:
                raise InputError(
                    f"Expected to know whose each face is, got {scored[image[row]]} faces of "
                    f"{columns.paths[int(row)]!r}, and {self.table} says of pictures only. Add a "
                    "column face to it, or score with --faces largest or single."
                )


def read_members(path: Path | str, per: Per) -> Members:
    """Read a csv ``path,identity`` or ``path,track``; with a column ``face`` it is of single faces.

    Raises:
        TableError: no such file, columns missing, an empty cell, a face that is no whole number, or
            two groups for one face.
    """
    table = Path(path)
    by_face = has_column(table, "face")
    columns = ("path", str(per), *(("face",) if by_face else ()))
    numbers: dict[str, int] = {}
    known: dict[str, int] = {}
    for record in records(table, columns):
        name = record.cells[0].strip()
        if not name:
            raise record.error(f"an {per}", "an empty cell", "Fill it in or remove the line.")
        number = known.setdefault(name, len(known))
        key = _key(record.path, _face(record) if by_face else None)
        if numbers.setdefault(key, number) != number:
            raise record.twice(list(known)[numbers[key]], name)
    return Members(table=table, per=per, by_face=by_face, numbers=numbers)


def _face(record: Record) -> int:
    if record.cells[1].strip().isdecimal():
        return int(record.cells[1])
    raise record.error("the number of a face, from 0", repr(record.cells[1]), "Correct it.")


def _key(path: str, face: int | None) -> str:
    """What a face is looked up by; no path holds the character 0."""
    return same_path(path) if face is None else f"{same_path(path)}\0{face}"


def _example(numbers: dict[str, int]) -> str:
    return repr(next(iter(numbers), "nothing").partition("\0")[0])
