"""The files inside a zip archive, in the order of its directory; each is read when it is wanted."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from threading import Lock
from zipfile import ZipFile, ZipInfo

from facegauge.archives.members import Container, Member

_ENCRYPTED = 0x1


def zip_members(container: Container) -> Iterator[Member]:
    """The members of a zip, folders left out. The file is closed when the last of them is gone.

    Threads read one after another: they share the open file.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: it is no zip, or is cut off.
    """
    if container.path is not None:
        yield from _members(ZipFile(container.path), passing=False)
        return
    with container.open() as file, ZipFile(file) as archive:
        yield from _members(archive, passing=True)


def _members(archive: ZipFile, passing: bool) -> Iterator[Member]:
    lock = Lock()
    for info in archive.infolist():
        if not info.is_dir():
            read = partial(_read, archive, info, lock)
            yield Member(
                name=info.filename,
                size=info.file_size,
                read=read,
                passing=passing,
                problem=_problem(info),
            )


def _problem(info: ZipInfo) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "encrypted; unpack the archive with its password first"
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "a link; links in archives are not followed"
    return "" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "not a regular file"


def _read(archive: ZipFile, info: ZipInfo, lock: Lock) -> bytes:
    """At most as many bytes as the directory says, whatever is packed there."""
    with lock, archive.open(info) as file:
        return file.read(info.file_size)
