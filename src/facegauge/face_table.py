"""Face tables: where the faces in photographs are, as csv that serves as a landmark table too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facegauge import photos, threads
from facegauge.choices import named
from facegauge.detection import Detector, Search
from facegauge.errors import OptionError, UnreadableImage
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Face
from facegauge.walk import Found, find_images

FACE_COLUMNS = ("path", "confidence", "x0", "y0", "x1", "y1", *LANDMARK_COLUMNS[1:])
"""One row per face: confidence 0..1, its box and its five landmarks in pixels."""

_QUOTED = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesFound:
    """How many pictures were looked at, and faces, empty and unreadable pictures found."""

    images: int = 0
    faces: int = 0
    without: int = 0
    unreadable: int = 0


def find_faces(
    paths: Sequence[Path | str],
    write: Callable[[bytes], object],
    *,
    detector: Detector,
    faces: Search | str = Search.ALL,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda count: None,
    complain: Callable[[str], None] = lambda problem: None,
) -> FacesFound:
    """Find the faces in every picture under ``paths`` and ``write`` them as csv, line by line.

    Pictures come in their order, the largest face of each first.
    ``workers`` threads (one per core unless told) read and search, a few pictures ahead of what is
    written, so that memory does not grow with their number. ``complain`` is told of every picture
    that cannot be read.

    Raises:
        OptionError: fewer than one worker, or an unknown choice of faces.
    """
    search, workers = named(Search, faces, "faces"), threads.count(workers)
    total = FacesFound()
    write(_line(FACE_COLUMNS))
    with threads.pool(workers) as pool:
        begun = (pool.submit(_seen, found, detector, search) for found in find_images(paths))
        for seen in _results(threads.under_way(begun, 2 * workers)):
            write(b"".join(seen.lines))
            if seen.problem:
                complain(seen.problem)
            total = _with(total, seen)
            progress(1)
    return total


def create(out: Path) -> BinaryIO:
    """A new file for a face table, open to write bytes; missing parent folders are made.

    Raises:
        OptionError: it exists, or there is no place to write.
    """
    if out.exists():
        raise OptionError(f"{out} exists already and is not overwritten. Choose another --out.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return out.open("xb", buffering=0)
    except OSError as error:
        raise OptionError(
            f"The face table needs a place to write, got {out}: {error.strerror or error}. "
            "Pass another --out."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One picture: the lines of its faces, or why it cannot be read."""

    lines: tuple[bytes, ...] = ()
    problem: str = ""


def _seen(found: Found, detector: Detector, search: Search) -> _Seen:
    try:
        if found.problem:
            raise UnreadableImage(found.problem)
        faces = photos.look(found.source, detector, search).faces
        wanted = faces[:1] if search is Search.LARGEST else faces
        return _Seen(lines=tuple(_line(_cells(found.name, face)) for face in wanted))
    except UnreadableImage as error:
        return _Seen(problem=f"{found.name}: {error}")


def _results(futures: Iterator[Future[_Seen]]) -> Iterator[_Seen]:
    return (future.result() for future in futures)


def _with(total: FacesFound, seen: _Seen) -> FacesFound:
    return FacesFound(
        images=total.images + 1,
        faces=total.faces + len(seen.lines),
        without=total.without + (not seen.lines and not seen.problem),
        unreadable=total.unreadable + bool(seen.problem),
    )


def _cells(name: str, face: Face) -> list[str]:
    box, points = face.box, face.landmarks
    confidence = "" if face.confidence is None else f"{face.confidence:.3f}"
    corners = [""] * 4 if box is None else _pixels([box.x0, box.y0, box.x1, box.y1])
    marks = [""] * 10 if points is None else _pixels(points.array().ravel().tolist())
    return [name, confidence, *corners, *marks]


def _pixels(values: Sequence[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]


def _line(cells: Sequence[str]) -> bytes:
    """One line of csv; a name that is not UTF-8 keeps its bytes."""
    return (",".join(map(_quoted, cells)) + "\n").encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return text if _QUOTED.isdisjoint(text) else '"' + text.replace('"', '""') + '"'
