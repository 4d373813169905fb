"""A walk cut into parts, and the folder of files in which each part's rows are: all of it or none.

A part is a fixed number of network calls: it begins at a multiple of the batch size in the order of
the walk, so every image shares its call with the same others as on one machine, and its rows are
the same. Its number says where it lies; its file is written under another name and then renamed,
so it is whole or not there, and made twice it replaces itself. The file's footer has a digest of
the settings and of the images, by which a resumed run knows its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from facegauge import remote
from facegauge.archives.archive import Archive
from facegauge.batch import Summary, score_found
from facegauge.errors import InputError, OptionError
from facegauge.panel import Panel
from facegauge.score_parquet import read_notes, write_parquet
from facegauge.score_row import ScoreRow
from facegauge.scoring import Scorer
from facegauge.tables import LandmarkTable
from facegauge.walk import Archived, Found, inside, require_folders

BATCHES = 512
"""Network calls of a part: 4096 images of 8 a call, some minutes of one core."""
SETTINGS = "run.json"
_NOTE = "facegauge.part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is in an archive: images, and what was passed over."""

    images: int
    passed_over: int
    archives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The images ``start`` to ``stop`` (without it) of an archive, counted in its own order."""

    archive: Archived
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Images that lie one behind the other in a walk; the last part may be a shorter one."""

    number: int
    pieces: tuple[Found | Slice, ...]

    @property
    def images(self) -> int:
        """How many there are."""
        return sum(each.stop - each.start if isinstance(each, Slice) else 1 for each in self.pieces)

    def digest(self, settings: Mapping[str, object]) -> str:
        """Of the settings and of which images these are, 64 hex digits."""
        told = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for each in self.pieces:
            name = each.archive.name if isinstance(each, Slice) else each.name
            span = (each.start, each.stop) if isinstance(each, Slice) else ()
            told.update(repr((name, *span)).encode("utf-8", "surrogateescape"))
        return told.hexdigest()

    def found(self) -> Iterator[Found]:
        """The images, archives opened one after another.

        Raises:
            InputError: an archive has fewer images than were counted.
        """
        for each in self.pieces:
            if isinstance(each, Slice):
                yield from _sliced(each)
            else:
                yield each


def absolute(archived: Archived) -> Archived:
    """The same at its whole path: workers may run in another folder."""
    if remote.is_url(archived.location):
        return archived
    return replace(archived, location=str(Path(archived.location).absolute()))


def count(archived: Archived) -> Counted:
    """Leaf through an archive, exactly as it is read later."""
    archive = Archive(remote.container(archived.location))
    images = sum(1 for _ in archive)
    return Counted(images=images, passed_over=archive.passed_over, archives=archive.archives)


def cut(
    units: Iterable[Found | Archived], counts: Mapping[str, Counted], size: int
) -> Iterator[Part]:
    """Parts of ``size`` images each, one after another; ``counts`` is by the archives' names."""
    number, pieces, room = 0, list[Found | Slice](), size
    for unit in units:
        for piece in _pieces(unit, counts, size, size - room):
            pieces.append(piece)
            room -= piece.stop - piece.start if isinstance(piece, Slice) else 1
            if room == 0:
                yield Part(number=number, pieces=tuple(pieces))
                number, pieces, room = number + 1, [], size
    if pieces:
        yield Part(number=number, pieces=tuple(pieces))


def _pieces(
    unit: Found | Archived, counts: Mapping[str, Counted], size: int, filled: int
) -> Iterator[Found | Slice]:
    """A picture, or an archive cut where parts end; ``filled`` images are in the part already."""
    if isinstance(unit, Found):
        yield replace(unit, path=unit.path.absolute())
        return
    unit = absolute(unit)
    start, images = 0, counts[unit.name].images
    while start < images:
        stop = min(images, start + size - (filled + start) % size)
        yield Slice(archive=unit, start=start, stop=stop)
        start = stop


def _sliced(piece: Slice) -> Iterator[Found]:
    archive = Archive(remote.container(piece.archive.location))
    number = piece.start
    for found in islice(inside(piece.archive, archive), piece.start, piece.stop):
        number += 1
        yield found
    if number < piece.stop:
        raise InputError(
            f"Expected {piece.stop} pictures or more in {piece.archive.name}, as were counted, got "
            f"{number}. It was changed meanwhile: score it again with a new --out."
        )


