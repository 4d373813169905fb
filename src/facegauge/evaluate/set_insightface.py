"""InsightFace's verification files (lfw, calfw, cplfw, cfp_fp, agedb_30 ... ``.bin``).

A file is a pickle of ``(images, same)``: the bytes of 2 P encoded pictures, aligned crops of 112
pixels, and P flags; the pictures 2i and 2i + 1 are the i-th pair. Python 2 and 3 wrote them; a
picture is a bytes object, or a numpy array of uint8 where OpenCV encoded it.

A pickle can run any program, so this one is read without running anything (see ``inert_pickle``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facegauge.errors import InputError
from facegauge.evaluate.inert_pickle import StoredArray, unpickled
from facegauge.evaluate.pairs import Pairs
from facegauge.evaluate.set_files import Expected
from facegauge.evaluate.sets import BenchmarkSet, Layout

INSIGHTFACE = Expected(
    name=Layout.INSIGHTFACE,
    form="a .bin file: a pickle of (list of 2 P encoded pictures, list of P flags)",
)

_REMEDY = "Download it again from a source you trust."


def recognises(path: Path) -> bool:
    """Whether it is a file that ends in .bin."""
    return path.suffix.lower() == ".bin" and path.is_file()


def read(path: Path, images: Path | None = None) -> BenchmarkSet:
    """Read a ``.bin``; a picture that is in several pairs comes once.

    Names are ``lfw/00017``: the file's, and the first place in it. Who is shown is not known.

    Raises:
        InputError: not such a file, or one that wants to run something.
    """
    if images is not None:
        raise INSIGHTFACE.error(path, "images were given", "The file holds them; pass it alone.")
    encoded, same = _parts(path)
    pictures, rows = _Pictures(), np.empty(len(encoded), dtype=np.int32)
    for number, picture in enumerate(encoded):
        partner = int(rows[number - 1]) if number % 2 else -1
        rows[number] = pictures.row(picture, number, partner)
    return BenchmarkSet(
        name=path.stem,
        layout=Layout.INSIGHTFACE,
        names=tuple(f"{path.stem}/{number:05}" for number in pictures.numbers),
        images=tuple(pictures.images),
        pairs=Pairs(first=rows[0::2], second=rows[1::2], mated=np.array(same, dtype=np.bool_)),
        aligned=True,
    )


@dataclass(slots=True)
class _Pictures:
    """The different pictures of a file, and the first place of each."""

    images: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rows: dict[bytes, int] = field(default_factory=dict)

    def row(self, picture: bytes, number: int, partner: int) -> int:
        """The row of a picture; never that of its ``partner``, which it is compared with."""
        row = self.rows.setdefault(picture, len(self.images))
        if row == partner or row == len(self.images):
            row = len(self.images)
            self.images.append(picture)
            self.numbers.append(number)
        return row


def _parts(path: Path) -> tuple[list[bytes], list[bool]]:
    """The pictures and the flags, checked."""
    stored = _unpickled(path)
    if not isinstance(stored, tuple | list) or len(stored) != 2:
        raise INSIGHTFACE.error(path, f"got a pickled {type(stored).__name__}", _REMEDY)
    encoded = [_bytes(path, picture) for picture in _listed(path, stored[0])]
    same = [_flag(path, flag) for flag in _listed(path, stored[1])]
    if not same or len(encoded) != 2 * len(same):
        raise INSIGHTFACE.error(path, f"got {len(encoded)} pictures and {len(same)} flags", _REMEDY)
    return encoded, same


def _unpickled(path: Path) -> object:
    try:
        return unpickled(path.read_bytes(), _refused)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}"
        raise INSIGHTFACE.error(path, reason, "Check the path.") from error
    except InputError:
        raise
    except Exception as error:  # a broken pickle fails in a dozen ways
        reason = f"the file is no such pickle: {error or type(error).__name__}"
        raise INSIGHTFACE.error(path, reason, _REMEDY) from error


def _refused(name: str) -> InputError:
    return InputError(
        f"Expected the layout {INSIGHTFACE.name} ({INSIGHTFACE.form}), got a pickle that "
        f"asks for {name}: it was not run. {_REMEDY}"
    )


def _listed(path: Path, values: object) -> Sequence[object]:
    """A list as it is, an array of flags as its bytes."""
    if isinstance(values, StoredArray) and values.code in ("b1", "u1"):
        return list(_bytes(path, values))
    if isinstance(values, list | tuple):
        return values
    raise INSIGHTFACE.error(path, f"got a {type(values).__name__} in place of a list", _REMEDY)


def _bytes(path: Path, picture: object) -> bytes:
    if isinstance(picture, StoredArray) and picture.code in ("u1", "b1"):
        picture = picture.data
    if isinstance(picture, bytes | bytearray):
        return bytes(picture)
    raise INSIGHTFACE.error(path, f"got a {type(picture).__name__} in place of a picture", _REMEDY)


def _flag(path: Path, flag: object) -> bool:
    if isinstance(flag, StoredArray) and flag.code[:1] in ("b", "i", "u"):
        flag = int.from_bytes(flag.data, "little") if isinstance(flag.data, bytes) else None
    if isinstance(flag, int) and flag in (0, 1):
        return bool(flag)
    raise INSIGHTFACE.error(path, f"got {str(flag)[:40]!r} in place of a flag", _REMEDY)
