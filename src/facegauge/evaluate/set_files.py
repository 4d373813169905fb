"""What the readers of benchmark sets share: finding files, reading lines, saying what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facegauge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A layout in words; its errors all name it."""

    name: str
    form: str

    def error(self, where: Path, got: str, remedy: str = "") -> InputError:
        """What was expected, what came, and what to do."""
        remedy = remedy or "Unpack the whole set, or pass another layout."
        return InputError(
            f"Expected the layout {self.name} ({self.form}) in {where}: {got}. {remedy}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line that is not empty, with its number from 1."""

    number: int
    text: str


def lines_of(path: Path, expected: Expected) -> Iterator[TextLine]:
    """The lines of a text file that are not empty; odd bytes survive as in tables."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as handle:
            for number, text in enumerate(handle, 1):
                if text.strip():
                    yield TextLine(number=number, text=text.rstrip("\r\n"))
    except OSError as error:
        reason = f"{path.name} cannot be read: {error.strerror or error}"
        raise expected.error(path.parent, reason) from error


def folders_of(path: Path) -> list[Path]:
    """The folders directly below ``path``, sorted; none when it is no folder."""
    try:
        with os.scandir(path) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return []


def files_of(path: Path, suffixes: Sequence[str] | frozenset[str]) -> list[Path]:
    """The files directly below ``path`` that end in one of ``suffixes``, sorted."""
    try:
        with os.scandir(path) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_file()]
    except OSError:
        return []
    return sorted(each for each in found if each.suffix.lower() in suffixes)


def one_of(found: Sequence[Path], where: Path, what: str, expected: Expected) -> Path:
    """The only one of several places; the error asks for ``images`` when there are more."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise expected.error(where, f"no {what} was found")
    names = ", ".join(each.name or str(each) for each in found)
    raise expected.error(where, f"{what} are in several places: {names}", "Pass one as images.")


def refuse_missing(missing: Sequence[str], total: int, images: Path, expected: Expected) -> None:
    """Refuse a set of which pictures are named that are not there."""
    if missing:
        got = f"{len(missing)} of {total} pictures are missing, the first {missing[0]}"
        raise expected.error(images, got)
