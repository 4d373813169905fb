"""An image becomes its faces: where each is, its five landmarks, and how sure the detector is.

The first look is at the whole picture, reduced so that its long side is what the network is best
at. Faces too small to be seen there are looked for at doubled scales, in overlapping tiles. Each
level answers for the faces of its own size: what a tile shows of a face too large for it is dropped
in favour of the coarser level, which saw it whole. Where a network's file holds a judge, that is
asked about the first look's doubtful candidates (see judging). Faces of a network of ours are
looked at once more, each alone (see second_look).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import detectors, framing
from facegauge.alignment import frontal_eye_distance
from facegauge.candidates import Candidates, common, faces_among, joined, moved, suppress, usable
from facegauge.detectors import Network
from facegauge.errors import InputError, OptionError
from facegauge.judging import LEAST, judged
from facegauge.models import DETECTOR_STEP
from facegauge.second_look import look_again
from facegauge.values import Box, Face, Landmarks, Pixels

DEFAULT = "detector"
"""The embedded detector."""
FINEST = 2560
"""Longest side in pixels at which a picture is looked at: larger ones are reduced to it."""
TILE = 640
"""Side in pixels of the tiles that a finer level is looked at in."""
OVERLAP = 128
"""Pixels that neighbouring tiles share, and the longest side of a face taken from a tile."""
SMALLEST_PICTURE = 8
"""Short side in pixels below which a picture is not looked at: no network sees a face in it."""

_FINER = 1.25
_BORDER = 2.0
_PART = 0.7


class Search(StrEnum):
    """How thoroughly a picture is looked at.

    ``all`` goes through every scale; ``largest`` stops at the first that shows a face, which is
    enough to know the largest.
    """

    LARGEST = "largest"
    ALL = "all"


class Detector:
    """Finds faces; made by ``open``. Any number of threads may use one at the same time."""

    def __init__(self, network: Network, confidence: float | None = None) -> None:
        self.network = network
        self.confidence = network.confidence if confidence is None else confidence
        if not 0.0 < self.confidence <= 1.0:
            raise OptionError(f"A detector's confidence lies in (0, 1], got {confidence}.")

    @property
    def name(self) -> str:
        """The network's name and version, or the name of its file, in one word."""
        return self.network.name

    def find(self, pixels: Pixels, search: str = Search.ALL) -> list[Face]:
        """The faces in a picture, the largest first (see alignment.frontal_eye_distance).

        Args:
            pixels: an upright RGB picture, uint8, H×W×3 (see images.read).
            search: ``all``, or ``largest`` when no other face matters.

        Returns:
            Faces with box, landmarks and confidence in pixels of the picture. Boxes are clipped to
            it, landmarks are not.

        Raises:
            InputError: not such a picture.
            OptionError: an unknown search.
        """
        if search not in tuple(Search):
            raise OptionError(f"search must be one of {', '.join(Search)}; got {search!r}.")
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            shape = "×".join(map(str, pixels.shape))
            raise InputError(
                f"Expected RGB pixels, uint8 H×W×3, got {pixels.dtype} {shape}. Read pictures with "
                "facegauge.images."
            )
        height, width = pixels.shape[:2]
        if min(height, width) < SMALLEST_PICTURE:
            return []
        upright = np.ascontiguousarray(pixels)
        faces = _faces(self._search(upright, search), width, height)
        if not self.network.twice:
            return faces
        counted = 1 if search == Search.LARGEST else len(faces)
        again = [look_again(upright, face, self.network) for face in faces[:counted]]
        return [*again, *faces[counted:]]

    def _search(self, pixels: Pixels, search: str) -> Candidates:
        """All levels together, in pixels of the picture."""
        height, width = pixels.shape[:2]
        first, *finer = _factors(width, height, self.network)
        found = self._at(pixels, first, None)
        tile = self.network.shape or (TILE, TILE)
        for factor in finer:
            if search == Search.LARGEST and len(found):
                break
            more = self._at(pixels, factor, tile)
            more = more[~_parts(more, found, _overlap(tile) / factor)]
            found = suppress(joined([more, found]))  # the finer of two that are equally sure
        return found

    def _at(self, pixels: Pixels, factor: float, tile: tuple[int, int] | None) -> Candidates:
        """What one level shows, in pixels of the picture; None looks at all of it at once.

        The judge is asked there alone: it learned from pictures that were looked at as a whole.
        """
        level = _reduced(pixels, factor)
        height, width = level.shape[:2]
        judge = self.network.judge if tile is None else None
        least = self.confidence if judge is None else min(LEAST, self.confidence)
        parts = []
        for window in _windows(width, height, tile or (height, width)):
            seen = self._in(level[window.top : window.bottom, window.left : window.right], least)
            seen = moved(seen, 1.0, 1.0, window.left, window.top)
            overlap = _overlap(tile or (height, width))
            parts.append(seen[_whole(seen, window, width, height, overlap)])
        across, down = pixels.shape[1] / width, pixels.shape[0] / height
        found = moved(suppress(joined(parts)), across, down, 0, 0)
        if judge is None:
            return found
        return faces_among(judged(pixels, found, judge), self.confidence)

    def _in(self, picture: Pixels, least: float) -> Candidates:
        """What one run of the network shows with at least this confidence, each face once."""
        seen = self.network.look(padded(picture, self.network.shape))
        return faces_among(seen, least, voting=self.network.voting)


