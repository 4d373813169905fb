"""A file inside an archive: its name there, its size, and how to read it without unpacking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facegauge.errors import InputError

Content = bytes | Callable[[], bytes]
"""The bytes of a picture's file, or what reads them; that may be called by any thread."""


class DamagedArchive(InputError):
    """An archive that cannot be read any further; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An archive: how it is opened and, where it is a file of this machine, its path.

    Without a path (``s3://...``) it is read from its beginning to its end.
    """

    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive.

    ``size`` in bytes, when unpacked. With ``passing`` it can be read only until the next one is
    drawn. ``problem`` says why it cannot be read at all; mostly empty.
    """

    name: str
    size: int = 0
    read: Callable[[], bytes] = bytes
    passing: bool = False
    problem: str = ""
