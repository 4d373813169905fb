"""An archive as a walk sees it: its pictures one after another, and what is wrong with it.

Nothing is lost in silence and nothing is trusted: a file that cannot be read is found too, with the
reason, and so is the archive itself where it is damaged or has no picture. Nothing is written.

Of an archive's pictures the names stay in memory while it is read: two of the same name need two
rows, and the later ones are called ``a.jpg#2``, ``a.jpg#3``...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from facegauge.archives.members import Container, Content, Member
from facegauge.archives.parquet_rows import parquet_rows
from facegauge.archives.tar_members import tar_members
from facegauge.archives.zip_members import zip_members
from facegauge.errors import FacegaugeError, MissingExtra
from facegauge.images import IMAGE_SUFFIXES
from facegauge.score_parquet import load_pyarrow

LARGEST = 256 << 20
"""Most bytes of a picture's file in an archive; a larger one is refused unread."""
LARGEST_PASSING = 32 << 20
"""The same where files can only be read as they pass by: then all that are under way are held."""

_READERS: dict[str, Callable[[Container], Iterator[Member]]] = {
    ".tar": tar_members,
    ".tar.gz": partial(tar_members, compressed=True),
    ".tgz": partial(tar_members, compressed=True),
    ".zip": zip_members,
    ".parquet": parquet_rows,
}
ARCHIVE_SUFFIXES = tuple(_READERS)
_TABLE = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A picture in an archive: its name there and its bytes, or the problem with it.

    ``whole`` marks what is said of the archive itself, which has no name in it.
    """

    name: str = ""
    content: Content = b""
    problem: str = ""
    whole: bool = False


def is_archive(name: str) -> bool:
    """Whether a file is one by the end of its name, in any case.

    Example:
        >>> is_archive("shard-0001.TAR"), is_archive("photo.jpg")
        (True, False)
    """
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def require(path: Path) -> None:
    """Import what reading a file takes, before any work is done.

    Raises:
        MissingExtra: Parquet without pyarrow.
    """
    if path.name.lower().endswith(_TABLE):
        load_pyarrow("reading pictures from .parquet")


def local(path: Path) -> Container:
    """An archive of this machine."""
    return Container(name=path.name, open=lambda: path.open("rb"), path=path)


class Archive(Iterator[Stored]):
    """The pictures in one archive in the order in which they are stored, one at a time.

    Of the members of a tar or zip, those whose names end in one of ``suffixes`` are pictures; of a
    Parquet file every row is one. ``passed_over`` counts the other files so far, ``archives`` the
    archives among them: they are not entered.

    Raises:
        MissingExtra: Parquet without pyarrow.
    """

    def __init__(self, container: Container, suffixes: AbstractSet[str] = IMAGE_SUFFIXES) -> None:
        self.passed_over = 0
        self.archives = 0
        self._suffixes = tuple(suffixes)
        self._table = container.name.lower().endswith(_TABLE)
        self._names: dict[str, int] = {}
        self._found = self._walk(container)

    def __next__(self) -> Stored:
        return next(self._found)

    def _walk(self, container: Container) -> Iterator[Stored]:
        ending = next(each for each in _READERS if container.name.lower().endswith(each))
        try:
            for member in _READERS[ending](container):
                if self._taken(member.name):
                    yield self._stored(member)
        except MissingExtra:
            raise
        except Exception as error:  # a dozen kinds, from four libraries
            yield Stored(problem=f"cannot be read on: {_reason(error)}", whole=True)
            return
        if not self._names:
            others = self.passed_over + self.archives
            yield Stored(problem=f"no picture in this archive; {others} other files", whole=True)

    def _taken(self, name: str) -> bool:
        if self._table or name.lower().endswith(self._suffixes):
            return True
        if is_archive(name):
            self.archives += 1
        else:
            self.passed_over += 1
        return False

    def _stored(self, member: Member) -> Stored:
        name = self._distinct(member.name if self._table else _same_name(member.name))
        problem = member.problem or self._refused(member)
        if problem:
            return Stored(name=name, problem=problem)
        try:
            content = member.read() if member.passing else member.read
        except Exception as error:  # as above; where the archive is damaged, the next one tells
            return Stored(name=name, problem=f"broken: {_reason(error)}")
        return Stored(name=name, content=content)

    def _refused(self, member: Member) -> str:
        if not self._table and _leads_out(member.name):
            return "a name that leads out of the archive"
        most = LARGEST_PASSING if member.passing else LARGEST
        if member.size <= most:
            return ""
        return f"{member.size / 1e6:.1f} MB; pictures in this archive may have {most / 1e6:.1f}"

    def _distinct(self, name: str) -> str:
        number = self._names[name] = self._names.get(name, 0) + 1
        return name if number == 1 else self._distinct(f"{name}#{number}")


def _same_name(name: str) -> str:
    """A member's name as a walk through the unpacked folder would have it: ``./a//1.jpg``."""
    return PurePosixPath(name).as_posix()


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, FacegaugeError):
        return str(error)
    return str(error) or type(error).__name__
