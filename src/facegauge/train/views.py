"""A view: one face, cut out with or without sloppiness, clean or degraded, as a student sees it.

View 0 of a face is the clean aligned crop; view v > 0 is degraded by operations that depend on
seed, face and v alone, so that a recogniser needs to look at each view once and its answers can be
kept. The sloppiness of the cut is drawn afresh at every visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import default_rng

from facegauge import alignment
from facegauge.alignment import Similarity
from facegauge.train.degradation import VERSION, degrade
from facegauge.train.faces import Faces
from facegauge.train.recipe_first import First
from facegauge.values import Landmarks, Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """All views of all faces under one recipe."""

    faces: Faces
    recipe: First

    @property
    def count(self) -> int:
        """Views of each face."""
        return self.recipe.views

    def key(self) -> list[Any]:
        """What a view depends on beside the faces."""
        return [self.recipe.size, self.recipe.views, self.recipe.seed, VERSION]

    def aligned(self, face: int, view: int) -> Pixels:
        """A view cut out exactly: what the recognisers label."""
        crop = alignment.align(self.faces.pixels(face), self.faces.points(face), self.recipe.size)
        return self._degraded(crop, face, view)

    def visited(self, face: int, view: int, visit: int) -> Pixels:
        """A view cut out as sloppily as the recipe says; ``visit`` numbers all crops of the run."""
        rng = default_rng((self.recipe.seed, 1, visit))
        points = alignment.jitter(self.faces.points(face), rng, relative=self.recipe.jitter)
        similarity = alignment.fit_similarity(points.array(), alignment.template(self.recipe.size))
        if rng.random() < self.recipe.loose:
            similarity = loosened(similarity, self.recipe.size, rng)
        crop = alignment.warp(self.faces.pixels(face), similarity, self.recipe.size)
        crop = self._degraded(crop, face, view)
        return crop[:, ::-1] if rng.random() < 0.5 else crop

    def jittered(self, face: int) -> Pixels:
        """The clean face from landmarks with a fixed jitter: for validation."""
        rng = default_rng((self.recipe.seed, 2, face))
        points: Landmarks = alignment.jitter(
            self.faces.points(face), rng, relative=self.recipe.jitter
        )
        return alignment.align(self.faces.pixels(face), points, self.recipe.size)

    def _degraded(self, crop: Pixels, face: int, view: int) -> Pixels:
        return degrade(crop, default_rng((self.recipe.seed, 0, face, view))) if view else crop


def loosened(similarity: Similarity, size: int, rng: np.random.Generator) -> Similarity:
    """The crop from further off: 45..105 % of the scale, turned within 10 degrees, shifted."""
    zoom, angle = rng.uniform(0.45, 1.05), np.deg2rad(rng.uniform(-10, 10))
    turn = complex(zoom * np.cos(angle), zoom * np.sin(angle))
    factor = complex(similarity.a, similarity.b) * turn
    centre = complex(size / 2, size / 2)
    wander = complex(*rng.uniform(-0.07, 0.07, 2)) * size
    moved = (complex(similarity.x_shift, similarity.y_shift) - centre) * turn + centre + wander
    return Similarity(a=factor.real, b=factor.imag, x_shift=moved.real, y_shift=moved.imag)
