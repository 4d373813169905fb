"""Pictures and archives behind URLs (s3://, gs://, file://, memory://), read through fsspec.

fsspec is imported when it is used: it is part of the extra ``scale``. What a protocol needs besides
(s3fs for s3, gcsfs for gs) is said by the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from facegauge.archives.archive import is_archive, local
from facegauge.archives.members import Container
from facegauge.errors import OptionError, needing
from facegauge.images import IMAGE_SUFFIXES
from facegauge.walk import Archived, Found


def is_url(path: str) -> bool:
    """Whether a path is one.

    Example:
        >>> is_url("s3://faces/shard-0001.tar"), is_url("faces/shard-0001.tar")
        (True, False)
    """
    return "://" in path


def expanded(urls: Sequence[str]) -> list[str]:
    """The URLs, each once; those with ``*`` replaced by what they stand for, sorted.

    Raises:
        MissingExtra: fsspec is not installed.
        OptionError: a protocol that is not known or not installed, nothing behind a ``*``, or a
            place that cannot be reached.
    """
    found: list[str] = []
    for url in urls:
        found += _behind(url) if "*" in url else [url]
    return list(dict.fromkeys(found))


class RemoteWalk:
    """The pictures and archives under URLs, as ``ImageWalk.units``: folders in the same order.

    With one URL names are relative to it, with several they begin with it. ``passed_over`` counts
    the files left out for their suffix so far, ``archives`` the archives in folders.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self.passed_over = 0
        self.archives = 0
        self.units = self._walk(urls)

    def _walk(self, urls: Sequence[str]) -> Iterator[Found | Archived]:
        for url in urls:
            prefix = "" if len(urls) == 1 else url.rstrip("/") + "/"
            system, path = _opened(url)
            if is_archive(url):
                yield Archived(location=url, name=url, prefix=prefix)
            elif system.isdir(path):
                yield from self._folder(system, path, prefix)
            else:
                yield _file(system, path, url)

    def _folder(self, system: Any, path: str, prefix: str) -> Iterator[Found]:
        """The pictures below a folder, one folder's names in memory; sorted as in a walk."""
        for entry in sorted(system.ls(path, detail=True), key=_last):
            name = prefix + _last(entry)
            if entry["type"] == "directory":
                yield from self._folder(system, entry["name"], name + "/")
            elif name.lower().endswith(tuple(IMAGE_SUFFIXES)):
                yield _file(system, entry["name"], name)
            elif is_archive(name):
                self.archives += 1
            else:
                self.passed_over += 1


def container(location: str) -> Container:
    """An archive at a URL or path."""
    if not is_url(location):
        return local(Path(location))
    system, path = _opened(location)
    return Container(name=path, open=partial(system.open, path, "rb"))


def _behind(url: str) -> list[str]:
    system, path = _opened(url)
    try:
        found = [str(system.unstrip_protocol(each)) for each in sorted(system.glob(path))]
    except OSError as error:
        raise OptionError(f"Expected files at {url}, got: {error}. Check the URL.") from error
    if not found:
        raise OptionError(f"Expected files that match {url}, got none. Check the URL.")
    return found


def _last(entry: dict[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rsplit("/", 1)[-1]


def _file(system: Any, path: str, name: str) -> Found:
    return Found(path=Path(path), name=name, content=partial(system.cat_file, path))


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    with needing("scale", "reading from URLs"):
        import fsspec.core
    try:
        system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise OptionError(f"Expected a URL that fsspec reads, got {url}: {error}.") from error
    return system, str(path)
