"""The files inside a tar archive, WebDataset shards too, in the order in which they are stored.

A plain tar of this machine is only leafed through: a file is read where it lies, when it is wanted.
A compressed one, or one that comes over the network, is read once from beginning to end.

Python's tarfile takes a damaged header in the middle for the end. Here it is an error, and so is a
missing end mark (a block of zeros): members may have been lost with it.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

from facegauge.archives.members import Container, DamagedArchive, Member
from facegauge.errors import UnreadableImage

LARGEST_HEADER = 1 << 20
"""Most bytes of extended headers (long names): tarfile holds them in memory."""

_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def tar_members(container: Container, *, compressed: bool = False) -> Iterator[Member]:
    """The members of a tar, folders left out.

    Raises:
        DamagedArchive: its headers are damaged, or it is cut off; after the members before that.
        OSError, EOFError, zlib.error, tarfile.TarError: as above, said by what reads it.
    """
    with container.open() as file:
        if compressed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield from _members(unpacked, None)
        else:
            yield from _members(file, container.path)


def _members(file: BinaryIO | gzip.GzipFile, path: Path | None) -> Iterator[Member]:
    mode = "r|" if path is None else "r:"
    with tarfile.open(fileobj=file, mode=mode, tarinfo=_Header) as tar:  # type: ignore[call-overload]
        while (info := tar.next()) is not None:
            tar.members.clear()  # it would remember all of them
            if not info.isdir():
                yield _member(tar, info, path)


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo, path: Path | None) -> Member:
    if info.issym() or info.islnk():
        problem = f"a link to {info.linkname}; links in archives are not followed"
        return Member(name=info.name, problem=problem)
    if not info.isreg() or info.issparse():
        return Member(name=info.name, problem="not a regular file")
    if path is None:
        read, passing = partial(_passing, tar, info), True
    else:
        read, passing = partial(_slice, path, info.offset_data, info.size), False
    return Member(name=info.name, size=info.size, read=read, passing=passing)


def _passing(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(info)
    return b"" if file is None else file.read()


def _slice(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read(size)
    if len(content) < size:
        raise UnreadableImage(f"truncated: the archive ends after {len(content)} of {size} bytes")
    return content


class _Header(tarfile.TarInfo):
    """A header that says so when it is none."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if len(buf) < tarfile.BLOCKSIZE:
            raise DamagedArchive(
                "the archive ends without its end mark; members may be missing"
                if not buf
                else "the archive is cut off in a header; members are missing"
            )
        if not any(buf):
            return super().frombuf(buf, encoding, errors)  # raises what ends the archive
        try:
            info = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise DamagedArchive(f"damaged header: {error}; members are missing") from error
        if info.size < 0 or (info.type in _EXTENDED and info.size > LARGEST_HEADER):
            raise DamagedArchive(f"damaged header: it asks for {info.size} bytes")
        return info
