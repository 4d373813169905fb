"""A benchmark set's pictures as one folder, under the names that score and embed give them there.

Most sets lie in such a folder and stay where they are. What does not is gathered in a new one: the
pictures of an InsightFace file are written out byte for byte, and files are linked to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facegauge.errors import InputError
from facegauge.evaluate.sets import BenchmarkSet, ImageReference
from facegauge.images import IMAGE_SUFFIXES
from facegauge.walk import find_images

_SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
    b"BM": ".bmp",
}
"""How files of a format begin, and the suffix they get where they have none; else .jpg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFolder:
    """The folder for score and embed, and the name in it of each of N pictures, in their order.

    ``gathered`` is set where the folder was made for it.
    """

    folder: Path
    names: tuple[str, ...]
    gathered: bool = False


def picture_folder(found: BenchmarkSet, out: Path) -> PictureFolder:
    """Where the pictures of a set are, or, where that does not do, ``out``, filled with them.

    A folder does where every picture lies in it under its name in tables and with the suffix of an
    image. It holds nothing else where a set is compared by identities: every picture that was
    embedded needs one.

    Raises:
        InputError: two pictures of a gathered folder would have one name.
        OSError: the folder cannot be written, or links cannot be made there.
    """
    folder = _common(found)
    if folder is not None and (found.pairs is not None or _holds_only(folder, found.names)):
        return PictureFolder(folder=folder, names=found.names)
    names = tuple(map(_named, found.names, found.images))
    _refuse_twice(names, found.name)
    for name, image in zip(names, found.images, strict=True):
        _place(image, out / name)
    return PictureFolder(folder=out, names=names, gathered=True)


def _common(found: BenchmarkSet) -> Path | None:
    """The folder below which every picture is the file of its name; None where there is none."""
    first, depth = found.images[0], len(PurePosixPath(found.names[0]).parts)
    if isinstance(first, bytes) or len(first.parents) < depth:
        return None
    folder = first.parents[depth - 1]
    fits = all(
        _plain(name) == name and _has_suffix(name) and image == folder / name
        for name, image in zip(found.names, found.images, strict=True)
    )
    return folder if fits else None


def _holds_only(folder: Path, names: Sequence[str]) -> bool:
    known = set(names)
    return all(each.name in known for each in find_images([folder]))


def _plain(name: str) -> str:
    """A name as a walk through a folder gives it: relative, straight down, single slashes."""
    return "/".join(part for part in PurePosixPath(name).parts if part not in ("/", ".."))


def _named(name: str, image: ImageReference) -> str:
    plain = _plain(name)
    return plain if _has_suffix(plain) else plain + _suffix(image)


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(tuple(IMAGE_SUFFIXES))


def _suffix(image: ImageReference) -> str:
    start = image if isinstance(image, bytes) else _start(image)
    return next((suffix for head, suffix in _SUFFIXES.items() if start.startswith(head)), ".jpg")


def _start(file: Path) -> bytes:
    """The first bytes of a file; none when it cannot be read, which scoring will report."""
    try:
        with file.open("rb") as opened:
            return opened.read(16)
    except OSError:
        return b""


def _refuse_twice(names: Sequence[str], set_name: str) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"Expected a file name for each picture of {set_name}, got {name!r} for {count}. "
            "Rename all but one."
        )


def _place(image: ImageReference, place: Path) -> None:
    """Write the bytes of a picture, or link to its file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(image, bytes):
        with place.open("xb") as file:
            file.write(image)
    else:
        place.symlink_to(image.absolute())
