"""The Scorer: an image in, Assessments out.

Scoring has two halves: ``prepare`` decodes, finds faces and crops (safe to call from many threads,
never raises for a bad image) and ``finish`` runs the network on many crops at once. ``assess`` is
the two in a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facegauge import (
    alignment,
    choices,
    detection,
    framing,
    images,
    measures,
    models,
    photos,
    reduction,
)
from facegauge.alignment import frontal_eye_distance
from facegauge.cards import Kind, View
from facegauge.choices import FaceChoice, Input
from facegauge.detection import Detector, Search
from facegauge.errors import LandmarkError, OptionError, UnreadableImage
from facegauge.images import Picture
from facegauge.photos import Photo, Source
from facegauge.prepared import Prepared
from facegauge.values import Assessment, Face, Landmarks, Measure, Outcome, Pixels

_FEWEST_PIXELS = 16
_UNSEEN = "where the eyes, nose and mouth are is not known"


class Scorer:
    """Scores faces with one model.

    Args:
        model: ``utility``, or the path of a model file.
        input: what the pictures show; see ``choices.Input``.
        faces: which faces of a picture with several are scored; see ``choices.FaceChoice``.
        detector: what finds the faces in photos and loose crops that come without landmarks: an
            opened Detector, or a name or path for ``detection.open``; None takes the embedded one.
        threads: threads for one run of the network; None leaves it to ONNX Runtime (all cores).
        device: see ``devices``.
        explain: measure each face, too (see ``measures``); pictures are then read in full, and the
            scores are the same.

    Raises:
        ModelError: the model or the detector cannot be found, opened or trusted.
        OptionError: an unknown input, choice of faces or device, or a detector for an input other
            than photos.
    """

    def __init__(
        self,
        model: str | Path = models.DEFAULT,
        *,
        input: str = Input.PHOTO,
        faces: str = FaceChoice.LARGEST,
        detector: str | Path | Detector | None = None,
        threads: int | None = None,
        device: str = "cpu",
        explain: bool = False,
    ) -> None:
        self.explain = explain
        self.input = choices.named(Input, input, "input")
        self.faces = choices.named(FaceChoice, faces, "faces")
        self.model = models.open(model, threads=threads, device=device)
        if self.model.card.kind not in (Kind.UTILITY, Kind.PERCEPTUAL):
            kind = self.model.card.kind
            raise OptionError(f"{model} is a {kind}; a score needs a quality model.")
        self.detector = self._detector(detector, device)

    def _detector(self, detector: str | Path | Detector | None, device: str) -> Detector | None:
        """What finds faces: in photos, and in loose crops for a model that sees aligned faces."""
        if self.input is Input.ALIGNED and detector is not None:
            raise OptionError(
                "A detector finds the faces in pictures, but with input 'aligned' every picture is "
                "one face in its place. Leave the detector out, or choose input 'photo' or 'crop'."
            )
        if detector is None and not (self.input is Input.PHOTO or self._cuts):
            return None
        if isinstance(detector, Detector):
            return detector
        return detection.open(detector or detection.DEFAULT, device=device)

    @property
    def name(self) -> str:
        """The model's name and version, as it stands in score tables."""
        return self.model.card.identifier

    @property
    def further(self) -> tuple[str, ...]:
        """Names of further models: none, see ``panel.Panel``."""
        return ()

    def assess(
        self, source: Source, landmarks: Sequence[Landmarks] | None = None
    ) -> list[Assessment]:
        """Assess one picture: one Assessment per scored face, or one that says why there is none.

        Args:
            source: a path, the bytes of an image file, or an RGB array (uint8, H×W×3).
            landmarks: of the faces in it, in pixels of the upright picture; None when unknown, then
                the faces of a photo are found by the detector. Empty: there is no face in it.
        """
        return self.finish(self.prepare(source, landmarks))

    def prepare(
        self, source: Source, landmarks: Sequence[Landmarks] | None = None
    ) -> list[Prepared]:
        """Decode, find faces and crop: one element per face, or one that says why there is none."""
        try:
            if landmarks is None and self.detector is not None:
                photo = photos.look(source, self.detector, self.search, in_full=self.every_pixel)
                return self.seen(source, photo, self.detector)
            return self._given(source, [Face(landmarks=points) for points in landmarks or ()])
        except UnreadableImage as error:
            return [self._without(Outcome.UNREADABLE, str(error))]

    def finish(self, prepared: Sequence[Prepared]) -> list[Assessment]:
        """Run the network once on all crops: one Assessment for each element, in order."""
        crops = [item.crop for item in prepared if item.crop is not None]
        scored = iter(self._scored(crops))
        return [
            self._assessment(item, *next(scored)) if item.assessment is None else item.assessment
            for item in prepared
        ]

    def _scored(self, crops: list[Pixels]) -> list[tuple[float, float]]:
        if not crops:
            return []
        found = self.model.predict(np.stack(crops))
        return list(zip(found.raw.tolist(), found.score.tolist(), strict=True))

    def _assessment(self, item: Prepared, raw: float, score: float) -> Assessment:
        return Assessment(
            outcome=Outcome.SCORED,
            score=score,
            raw=raw,
            face=item.face,
            model=self.name,
            measures=item.measures,
            detail=item.detail,
        )

    def _without(self, outcome: Outcome, detail: str, face: Face | None = None) -> Prepared:
        found = Assessment(outcome=outcome, face=face, model=self.name, detail=detail)
        return Prepared(assessment=found, face=face)

    def seen(self, source: Source, photo: Photo, detector: Detector) -> list[Prepared]:
        """The faces found in a photo, cropped; read again where a face is small in it.

        A loose crop shows a face, found or not: without one its middle is cropped.
        """
        if self.input is Input.CROP and not (photo.faces and self._cuts):
            return self._given(source, photo.faces)
        if not photo.faces:
            return [self._without(Outcome.NO_FACE, photos.nothing_found(detector))]
        picture, most = photo.picture, self._reduction(photo.faces)
        if picture.reduction > most:
            picture = images.read(source, largest_reduction=most)
        return self._cut(source, picture, photo.faces)

    def _given(self, source: Source, faces: Sequence[Face]) -> list[Prepared]:
        """A picture whose faces are known, or that is a crop of one."""
        crop = self.model.card.crop
        if faces and (self._cuts or self.input is Input.PHOTO):
            picture = images.read(source, largest_reduction=self._reduction(faces))
            return self._cut(source, picture, faces)
        enough = math.ceil(2 * (crop.short_side or crop.size) / crop.frame)
        picture = images.read(source, short_side=None if self.every_pixel else enough)
        if self.input is Input.PHOTO:
            return [self._without(Outcome.NO_FACE, "no landmarks given for this image")]
        return self._explained(source, picture, [self._framed(picture)], faces[:1])

    @property
    def _cuts(self) -> bool:
        """Whether the model is shown faces that are cut out and aligned."""
        return self.input is not Input.ALIGNED and self.model.card.crop.view is View.ALIGNED

    @property
    def search(self) -> Search:
        """Which faces of a photo are looked for."""
        return Search.LARGEST if self.faces is FaceChoice.LARGEST else Search.ALL

    @property
    def every_pixel(self) -> bool:
        """Whether the model's resampling is one that reduced decoding would change."""
        return reduction.every_pixel(self.model.card.crop)

    def _reduction(self, faces: Sequence[Face]) -> float:
        return reduction.largest_reduction(self.model.card.crop, self.faces.of(faces))

    def _cut(self, source: Source, picture: Picture, faces: Sequence[Face]) -> list[Prepared]:
        """The chosen faces, cropped; ``faces`` are those of the full picture."""
        chosen, count = self.faces.of(faces), choices.rivals(faces)
        if self.faces is FaceChoice.SINGLE and count > 1:
            several = f"{count} faces; one is expected"
            unscored = [self._without(Outcome.SEVERAL_FACES, several, chosen[0])]
            return self._explained(source, picture, unscored, chosen)
        detail = f"largest of {len(faces)} faces" if len(chosen) < len(faces) else ""
        loose = self.model.card.crop.view is View.WHOLE
        shown = self._loose if loose else self._aligned
        prepared = [shown(picture, face, detail) for face in chosen]
        return self._explained(source, picture, prepared, chosen)

    def _explained(
        self, source: Source, picture: Picture, prepared: list[Prepared], faces: Sequence[Face]
    ) -> list[Prepared]:
        """The same with the measures of each face, taken in all pixels of the picture."""
        if not self.explain:
            return prepared
        try:
            pixels = picture.pixels if picture.reduction == 1 else images.read(source).pixels
        except UnreadableImage as error:  # what is reduced needs less memory
            return [each.measured((), str(error)) for each in prepared]
        if self.input is Input.ALIGNED:
            return [each.measured(measures.measure_aligned(pixels), _UNSEEN) for each in prepared]
        known = faces or [Face()] * len(prepared)
        return [
            each.measured(_measures(pixels, face), _UNSEEN)
            for each, face in zip(prepared, known, strict=True)
        ]

    def _loose(self, picture: Picture, face: Face, detail: str) -> Prepared:
        """A face and what is around it, for a model that grades whole crops."""
        box = framing.loose_box(face)
        if box is None:
            return self._without(Outcome.NO_FACE, "a face without box and landmarks", face)
        moved = box.scaled(picture.x_factor, picture.y_factor)
        part = framing.cut(picture.pixels, moved)
        side = min(part.shape[0] / picture.y_factor, part.shape[1] / picture.x_factor)
        if side < _FEWEST_PIXELS:
            told = f"{side:.0f} pixels around the face, {_FEWEST_PIXELS} are needed"
            return self._without(Outcome.TOO_SMALL, told, face)
        return self._unless_blank(framing.whole_view(part, self.model.card.crop), face, detail)

    def _aligned(self, picture: Picture, face: Face, detail: str) -> Prepared:
        points = face.landmarks
        if points is None:
            return self._without(Outcome.NO_FACE, "a face without landmarks", face)
        outside = _outside(points, picture)
        if outside:
            told = f"{outside} of 5 landmarks lie outside the picture"
            return self._without(Outcome.CUT_OFF, told, face)
        crop = self.model.card.crop
        need = reduction.fewest_eye_pixels(crop)
        if frontal_eye_distance(points) < need:
            return self._without(Outcome.TOO_SMALL, _too_few(points, need), face)
        moved = points.scaled(picture.x_factor, picture.y_factor)
        try:
            similarity = alignment.fit_similarity(moved.array(), alignment.template(crop.size))
        except LandmarkError as error:
            return self._without(Outcome.NO_FACE, str(error), face)
        cut = alignment.warp(picture.pixels, similarity, crop.size, crop.resampling)
        return self._unless_blank(cut, face, detail)

    def _framed(self, picture: Picture) -> Prepared:
        """A picture without landmarks: the part of it that the model is shown."""
        crop = self.model.card.crop
        centred = crop.view is not View.WHOLE and self.input is not Input.ALIGNED
        seen = min(picture.width, picture.height) * (crop.frame if centred else 1.0)
        if seen < _FEWEST_PIXELS:
            detail = f"the crop shows {seen:.0f} pixels of the picture, {_FEWEST_PIXELS} are needed"
            return self._without(Outcome.TOO_SMALL, detail)
        if crop.view is View.WHOLE:
            return self._unless_blank(framing.whole_view(picture.pixels, crop))
        if self.input is Input.ALIGNED:
            return self._unless_blank(framing.resized(picture.pixels, crop.size, crop.size))
        middle = framing.centre_square(picture.pixels, crop.frame, crop.size)
        return self._unless_blank(middle, detail="no face found: the middle of the crop was scored")

    def _unless_blank(self, crop: Pixels, face: Face | None = None, detail: str = "") -> Prepared:
        blank = framing.blank(crop)
        if blank:
            return self._without(Outcome.NO_FACE, blank, face)
        return Prepared(crop=crop, face=face, detail=detail)


def _measures(pixels: Pixels, face: Face) -> tuple[Measure, ...]:
    return () if face.landmarks is None else measures.measure(pixels, face.landmarks)


def _outside(points: Landmarks, picture: Picture) -> int:
    """How many landmarks lie outside the full picture."""
    ends = np.array([picture.width, picture.height]) - 0.5
    inside = (points.array() > -0.5) & (points.array() < ends)
    return int((~inside.all(axis=1)).sum())


def _too_few(points: Landmarks, need: float) -> str:
    """Rounded down, so that it never reads as what is needed."""
    pixels = math.floor(10 * frontal_eye_distance(points)) / 10
    return f"{pixels:.1f} pixels between the eyes, {need:.3g} are needed"
