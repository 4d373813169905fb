"""The Scorer: an image in, Assessments out.

Scoring has two halves: ``prepare`` decodes and crops (safe to call from many threads, never raises
for a bad image) and ``finish`` runs the network on many crops at once. ``assess`` is the two in a
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from facegauge import alignment, images, models
from facegauge.cards import Crop, Kind, View
from facegauge.errors import LandmarkError, OptionError, UnreadableImage
from facegauge.images import Picture
from facegauge.values import Assessment, Face, Landmarks, Outcome, Pixels

Source = str | Path | bytes | Pixels
"""Where a picture comes from: a path, the bytes of a file, or an RGB array."""

_Choice = TypeVar("_Choice", bound=StrEnum)
_BLANK_RANGE = 8.0
_FEWEST_PIXELS = 16


class Input(StrEnum):
    """What a picture shows.

    ``photo``: faces somewhere, to be found or given by landmarks. ``crop``: one loosely cropped
    face. ``aligned``: a face already on the five-point template, resized to the model's size if
    need be.
    """

    PHOTO = "photo"
    CROP = "crop"
    ALIGNED = "aligned"


class FaceChoice(StrEnum):
    """Which faces of a picture are scored: the one with the widest eye distance, or all."""

    LARGEST = "largest"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One face cropped for the model, or the assessment that says why there is none."""

    crop: Pixels | None = None
    face: Face | None = None
    assessment: Assessment | None = None

    def __post_init__(self) -> None:
        if (self.crop is None) == (self.assessment is None):
            raise OptionError("A prepared face has either a crop or an assessment, not both.")


