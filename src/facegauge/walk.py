"""The images under some files and folders: in a fixed order, each once, one folder in memory.

Nothing is lost in silence: what cannot be read is found too, and becomes a row that says why.
An archive given (tar, zip, Parquet) is walked like a folder; one that lies in a folder is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from facegauge.archives.archive import Archive, Stored, is_archive, local, require
from facegauge.archives.members import Content
from facegauge.errors import SourceGone
from facegauge.images import IMAGE_SUFFIXES
from facegauge.name_order import in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One image to score: where it is, and its name in tables.

    ``problem`` says why nothing can be read there (a folder that cannot be listed); mostly empty.
    Of a picture in an archive, ``path`` is the archive's and ``content`` the picture's.
    """

    path: Path
    name: str
    problem: str = ""
    content: Content | None = None

    @property
    def source(self) -> Path | Content:
        """What ``images.read`` and scorers read."""
        return self.path if self.content is None else self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An archive given, not entered yet: where it is, its name, and what names in it begin with."""

    location: str
    name: str
    prefix: str


def find_images(
    paths: Sequence[Path | str], suffixes: AbstractSet[str] = IMAGE_SUFFIXES
) -> ImageWalk:
    """The images under ``paths``: folders recursively, sorted by name, each image once.

    Files given are taken whatever they are, even missing ones; in folders only names that end in
    one of ``suffixes`` (in any case) are. Whatever has such a name is found, also a folder, a
    dangling link or a pipe: reading it gives a row that says so. An archive given is walked in its
    own order (see archives); those in folders are passed over. With exactly one folder or archive
    given, names are relative to it; otherwise they begin with the path as given.

    Raises:
        MissingExtra: a Parquet file is given, and pyarrow is not installed.
    """
    return ImageWalk(paths, suffixes)


def require_folders(folders: Sequence[Path]) -> None:
    """As ``ImageWalk.require_there``, in a process that has not walked the folders itself.

    Raises:
        SourceGone: one is no folder any more, or has nothing in it, as where a disk was mounted.
    """
    for folder in folders:
        try:
            gone = next(folder.iterdir(), None) is None
        except OSError:
            gone = True
        if gone:
            raise _gone(folder)


def _gone(folder: Path) -> SourceGone:
    return SourceGone(
        f"The folder {folder} is needed until the end, and it is gone since the run began. Bring "
        "it back (is its disk connected?), and go on with --resume."
    )


class ImageWalk(Iterator[Found]):
    """The images under some paths, one folder in memory at a time.

    ``passed_over`` counts the files left out for their suffix so far, ``archives`` the archives in
    folders and archives, which are left out, too. An image can be met twice only where a path given
    lies inside another: those few are remembered, the images are not. ``units``, drawn instead of
    the walk itself, are the same with archives as they are, not entered.
    """

    def __init__(self, paths: Sequence[Path | str], suffixes: AbstractSet[str]) -> None:
        self.passed_over = 0
        self.archives = 0
        self._suffixes = frozenset(suffix.lower() for suffix in suffixes)
        self._endings = tuple(self._suffixes)
        self._roots = list(dict.fromkeys(Path(path) for path in paths))
        self._given = {root.as_posix() for root in self._roots}
        self._met: set[str] = set()
        self._entered_roots: dict[Path, tuple[int, int]] = {}
        for root in self._roots:
            require(root)
        self.units = self._walk()
        self._found = self._entering()

    def __next__(self) -> Found:
        return next(self._found)

    def require_there(self) -> None:
        """Call it when a picture that was found is missing: one may go, but not all of them.

        Raises:
            SourceGone: a folder that was given and walked is no longer there, or another one is in
                its place, as where a disk was mounted.
        """
        for root, identity in self._entered_roots.items():
            try:
                gone = _identity(root.stat()) != identity
            except OSError:
                gone = True
            if gone:
                raise _gone(root)

    def _entering(self) -> Iterator[Found]:
        for unit in self.units:
            if isinstance(unit, Found):
                yield unit
                continue
            archive = Archive(local(Path(unit.location)), self._suffixes)
            yield from inside(unit, archive)
            self.passed_over += archive.passed_over
            self.archives += archive.archives

    def _walk(self) -> Iterator[Found | Archived]:
        for root in self._roots:
            name = root.as_posix()
            if self._again(name):
                continue
            if not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises below a closed folder
                yield self._file(Found(path=root, name=name))
            else:
                yield from self._folder(root, name)

    def _folder(self, root: Path, name: str) -> Iterator[Found | Archived]:
        alone = len(self._roots) == 1
        stack: list[_Folder] = []
        given = Found(path=root, name=name)
        yield from self._entered(given, self._prefix(name), stack, given=True)
        while stack:
            folder = stack[-1]
            entry = next(folder.entries, None)
            if entry is None:
                stack.pop()
                continue
            found = Found(path=folder.path / entry, name=folder.prefix + entry)
            if not alone and self._again(found.name):
                continue
            if entry in folder.folders:
                yield from self._entered(found, found.name + "/", stack)
            elif self._taken(found, alone):
                yield self._file(found)
            elif is_archive(entry):
                self.archives += 1
            else:
                self.passed_over += 1

    def _file(self, found: Found) -> Found | Archived:
        """A file, or the archive that it is."""
        if not (is_archive(found.name) and os.path.isfile(found.path)):  # noqa: PTH113
            return found
        prefix = self._prefix(found.name)
        return Archived(location=str(found.path), name=found.name, prefix=prefix)

    def _prefix(self, name: str) -> str:
        """What names below a path given begin with."""
        return "" if len(self._roots) == 1 or name == "." else name.rstrip("/") + "/"

    def _entered(
        self, found: Found, prefix: str, stack: list[_Folder], given: bool = False
    ) -> Iterator[Found]:
        """Descend into a folder unless a link leads back into itself; some folders give a row."""
        try:
            folder = _listed(found.path, prefix)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            yield replace(found, problem=f"folder cannot be listed: {reason}")
            return
        if given:
            self._entered_roots[found.path] = folder.identity
        elif self._has_suffix(found):
            yield found
        if folder.identity not in {outer.identity for outer in stack}:
            stack.append(folder)

    def _taken(self, found: Found, alone: bool) -> bool:
        return self._has_suffix(found) or (not alone and found.name in self._given)

    def _has_suffix(self, found: Found) -> bool:
        return found.name.lower().endswith(self._endings)

    def _again(self, name: str) -> bool:
        if name not in self._given:
            return False
        again = name in self._met
        self._met.add(name)
        return again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    path: Path
    prefix: str
    identity: tuple[int, int]
    entries: Iterator[str]
    folders: frozenset[str]


def inside(archived: Archived, archive: Iterator[Stored]) -> Iterator[Found]:
    """The pictures in an archive, as a walk finds them; what is said of all of it has its name."""
    path = Path(archived.location)
    for stored in archive:
        if stored.whole:
            yield Found(path=path, name=archived.name, problem=stored.problem)
        else:
            name, content = archived.prefix + stored.name, stored.content
            yield Found(path=path, name=name, problem=stored.problem, content=content)


def _listed(path: Path, prefix: str) -> _Folder:
    status = path.stat()
    folders: set[str] = set()
    with os.scandir(path) as entries:
        names = in_order(_noted(entries, folders))
    return _Folder(
        path=path,
        prefix=prefix,
        identity=_identity(status),
        entries=names,
        folders=frozenset(folders),
    )


def _noted(entries: Iterator[os.DirEntry[str]], folders: set[str]) -> Iterator[str]:
    """The names of all entries; those of folders are put into ``folders`` as well."""
    for entry in entries:
        if _is_folder(entry):
            folders.add(entry.name)
        yield entry.name


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, for example
        return False
