"""How landmarks are off: the noise of AI-KD, ours that grows with the face, and other detectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegauge import alignment
from facegauge.values import Coordinates, Landmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sloppiness:
    """What befalls five landmarks, in this order; all amounts 0: nothing.

    With the chance ``swaps`` those of another detector take their place. All five together turn by
    up to ``roll`` degrees, grow or shrink by up to a share ``zoom`` and move by up to ``shift``
    inter-eye distances in x and in y. Then each coordinate is off by up to ``pixels`` of the
    picture (AI-KD, Babnik et al. 2024: 3), or by up to ``relative`` inter-eye distances.
    """

    pixels: float = 0.0
    relative: float = 0.0
    roll: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    swaps: float = 0.0

    def moved(
        self, points: Landmarks, others: tuple[Landmarks, ...], rng: np.random.Generator
    ) -> Landmarks:
        """The landmarks of a face as a visit sees them; ``points`` stay as they are.

        Args:
            points: the face's own.
            others: of the same face by other detectors.
            rng: the source of all chance.
        """
        swapped = rng.random() < self.swaps
        if swapped and others:
            points = others[int(rng.integers(len(others)))]
        whole = Landmarks.from_array(self._moved_together(points, rng))
        return alignment.jitter(whole, rng, pixels=self.pixels, relative=self.relative)

    def _moved_together(self, points: Landmarks, rng: np.random.Generator) -> Coordinates:
        angle, zoom, *shift = rng.uniform(-1.0, 1.0, 4)
        turn = (1.0 + self.zoom * zoom) * np.exp(1j * np.deg2rad(self.roll * angle))
        array = points.array()
        z = array[:, 0] + 1j * array[:, 1]
        moved = z.mean() + (z - z.mean()) * turn
        moved += self.shift * points.inter_eye_distance * complex(*shift)
        return np.stack([moved.real, moved.imag], axis=1)
