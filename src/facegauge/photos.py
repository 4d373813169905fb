"""A photograph and the faces found in it, read with no more pixels than finding them takes.

A JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves enough (see images.read). Enough is:

* for the largest face, a short side of twice what the detector's first look is at: that look then
  loses nothing, and a face of a tenth of the picture keeps the pixels that a crop of 112 needs.
  Where the first look shows no face, the picture is read again as for all faces;
* for all faces, a short side of the finest scale that the detector looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from facegauge import framing, images
from facegauge.detection import FINEST, Detector, Search
from facegauge.images import Picture
from facegauge.values import Face, Pixels

Source = str | Path | bytes | Callable[[], bytes] | Pixels
"""Where a picture comes from: a path, the bytes of a file or what reads them, or an RGB array."""

_SPARE = 2


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
    if search == Search.LARGEST:
        photo = _first_look(source, detector, in_full)
        if photo.faces:
            return photo
    picture = images.read(source, short_side=None if in_full else FINEST)
    return _photo(picture, detector, picture.pixels, search)


def nothing_found(detector: Detector) -> str:
    """What is said of a picture without a face: no face found by cells-1 (confidence >= 0.5)."""
    return f"no face found by {detector.name} (confidence >= {detector.confidence:g})"


def _first_look(source: Source, detector: Detector, in_full: bool) -> Photo:
    """What the detector sees of a whole picture at the scale that it is best at.

    Most photographs end here. Of the others this look is all that is done twice.
    """
    network = detector.network
    picture = images.read(source, short_side=None if in_full else _SPARE * network.size)
    height, width = picture.pixels.shape[:2]
    rows, columns = network.shape or (network.size, network.size)
    factor = min(1.0, columns / width, rows / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return _photo(picture, detector, framing.resized(picture.pixels, *size), Search.LARGEST)


def _photo(picture: Picture, detector: Detector, shown: Pixels, search: str) -> Photo:
    """A picture with the faces in what is shown of it: the same view at another scale."""
    height, width = picture.pixels.shape[:2]
    across = width / shown.shape[1] / picture.x_factor
    down = height / shown.shape[0] / picture.y_factor
    faces = [face.scaled(across, down) for face in detector.find(shown, search)]
    return Photo(picture=picture, faces=tuple(_clipped(face, picture) for face in faces))


def _clipped(face: Face, picture: Picture) -> Face:
    """A face whose box ends with the full picture, not in the padding of a reduced one."""
    box = face.box
    if box is None:
        return face
    x1, y1 = min(box.x1, picture.width - 1.0), min(box.y1, picture.height - 1.0)
    if x1 <= box.x0 or y1 <= box.y0:
        return face
    return replace(face, box=replace(box, x1=x1, y1=y1))
