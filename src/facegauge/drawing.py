"""Photographs with each face's box, landmarks and score drawn in: what a person looks at.

Colours say how good a score is; faces without one are grey. Lines and letters grow with the
picture. A drawing has its picture's name, with ``.jpg`` behind it unless it is there already
(``anna/1.jpg``, ``anna/2.png.jpg``): no two pictures share one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facegauge import images
from facegauge.archives.archive import is_archive
from facegauge.errors import OptionError, UnreadableImage
from facegauge.images import Picture
from facegauge.places import below
from facegauge.values import Assessment, Box, Face, Landmarks, Outcome
from facegauge.walk import Found

LONGEST_SIDE = 1600
"""Long side in pixels of a drawing: larger pictures are reduced to it, smaller ones stay."""
QUALITY = 90
"""JPEG quality of a drawing."""
POOR, FAIR, GOOD = (214, 40, 40), (245, 158, 11), (34, 160, 70)
"""Colours (RGB) of scores below 30, below 60, and from 60 on: red, amber, green."""
NO_SCORE = (128, 128, 128)
"""Colour of an outcome without a score: grey."""

_ENOUGH = 1200  # short side that a picture keeps when decoded: that of 1600×1200
_LINES, _LETTERS = 320, 38  # the long side is so many lines wide, so many letters high
_THINNEST, _SMALLEST = 2, 11
_MARGIN = 0.65

_log = logging.getLogger(__name__)


class Drawings:
    """Draws the pictures of one batch into a folder; ``draw`` may be called by several threads.

    Args:
        out: the folder, new or empty; it is made when the first drawing is.
        paths: what the batch scores; the folder must not lie in there, where the next batch would
            take the drawings for photographs.
        resume: the folder may have drawings, and they stay as they are.

    Raises:
        OptionError: the folder has something in it, lies in ``paths``, or the drawing of one of
            them would lie outside of it.
    """

    def __init__(self, out: Path, paths: Sequence[Path | str], *, resume: bool = False) -> None:
        self.out = out
        if out.exists() and not (out.is_dir() and (resume or not any(out.iterdir()))):
            raise OptionError(
                f"Drawings need a new or empty folder, and {out} has something in it, which is not "
                "overwritten. Choose another --draw, or pass --resume to go on with it."
            )
        for path in map(Path, paths):
            if out.resolve().is_relative_to(path.resolve()):
                raise OptionError(
                    f"Drawings in {out} would be scored with {path} the next time. Choose a folder "
                    "outside of it for --draw."
                )
            if len(paths) > 1 or not (path.is_dir() or is_archive(path.name)):
                below(out, path.as_posix())

    def draw(self, found: Found, assessments: Sequence[Assessment]) -> None:
        """Write one picture's drawing, unless it is there or the picture cannot be read."""
        if any(each.outcome is Outcome.UNREADABLE for each in assessments):
            return
        target = below(self.out, _name(found.name))
        if target.exists():
            return
        try:
            picture = images.read(found.source, short_side=_ENOUGH)
            _write(drawn(picture, assessments), target)
        except (UnreadableImage, OSError) as error:
            _log.warning("no drawing of %s: %s", found.name, error)


def drawn(picture: Picture, assessments: Sequence[Assessment]) -> Image.Image:
    """A picture with its assessments, whose faces are in pixels of the full picture, drawn in."""
    image = Image.fromarray(picture.pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    across = picture.x_factor * image.width / picture.pixels.shape[1]
    down = picture.y_factor * image.height / picture.pixels.shape[0]
    placed = [(each, each.face and each.face.scaled(across, down)) for each in assessments]
    pen = _Pen(image)
    for each, face in reversed(placed):  # the largest face comes first and is drawn last
        pen.outline(face, _colour(each))
    for each, face in reversed(placed):
        pen.label(_words(each), _box(face), _colour(each))
    return image


class _Pen:
    """Draws on one image, lines and letters in proportion to it."""

    def __init__(self, image: Image.Image) -> None:
        self._on = ImageDraw.Draw(image)
        self._size = image.size
        self._line = max(_THINNEST, round(max(image.size) / _LINES))
        letters = max(_SMALLEST, round(max(image.size) / _LETTERS))
        self._font = ImageFont.load_default(letters)

    def outline(self, face: Face | None, colour: tuple[int, int, int]) -> None:
        """A face's box and landmarks."""
        box = _box(face)
        if box is not None:
            corners = (box.x0, box.y0, box.x1, box.y1)
            self._on.rectangle(corners, outline=colour, width=self._line)
        points = [] if face is None or face.landmarks is None else face.landmarks.array().tolist()
        for x, y in points:
            dot = (x - self._line, y - self._line, x + self._line, y + self._line)
            self._on.ellipse(dot, fill=colour, outline="white")

    def label(self, words: str, box: Box | None, colour: tuple[int, int, int]) -> None:
        """Words above a box, inside where there is no room; without a box in the top left corner.

        The letters are black or white, whichever stands out from their background.
        """
        left, top, right, bottom = self._on.textbbox((0, 0), words, font=self._font)
        pad = 2 * self._line
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x, y = (0.0, 0.0) if box is None else (box.x0, box.y0 - height + 1)
        x = max(0.0, min(x, self._size[0] - width))
        y = y if box is None or y >= 0 else box.y0
        y = max(0.0, min(y, self._size[1] - height))
        self._on.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
        ink = "black" if np.dot(colour, (0.299, 0.587, 0.114)) > 140 else "white"
        self._on.text((x + pad - left, y + pad - top), words, fill=ink, font=self._font)


def _name(picture: str) -> str:
    """A drawing's name: ``a.jpg`` is its own, and so that of ``a.png.jpg`` is another's."""
    rest = picture.removesuffix(".jpg")
    alone = rest != picture and Path(rest).suffix.lower() not in images.IMAGE_SUFFIXES
    return picture if alone else picture + ".jpg"


def _words(assessment: Assessment) -> str:
    return str(assessment.outcome) if assessment.score is None else f"{assessment.score:.1f}"


def _colour(assessment: Assessment) -> tuple[int, int, int]:
    if assessment.score is None:
        return NO_SCORE
    return POOR if assessment.score < 30 else FAIR if assessment.score < 60 else GOOD


def _box(face: Face | None) -> Box | None:
    """A face's box; where only landmarks are known, one around them with room for a face."""
    if face is None:
        return None
    return _around(face.landmarks) if face.box is None and face.landmarks else face.box


def _around(landmarks: Landmarks) -> Box:
    points = landmarks.array()
    room = _MARGIN * float(np.ptp(points, axis=0).max())
    (x0, y0), (x1, y1) = points.min(axis=0) - room, points.max(axis=0) + room
    return Box(x0=float(x0), y0=float(y0), x1=float(x1), y1=float(y1))


def _write(image: Image.Image, target: Path) -> None:
    """Write at once, so that a drawing is whole or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    image.save(partial, format="JPEG", quality=QUALITY, subsampling=0)
    partial.replace(target)
