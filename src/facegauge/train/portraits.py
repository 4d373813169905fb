"""Portraits: aligned crops of faces as the recipes that learn from pictures alone see them.

Which face a visit sees, and every random number, follows from the seed and the visit's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import default_rng
from torch.utils.data import Dataset

from facegauge import alignment
from facegauge.train.degradation import degrade
from facegauge.train.faces import Faces
from facegauge.train.visits import order
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How faces are cut: side of the crop in pixels, and what befalls it in training.

    ``jitter`` is landmark noise as a share of the inter-eye distance, ``degraded`` the share of
    visits with a synthetic degradation.
    """

    size: int
    seed: int
    jitter: float = 0.0
    degraded: float = 0.0

    def clean(self, faces: Faces, face: int) -> Pixels:
        """The aligned crop of a face, size×size×3."""
        return alignment.align(faces.pixels(face), faces.points(face), self.size)

    def spoiled(self, faces: Faces, face: int) -> Pixels:
        """The aligned crop of a face after one synthetic degradation, always the same one."""
        return degrade(self.clean(faces, face), default_rng((self.seed, 0, face, 1)))

    def visited(self, faces: Faces, face: int, visit: int) -> Pixels:
        """The crop that visit number ``visit`` sees, mirrored half of the time."""
        rng = default_rng((self.seed, 1, visit))
        points = alignment.jitter(faces.points(face), rng, relative=self.jitter)
        crop = alignment.align(faces.pixels(face), points, self.size)
        mirrored, degraded = rng.random() < 0.5, rng.random() < self.degraded
        crop = degrade(crop, rng) if degraded else crop
        return crop[:, ::-1] if mirrored else crop


class Portraits(Dataset):
    """Portrait number n of a run, and what is known of its face.

    Args:
        faces: all faces.
        learned: which of them are seen, L row numbers.
        sight: how they are cut.
        known: by name, one value for each of the L faces.
    """

    def __init__(
        self,
        faces: Faces,
        learned: npt.NDArray[np.int64],
        sight: Sight,
        known: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        self.faces, self.learned, self.sight, self.known = faces, learned, sight, known

    def __getitem__(self, visit: int) -> dict[str, Any]:
        place = self.place(visit)
        crop = self.sight.visited(self.faces, int(self.learned[place]), visit)
        known = {name: values[place] for name, values in self.known.items()}
        return {"pixels": np.ascontiguousarray(crop), **known}

    def place(self, visit: int) -> int:
        """Which of the L faces a visit sees: each turn over all of them has its own order."""
        turn, place = divmod(visit, len(self.learned))
        return int(order(self.sight.seed, turn, len(self.learned))[place])
