"""How much a score depends on where the landmarks are: ``facegauge evaluate alignment``.

The protocol of AI-KD (Babnik et al. 2024): the same pictures, aligned from landmarks each of which
is off by uniform noise of up to p pixels, are scored again. A score that follows the noise says
more about the detector than about the face.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import alignment
from facegauge.cards import View
from facegauge.choices import Input
from facegauge.errors import InputError, OptionError
from facegauge.evaluate.score_files import ScoreFile
from facegauge.scoring import Scorer
from facegauge.tables import LandmarkTable
from facegauge.values import Landmarks
from facegauge.walk import find_images

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """Noise on landmarks: uniform, up to ``pixels`` in x and in y, ``repeats`` times a picture.

    Pixels of the picture, or with ``relative`` of an aligned 112-pixel crop, so that large and
    small faces are moved alike (3 pixels are 0.085 of the distance between the eyes then).

    Raises:
        OptionError: noise that is not above 0, fewer than two repeats, or a negative seed.
    """

    pixels: float = 3.0
    relative: bool = False
    repeats: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.pixels < np.inf or self.repeats < 2 or self.seed < 0:
            raise OptionError(
                "A spread needs jitter above 0, two repeats or more and a seed >= 0, got "
                f"{self.pixels}, {self.repeats} and {self.seed}. 3, 10 and 0 are usual."
            )

    def moved(self, landmarks: Landmarks, name: str) -> list[Landmarks]:
        """The landmarks off by each of the ``repeats``, from seed, name and repeat alone."""
        key = zlib.crc32(os.fsencode(name))
        amount = self.pixels / alignment.TEMPLATE_EYE_DISTANCE if self.relative else self.pixels
        draws = [np.random.default_rng((self.seed, key, at)) for at in range(self.repeats)]
        if self.relative:
            return [alignment.jitter(landmarks, rng, relative=amount) for rng in draws]
        return [alignment.jitter(landmarks, rng, pixels=amount) for rng in draws]

    def __str__(self) -> str:
        unit = "pixels of a 112-pixel crop" if self.relative else "source pixels"
        return f"landmarks off by up to {self.pixels:g} {unit}, {self.repeats} times"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Misaligned:
    """Scores (0..100) of N pictures: ``clean`` N, ``jittered`` N×K; nan for no score."""

    model: str
    jitter: Jitter
    paths: tuple[str, ...]
    clean: Values
    jittered: Values

    @property
    def spread(self) -> Values:
        """Standard deviation (divisor K - 1) of each picture's jittered scores; nan: not all."""
        return np.asarray(self.jittered.std(axis=1, ddof=1))

    @property
    def shift(self) -> Values:
        """Mean distance of each picture's jittered scores from its clean one; nan: not all."""
        return np.asarray(np.abs(self.jittered - self.clean[:, None]).mean(axis=1))

    def score_files(self) -> tuple[ScoreFile, ScoreFile]:
        """The clean scores and those of the first jitter, as two methods for ``evaluate_edc``."""
        return self._file("clean", self.clean), self._file("jittered", self.jittered[:, 0])

    def repeat_files(self) -> tuple[ScoreFile, ...]:
        """The scores of each of the K jitters, as K methods."""
        return tuple(self._file(f"jitter {at + 1}", row) for at, row in enumerate(self.jittered.T))

    def _file(self, kind: str, values: Values) -> ScoreFile:
        known = [None if np.isnan(value) else float(value) for value in values]
        scores = dict(zip(self.paths, known, strict=True))
        return ScoreFile(method=f"{self.model} {kind}", scores=scores, boxes={})


def score_misaligned(
    paths: Sequence[Path | str],
    landmarks: LandmarkTable,
    scorer: Scorer,
    jitter: Jitter,
    *,
    progress: Callable[[int], None] = lambda count: None,
) -> Misaligned:
    """Score every picture that has landmarks from them and from each of their jitters.

    Of several faces in a picture the largest counts. A picture without a score has nan.

    Args:
        paths: pictures or folders, see ``walk.find_images``.
        landmarks: of the faces, in pixels of the upright picture, by name.
        scorer: with input ``crop``, so that no detector is asked.
        jitter: the noise.
        progress: is told how many more pictures are finished.

    Raises:
        OptionError: the model takes no aligned crops, or the scorer no landmarks.
        InputError: no picture has landmarks.
    """
    if scorer.model.card.crop.view is not View.ALIGNED or scorer.input is Input.ALIGNED:
        raise OptionError(
            f"Misalignment needs a model of aligned crops and pictures to cut them from, got "
            f"{scorer.name} ({scorer.model.card.crop.view}) and input {str(scorer.input)!r}. "
            "Choose another model, or input 'crop'."
        )
    names, rows = [], []
    for found in find_images(paths):
        faces = landmarks.of(found.name)
        if faces:
            points = max(faces, key=alignment.frontal_eye_distance)
            each = [points, *jitter.moved(points, found.name)]
            prepared = [part for one in each for part in scorer.prepare(found.source, [one])]
            answers = scorer.finish(prepared)
            rows.append([np.nan if one.score is None else one.score for one in answers])
            names.append(found.name)
        progress(1)
    if not rows:
        raise InputError(
            f"Expected pictures that the {len(landmarks)} rows of landmarks know, got none. Paths "
            "in the table are relative to the folder given, with '/'."
        )
    scores = np.array(rows, dtype=np.float64)
    return Misaligned(
        model=scorer.name,
        jitter=jitter,
        paths=tuple(names),
        clean=scores[:, 0],
        jittered=scores[:, 1:],
    )