class Scorer:
    """Scores faces with one model.

    Args:
        model: ``utility``, or the path of a model file.
        input: what the pictures show; see ``Input``.
        faces: which faces of a picture with several are scored; see ``FaceChoice``.
        threads: threads for one run of the network; None leaves it to ONNX Runtime (all cores).
        device: ``cpu`` or ``cuda``.

    Raises:
        ModelError: the model cannot be found, opened or trusted.
        OptionError: an unknown input, choice of faces or device.
    """

    def __init__(
        self,
        model: str | Path = models.DEFAULT,
        *,
        input: str = Input.PHOTO,
        faces: str = FaceChoice.LARGEST,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.input = _choice(Input, input, "input")
        self.faces = _choice(FaceChoice, faces, "faces")
        self.model = models.open(model, threads=threads, device=device)
        if self.model.card.kind is Kind.RECOGNISER:
            raise OptionError(f"{model} is a recogniser; a score needs a quality model.")
        if self.model.card.crop.view is View.WHOLE and self.input is Input.PHOTO:
            raise OptionError(f"{self.name} grades whole crops; pass input='crop'.")

    @property
    def name(self) -> str:
        """The model's name and version, as it stands in score tables."""
        return self.model.card.identifier

    def assess(
        self, source: Source, landmarks: Sequence[Landmarks] | None = None
    ) -> list[Assessment]:
        """Assess one picture: one Assessment per scored face, or one that says why there is none.

        Args:
            source: a path, the bytes of an image file, or an RGB array (uint8, H×W×3).
            landmarks: of the faces in it, in pixels of the upright picture; None when unknown.

        Raises:
            OptionError: a photo without landmarks, as this version has no detector yet.
        """
        if landmarks is None and self.input is Input.PHOTO:
            raise OptionError(
                "A photo needs the landmarks of its faces, as this version has no detector yet. "
                "Pass landmarks, or input='crop' for a loosely cropped face, or input='aligned' "
                "for an aligned one."
            )
        return self.finish(self.prepare(source, landmarks or ()))

    def prepare(self, source: Source, landmarks: Sequence[Landmarks] = ()) -> list[Prepared]:
        """Decode and crop: one element per face, or one that says why there is none."""
        try:
            chosen = self._chosen(landmarks)
            picture = self._read(source, chosen)
        except UnreadableImage as error:
            return [self._without(Outcome.UNREADABLE, str(error))]
        if chosen and self._aligns:
            return [self._aligned(picture, points) for points in chosen]
        if self.input is Input.PHOTO:
            return [self._without(Outcome.NO_FACE, "no landmarks given for this image")]
        return [self._framed(picture)]

    def finish(self, prepared: Sequence[Prepared]) -> list[Assessment]:
        """Run the network once on all crops: one Assessment for each element, in order."""
        crops = [item.crop for item in prepared if item.crop is not None]
        scored = iter(self._scored(crops))
        return [
            self._assessment(item, *next(scored)) if item.assessment is None else item.assessment
            for item in prepared
        ]

    @property
    def _aligns(self) -> bool:
        """Whether landmarks matter: only to a model that wants aligned faces and gets others."""
        return self.input is not Input.ALIGNED and self.model.card.crop.view is View.ALIGNED

    def _scored(self, crops: list[Pixels]) -> list[tuple[float, float]]:
        if not crops:
            return []
        found = self.model.predict(np.stack(crops))
        return list(zip(found.raw.tolist(), found.score.tolist(), strict=True))

    def _assessment(self, item: Prepared, raw: float, score: float) -> Assessment:
        return Assessment(
            outcome=Outcome.SCORED, score=score, raw=raw, face=item.face, model=self.name
        )

    def _without(self, outcome: Outcome, detail: str, face: Face | None = None) -> Prepared:
        found = Assessment(outcome=outcome, face=face, model=self.name, detail=detail)
        return Prepared(assessment=found, face=face)

    def _chosen(self, landmarks: Sequence[Landmarks]) -> Sequence[Landmarks]:
        if self.faces is FaceChoice.ALL or len(landmarks) < 2:
            return landmarks
        return [max(landmarks, key=lambda points: points.inter_eye_distance)]

    def _read(self, source: Source, chosen: Sequence[Landmarks]) -> Picture:
        """Read no more pixels than twice what the crop can hold, so that none is missed."""
        crop = self.model.card.crop
        if crop.resampling in ("reference", "pillow-bilinear"):
            return images.read(source)
        if not chosen or not self._aligns:
            wanted = crop.short_side or crop.size
            return images.read(source, short_side=int(np.ceil(2 * wanted / crop.frame)))
        needed = 2 * alignment.TEMPLATE_EYE_DISTANCE * crop.size / alignment.TEMPLATE_SIZE
        smallest = min(points.inter_eye_distance for points in chosen)
        return images.read(source, largest_reduction=max(1.0, smallest / needed))

    def _aligned(self, picture: Picture, points: Landmarks) -> Prepared:
        face = Face(landmarks=points)
        inside = (points.array() > -0.5) & (
            points.array() < np.array([picture.width, picture.height]) - 0.5
        )
        if not inside.all():
            outside = f"{int((~inside.all(axis=1)).sum())} of 5 landmarks lie outside the picture"
            return self._without(Outcome.CUT_OFF, outside, face)
        crop = self.model.card.crop
        moved = points.scaled(picture.x_factor, picture.y_factor)
        try:
            similarity = alignment.fit_similarity(moved.array(), alignment.template(crop.size))
        except LandmarkError as error:
            return self._without(Outcome.NO_FACE, str(error), face)
        cut = alignment.warp(picture.pixels, similarity, crop.size, crop.resampling)
        return self._judged(cut, crop.size / similarity.scale / picture.x_factor, face)

    def _framed(self, picture: Picture) -> Prepared:
        """A picture without landmarks: the part of it that the model is shown."""
        crop = self.model.card.crop
        side = min(picture.width, picture.height)
        if crop.view is View.WHOLE:
            return self._judged(_whole_view(picture.pixels, crop), side)
        if self.input is Input.ALIGNED:
            return self._judged(_resized(picture.pixels, crop.size, crop.size), side)
        cut = _centre_square(picture.pixels, crop.frame, crop.size)
        return self._judged(cut, side * crop.frame)

    def _judged(self, crop: Pixels, seen: float, face: Face | None = None) -> Prepared:
        """A crop that shows something: ``seen`` pixels of the picture are on its side."""
        if seen < _FEWEST_PIXELS:
            detail = f"the crop shows {seen:.0f} pixels of the picture, {_FEWEST_PIXELS} are needed"
            return self._without(Outcome.TOO_SMALL, detail, face)
        grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))
        low, high = np.percentile(grey, [2, 98])
        if high - low < _BLANK_RANGE:
            detail = f"blank: 96 % of the pixels lie within {high - low:.0f} grey levels"
            return self._without(Outcome.NO_FACE, detail, face)
        return Prepared(crop=crop, face=face)


def _choice(kind: type[_Choice], value: str, what: str) -> _Choice:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(kind)
        raise OptionError(f"{what} must be one of {known}; got {value!r}.") from error


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize without aliasing: area averaging down, bilinear up."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] > height or pixels.shape[1] > width
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), dtype=np.uint8)


def _centre_square(pixels: Pixels, share: float, size: int) -> Pixels:
    """The centre square with ``share`` of the short side, resized to size×size."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * share))
    top, left = (height - side) // 2, (width - side) // 2
    return _resized(pixels[top : top + side, left : left + side], size, size)


def _whole_view(pixels: Pixels, crop: Crop) -> Pixels:
    """Resize the short side, keep the shape, and take the centre size×size.

    Of a long strip only the middle is resized: the centre needs no more of it.
    """
    pixels = _middle(pixels)
    height, width = pixels.shape[:2]
    factor = crop.short_side / min(height, width)
    size = (max(crop.size, round(width * factor)), max(crop.size, round(height * factor)))
    if crop.resampling == "pillow-bilinear":
        resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    else:
        resized = _resized(pixels, *size)
    top, left = (resized.shape[0] - crop.size) // 2, (resized.shape[1] - crop.size) // 2
    return np.ascontiguousarray(resized[top : top + crop.size, left : left + crop.size])


def _middle(pixels: Pixels) -> Pixels:
    """The middle of a picture more than eight times as long as wide; others as they are."""
    height, width = pixels.shape[:2]
    longest = 8 * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]
