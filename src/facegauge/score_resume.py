"""What a resumed score table keeps: the images of which all rows are there, as 8 bytes each."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from facegauge.errors import TableError
from facegauge.score_row import LineFormat, decoded
from facegauge.score_run import ScoreRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a resumed table keeps: its first ``size`` bytes, and the images that are in them."""

    size: int = 0
    hashes: array[int] = field(default_factory=lambda: array("Q"))


def kept(path: Path, form: LineFormat, run: ScoreRun) -> Kept:
    """What of a table is complete.

    Raises:
        TableError: it is no score table of this form.
        OptionError: rows of another run (see ``ScoreRun.check``).
    """
    with path.open("rb") as handle:
        head = handle.read(len(form.header))
        if head != form.header:
            return _kept_of_a_cut_header(path, head, form)
        size = offset = len(head)
        hashes = array("Q")
        for number, line in enumerate(handle, 2 if head else 1):
            if not line.endswith(b"\n"):
                _check_cut_line(path, number, line, form)
                break
            row = decoded(path, number, line, form.decode)
            run.check(path, row)
            offset += len(line)
            if line != form.encode(row, True):  # the last line of its image
                size = offset
                hashes.append(name_hash(row.path))
    return Kept(size=size, hashes=hashes)


def _kept_of_a_cut_header(path: Path, head: bytes, form: LineFormat) -> Kept:
    if form.header.startswith(head):
        return Kept()
    raise TableError(
        f"{path} is to be resumed and needs the first line {form.header.decode().strip()}, got "
        f"{head.splitlines()[0][:80]!r}. Pass another --out."
    )


def _check_cut_line(path: Path, number: int, line: bytes, form: LineFormat) -> None:
    shortest = min(len(line), len(form.start))
    if line[:shortest] != form.start[:shortest]:
        raise TableError(
            f"{path}, line {number}: expected the beginning of a row, got {line[:80]!r}. "
            "This is not a score table: pass another --out."
        )


def name_hash(path: str) -> int:
    """An image in 8 bytes, by its name in tables."""
    data = path.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