class PartFolder:
    """The folder of one run: ``run.json`` and a parquet file a part.

    Args:
        folder: new or empty; with ``resume`` it may have parts of the same settings.
        settings: what decides about the rows, as JSON.
        resume: go on with it.

    Raises:
        OptionError: no place to write, not a folder, something in it, or parts of other settings.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object], *, resume: bool) -> None:
        self.folder = folder.absolute()
        self.settings = settings
        table = folder.suffix.lower() in (".csv", ".jsonl", ".parquet")
        if remote.is_url(str(folder)) or ":/" in str(folder) or table or folder.is_file():
            raise OptionError(
                f"Parts need a folder that all workers share, got {folder}. Pass another --out."
            )
        known = folder / SETTINGS
        if folder.exists() and any(folder.iterdir()) and not (resume and known.is_file()):
            raise OptionError(
                f"Parts need a new or empty folder, and {folder} has something in it; pass "
                "--resume to continue a run of parts, or another --out."
            )
        if known.is_file():
            self._check(known)
        else:
            self._write(known)

    def path(self, part: Part) -> Path:
        """Where the rows of a part are."""
        return self.folder / f"part-{part.number:08}.parquet"

    def done(self, part: Part) -> bool:
        """Whether a part is there.

        Raises:
            OptionError: a file of its name with other images.
        """
        path = self.path(part)
        if not path.exists():
            return False
        if read_notes(path).get(_NOTE) != part.digest(self.settings):
            raise OptionError(
                f"Expected the rows of the same images in {path}, got others: pictures were added "
                "or removed since. Pass a new --out."
            )
        return True

    def commit(self, part: Part, rows: Iterable[ScoreRow]) -> None:
        """Write the rows of a part, all at once."""
        path = self.path(part)
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            write_parquet(partial, iter(rows), {_NOTE: part.digest(self.settings)})
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def finish(self, parts: int) -> None:
        """Remove what killed workers left, and refuse parts beyond the last.

        Raises:
            OptionError: there are some.
        """
        for left in self.folder.glob(".part-*"):
            left.unlink(missing_ok=True)
        names = {path.name for path in self.folder.glob("part-*.parquet")}
        beyond = names - {f"part-{number:08}.parquet" for number in range(parts)}
        if beyond or len(names) != parts:
            raise OptionError(
                f"Expected {parts} parts in {self.folder}, got {len(names)}: pictures were removed "
                "since, or workers write to a folder of their own. Pass a new --out, shared by all."
            )

    def _check(self, known: Path) -> None:
        before = json.loads(known.read_text())
        differ = [key for key in self.settings if before.get(key) != self.settings[key]]
        if differ:
            told = "; ".join(f"{key}: {before.get(key)} before" for key in differ)
            raise OptionError(
                f"Expected parts of the same settings in {self.folder}, got others ({told}). Pass "
                "the same, or a new --out."
            )

    def _write(self, known: Path) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = known.with_name(f".{known.name}.{os.getpid()}")
            partial.write_text(json.dumps(self.settings, indent=2, sort_keys=True) + "\n")
            partial.replace(known)
        except OSError as error:
            raise OptionError(
                f"Parts need a place to write, got {self.folder}: {error.strerror or error}. "
                "Pass another --out."
            ) from error


def score_part(
    part: Part,
    folder: PartFolder,
    *,
    scorer: Scorer | Panel,
    landmarks: LandmarkTable | None,
    batch_size: int,
    needed: Sequence[Path] = (),
) -> Summary:
    """Score a part and commit its rows.

    Raises:
        SourceGone: one of the folders ``needed`` disappeared; nothing is committed.
    """
    rows: list[ScoreRow] = []
    summary = score_found(
        part.found(),
        scorer=scorer,
        landmarks=landmarks,
        batch_size=batch_size,
        emit=rows.append,
        missing=partial(require_folders, needed),
    )
    folder.commit(part, rows)
    return summary
