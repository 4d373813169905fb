"""What the command line shows: rows, problems, a running count, and a report at the end."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from facegauge import detection
from facegauge.batch import Summary
from facegauge.detection import Detector
from facegauge.errors import OptionError, UnwritablePlace
from facegauge.face_table import FacesFound
from facegauge.score_row import ScoreRow, columns_for
from facegauge.tables import LandmarkTable, read_landmarks

_complaints = Console(stderr=True)


def tell(text: str, style: str | None = None) -> None:
    """One line on stderr, as it is."""
    _complaints.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line in red on stderr."""
    tell(text, "red")


def row_printer(models: int = 1) -> Callable[[ScoreRow], None]:
    """Rows of so many models to stdout as csv, the heading before the first.

    Raises:
        UnwritablePlace: when a row cannot be written.
    """
    writer = csv.DictWriter(sys.stdout, columns_for(models), lineterminator="\n")
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    with _writable():
        writer.writeheader()

    def write(row: ScoreRow) -> None:
        with _writable():
            writer.writerow(row.to_dict())

    return write


def finish_rows() -> None:
    """Write what is waiting to be written; raises as ``row_printer``."""
    with _writable():
        sys.stdout.flush()


@contextmanager
def _writable() -> Iterator[None]:
    """Say it in our words when stdout is full; a reader who left (``| head``) is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        with Path(os.devnull).open("wb") as nowhere:  # or Python would try, and complain, at exit
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise UnwritablePlace(
            f"Rows need a place to go, and the standard output took no more: {error.strerror}. "
            "Make room, or pass --out, which can go on with --resume."
        ) from error


def report_scores(summary: Summary, landmarks: Path | None) -> None:
    """What a person wants to know at the end of a batch."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in summary.outcomes.items())
    parts = [f"{summary.images} images", counts or "nothing new"]
    if summary.skipped:
        parts.append(f"{summary.skipped} in the table already")
    if summary.passed_over:
        parts.append(f"{summary.passed_over} files without an image suffix passed over")
    if summary.archives:
        parts.append(f"{summary.archives} archives passed over: to score one, give it by name")
    tell("; ".join(parts))
    if summary.landmarks_matched is not None and summary.landmarks_matched < summary.images:
        complain(
            f"{summary.landmarks_matched} of {summary.images} images have landmarks in "
            f"{landmarks}; its paths must be relative to the folder given, with '/'."
        )


def report_faces(found: FacesFound) -> None:
    """How many faces there were, and pictures without one."""
    parts = [f"{found.images} images", f"{found.faces} faces"]
    if found.without:
        parts.append(f"{found.without} without a face")
    if found.unreadable:
        parts.append(f"{found.unreadable} unreadable")
    tell("; ".join(parts))


def faces_known(
    landmarks: Path | None, detector: str | None, aligned: bool
) -> tuple[LandmarkTable | None, Detector | None]:
    """What --landmarks, --detector and --aligned say of where faces are: one of them, or none.

    A table, a detector (the embedded one where nothing is said), or neither for aligned crops.

    Raises:
        OptionError: more than one of them.
    """
    given = (landmarks is not None) + (detector is not None) + aligned
    if given > 1:
        raise OptionError(
            "--landmarks, --detector and --aligned each say where the faces are, got "
            f"{given} of them. Give one at most."
        )
    if landmarks is not None:
        return read_landmarks(landmarks), None
    return None, None if aligned else detection.open(detector or detection.DEFAULT)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A running count on a terminal; silent when piped."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} " + what),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
    )
    shown = sys.stderr.isatty()
    with Progress(*columns, console=_complaints, disable=not shown, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)