def open(
    name: str | Path = DEFAULT,
    *,
    confidence: float | None = None,
    threads: int | None = 1,
    device: str = "cpu",
) -> Detector:
    """Open a detector: ours by name or path, or a published SCRFD or YuNet ONNX file as it is.

    Args:
        name: of an embedded detector, or the path of an ``.onnx`` file.
        confidence: the least confidence (0..1] of a face; None takes what suits the network.
        threads: threads for one run of the network; one by default, as pictures are best worked on
            side by side. None leaves the choice to ONNX Runtime.
        device: see ``devices``.

    Raises:
        ModelNotFound: no such model or file.
        ModelError: a file that is no detector, or one that cannot be used.
        GoldenMismatch: the file does not give its own golden numbers back.
        OptionError: the device is not available here, or the confidence is out of range.
    """
    return Detector(detectors.open(name, threads=threads, device=device), confidence)


def _parts(found: Candidates, coarser: Candidates, largest: float) -> npt.NDArray[np.bool_]:
    """Which finds are only part of a face too large, over ``largest`` pixels, for their level."""
    sides = (coarser.boxes[:, 2:] - coarser.boxes[:, :2]).max(axis=1, initial=0.0)
    areas = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
    shared = common(found.boxes, coarser.boxes[sides > largest])
    return np.asarray(shared.max(axis=1, initial=0.0) >= _PART * areas)


def _factors(width: int, height: int, network: Network) -> list[float]:
    """The scales at which a picture is looked at, coarse to fine, none above 1."""
    rows, columns = network.shape or (network.size, network.size)
    factors = [min(1.0, columns / width, rows / height)]
    finest = min(1.0, FINEST / max(width, height))
    while factors[-1] * _FINER < finest:
        factors.append(min(2.0 * factors[-1], finest))
    return factors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A part of a picture in whole pixels; right and bottom are the first outside."""

    left: int
    top: int
    right: int
    bottom: int


def _windows(width: int, height: int, tile: tuple[int, int]) -> Iterator[_Window]:
    """Windows of at most ``tile`` (height, width) that cover a picture and overlap."""
    rows, columns = tile
    for top in _starts(height, rows, _overlap(tile)):
        for left in _starts(width, columns, _overlap(tile)):
            right, bottom = min(width, left + columns), min(height, top + rows)
            yield _Window(left=left, top=top, right=right, bottom=bottom)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along one side: evenly, sharing at least ``overlap`` pixels."""
    count = 1 if length <= tile else -(-(length - overlap) // (tile - overlap))
    return [round(at) for at in np.linspace(0, max(0, length - tile), count)]


def _overlap(tile: tuple[int, int]) -> int:
    """Pixels that neighbouring tiles share: less where a fixed network's picture is small."""
    return min(OVERLAP, min(tile) // 4)


def _whole(
    seen: Candidates, window: _Window, width: int, height: int, overlap: int
) -> npt.NDArray[np.bool_]:
    """Which finds are whole faces: off the window's borders inside the picture, and small.

    Faces up to ``overlap`` lie in one window or another as a whole; of larger ones a window may
    show a part that looks whole, and the coarser level has them.
    """
    inner = np.array(
        [window.left > 0, window.top > 0, window.right < width, window.bottom < height]
    )
    if not inner.any():
        return np.ones(len(seen.boxes), dtype=np.bool_)
    borders = np.array([window.left, window.top, window.right - 1, window.bottom - 1])
    away = (seen.boxes - borders) * np.array([1, 1, -1, -1])  # how far inside, N×4
    sides = seen.boxes[:, 2:] - seen.boxes[:, :2]
    return np.asarray((~inner | (away > _BORDER)).all(1) & (sides.max(1, initial=0.0) <= overlap))


def _reduced(pixels: Pixels, factor: float) -> Pixels:
    """The picture at another scale, each pixel the mean of those it covers."""
    width, height = (max(1, round(side * factor)) for side in (pixels.shape[1], pixels.shape[0]))
    return framing.resized(pixels, width, height)


def padded(picture: Pixels, shape: tuple[int, int] | None) -> Pixels:
    """The picture in the top left corner of a black one that the network takes."""
    step = DETECTOR_STEP
    height, width = shape or (-(-side // step) * step for side in picture.shape[:2])
    padded = np.zeros((height, width, 3), dtype=np.uint8)
    padded[: picture.shape[0], : picture.shape[1]] = picture
    return padded


def _faces(found: Candidates, width: int, height: int) -> list[Face]:
    """Values for other rooms, the largest first."""
    ends = np.array([width - 1, height - 1] * 2, dtype=np.float32)
    clipped = Candidates(
        boxes=np.clip(found.boxes, 0, ends),
        landmarks=found.landmarks,
        confidence=np.clip(found.confidence, 0.0, 1.0),
    )
    faces = [_face(one) for one in map(clipped.__getitem__, np.flatnonzero(usable(clipped)))]
    return sorted(faces, key=lambda face: frontal_eye_distance(face.landmarks), reverse=True)


def _face(one: Candidates) -> Face:
    x0, y0, x1, y1 = one.boxes.tolist()
    return Face(
        box=Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=Landmarks.from_array(one.landmarks),
        confidence=float(one.confidence),
    )
