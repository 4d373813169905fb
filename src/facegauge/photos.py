"""A photograph and the faces found in it, read with no more pixels than finding them takes.

A JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves enough (see images.read). Enough is:

* for the largest face, a short side of twice what the detector's first look is at: that look loses
  nothing, the next finer one little, and a face of a tenth of the picture has the pixels that a
  crop of 112 needs. Where no face is found, the picture is read again as for all faces.
* for all faces, a short side of the finest scale that the detector looks at: nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from facegauge import images
from facegauge.detection import FINEST, Detector, Search
from facegauge.images import Picture
from facegauge.values import Face, Pixels

Source = str | Path | bytes | Pixels
"""Where a picture comes from: a path, the bytes of a file, or an RGB array."""

_LOOKS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Photo:
    """A picture, perhaps reduced, and its faces: in pixels of the full one, widest eyes first."""

    picture: Picture
    faces: tuple[Face, ...]


def look(
    source: Source, detector: Detector, search: str = Search.ALL, *, in_full: bool = False
) -> Photo:
    """Read a picture and find its faces; ``in_full`` reads all its pixels, needed or not.

    Raises:
        UnreadableImage: there is no picture in the source; the message is the reason.
        OptionError: an unknown search.
    """
    enough = _LOOKS * detector.network.size if search == Search.LARGEST else FINEST
    picture = images.read(source, short_side=None if in_full else enough)
    faces = detector.find(picture.pixels, search)
    if not faces and picture.reduction > 1 and enough < FINEST:
        picture = images.read(source, short_side=FINEST)
        faces = detector.find(picture.pixels, search)
    return Photo(picture=picture, faces=tuple(_in_full(face, picture) for face in faces))


def nothing_found(detector: Detector) -> str:
    """What is said of a picture without a face: no face found by cells-1 (confidence >= 0.5)."""
    return f"no face found by {detector.name} (confidence >= {detector.confidence:g})"


def _in_full(face: Face, picture: Picture) -> Face:
    """A face in pixels of the full picture; its box ends there, not in a reduced one's padding."""
    full = face.scaled(1 / picture.x_factor, 1 / picture.y_factor)
    box = full.box
    if picture.reduction == 1 or box is None:
        return full
    x1, y1 = min(box.x1, picture.width - 1), min(box.y1, picture.height - 1)
    if x1 <= box.x0 or y1 <= box.y0:
        return full
    return replace(full, box=replace(box, x1=float(x1), y1=float(y1)))
