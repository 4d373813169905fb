"""Training pictures for a detector: photographs moved, turned, joined, degraded and covered.

A scene is one photograph, or four parts of half its side, each again one photograph or four parts;
each photograph is moved so that one of its faces has a size drawn evenly on a logarithmic scale. A
share of them shows no face at all: a picture without faces, or faces that are painted over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facegauge.alignment import MIRRORED
from facegauge.train.photographs import Photograph, Shelf
from facegauge.train.scene_effects import cover, defocus, degrade, paint
from facegauge.values import Pixels

Numbers = npt.NDArray[np.float64]

SMALLEST_PART = 80
"""Side in pixels below which a part is not divided further."""
NARROWEST, WIDEST = 0.06, 0.42
"""Inter-eye distance drawn: shares of the part's side."""
LARGEST_ENLARGEMENT = 2.0
VISIBLE = 0.5
"""Share of a face's box that must lie in the picture for the face to be learned."""
SMALLEST_SIDE = 9.0
"""Short side of the box in pixels below which a face is doubtful."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A training picture S×S×3 and its faces: boxes F×4, landmarks F×5×2, sure F."""

    pixels: Pixels
    boxes: Numbers
    landmarks: Numbers
    sure: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How scenes are drawn.

    Shares: ``mosaic`` of the parts that are divided, ``empty`` of the parts without a face,
    ``defocused`` of the parts, ``degraded`` of the scenes, ``covered`` of the faces that are partly
    covered; and how often each table is seen, relative to the others (1 where nothing is said).
    """

    mosaic: float
    empty: float
    degraded: float
    covered: float
    upright: float
    """Standard deviation of the roll in degrees; one visit in ten rolls three times as far."""
    defocused: float = 0.0
    hard: float = 1.0
    """How much more often than the face of highest confidence that of lowest is looked at."""
    tables: dict[str, float] = field(default_factory=dict)


class Studio:
    """Makes scenes of photographs and backgrounds."""

    def __init__(
        self, photographs: list[Photograph], backgrounds: list[Photograph], settings: Settings
    ) -> None:
        tables = sorted({each.table for each in photographs})
        named = {table: [p for p in photographs if p.table == table] for table in tables}
        shown = [[p for p in named[table] if p.sure.any()] for table in tables]
        self.tables = [table for table in shown if table]
        weights = np.array([settings.tables.get(table[0].table, 1.0) for table in self.tables])
        self.weights = weights / weights.sum()
        self.backgrounds, self.settings = backgrounds, settings
        self.hardness = _hardness(self.tables, settings.hard)
        self.draws = [_shares([self.hardness[p.path].sum() for p in t]) for t in self.tables]
        self.shelf = Shelf()

    def scene(self, size: int, rng: np.random.Generator) -> Scene:
        """One scene, size×size; the same for the same generator."""
        whole = self._part(size, rng)
        if rng.random() < self.settings.degraded:
            return replace(whole, pixels=degrade(whole.pixels, rng))
        return whole

    def _part(self, side: int, rng: np.random.Generator) -> Scene:
        if side >= 2 * SMALLEST_PART and rng.random() < self.settings.mosaic:
            return _joined([self._part(side // 2, rng) for _ in range(4)])
        empty = rng.random() < self.settings.empty
        if empty and self.backgrounds and rng.random() < 0.5:
            chosen = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        else:
            table = int(rng.choice(len(self.tables), p=self.weights))
            place = int(rng.choice(len(self.draws[table]), p=self.draws[table]))
            chosen = self.tables[table][place]
        pixels = self.shelf.pixels(chosen.path)
        wanted = self.hardness.get(chosen.path)
        part = _moved(pixels, chosen, wanted, side, self.settings.upright, rng)
        if rng.random() < self.settings.defocused:
            part = replace(part, pixels=defocus(part.pixels, _apart(part, side), rng))
        if empty:
            return _without_faces(part, rng)
        for box in part.boxes[part.sure]:
            if rng.random() < self.settings.covered:
                cover(part.pixels, box, rng)
        return part


def _joined(parts: list[Scene]) -> Scene:
    """Four square parts side by side."""
    side = parts[0].pixels.shape[0]
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], dtype=np.float64)
    top = np.concatenate([parts[0].pixels, parts[1].pixels], axis=1)
    bottom = np.concatenate([parts[2].pixels, parts[3].pixels], axis=1)
    moved = list(zip(parts, corners, strict=True))
    return Scene(
        pixels=np.concatenate([top, bottom], axis=0),
        boxes=np.concatenate([part.boxes + np.tile(corner, 2) for part, corner in moved]),
        landmarks=np.concatenate([part.landmarks + corner for part, corner in moved]),
        sure=np.concatenate([part.sure for part in parts]),
    )


def _moved(
    pixels: Pixels,
    chosen: Photograph,
    wanted: Numbers | None,
    side: int,
    upright: float,
    rng: np.random.Generator,
) -> Scene:
    """A photograph scaled, turned, shifted and perhaps mirrored into a square.

    ``wanted`` F says how often each of its faces is the one that is placed.
    """
    matrix = _motion(pixels, chosen, wanted, side, upright, rng)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    source, reduced = pixels, matrix.copy()
    if scale < 0.6:  # average first, as the warp alone would alias
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        source = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        back = np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]])
        reduced[:, 2] += matrix[:, :2] @ (back / 2 - 0.5)
        reduced[:, :2] = matrix[:, :2] * back
    fill = tuple(float(value) for value in rng.integers(0, 256, 3))
    drawn = cv2.warpAffine(source, reduced, (side, side), flags=cv2.INTER_LINEAR, borderValue=fill)
    boxes, landmarks = _moved_faces(chosen, matrix, scale)
    part = Scene(
        pixels=np.asarray(drawn, dtype=np.uint8),
        boxes=boxes,
        landmarks=landmarks,
        sure=chosen.sure,
    )
    return _clipped(part, side)


def _motion(
    pixels: Pixels,
    chosen: Photograph,
    wanted: Numbers | None,
    side: int,
    upright: float,
    rng: np.random.Generator,
) -> Numbers:
    """The affine matrix 2×3 from picture to part: one face lands somewhere in it."""
    angle = rng.normal(0.0, np.deg2rad(upright)) * (3.0 if rng.random() < 0.1 else 1.0)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    height, width = pixels.shape[:2]
    target = float(np.exp(rng.uniform(np.log(NARROWEST * side), np.log(WIDEST * side))))
    if wanted is not None:
        face = int(rng.choice(len(wanted), p=_shares(wanted)))
        middle = chosen.landmarks[face].mean(axis=0)
        apart = float(np.linalg.norm(chosen.landmarks[face][1] - chosen.landmarks[face][0]))
        scale = target / max(apart, 0.2 * _side(chosen.boxes[face]))
    else:
        middle = rng.uniform(0, 1, 2) * (width, height)
        scale = side / min(height, width) * rng.uniform(0.7, 2.0)
    scale = min(scale, LARGEST_ENLARGEMENT)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([mirror, 1.0])
    place = rng.uniform(0.08, 0.92, 2) * side
    return np.hstack([linear, (place - linear @ middle)[:, None]])


def _moved_faces(chosen: Photograph, matrix: Numbers, scale: float) -> tuple[Numbers, Numbers]:
    """Boxes keep their middle and turn their sides with the face; landmarks move with the picture.

    A box turned by a quarter swaps its sides; in between they are blended.
    """
    landmarks = chosen.landmarks @ matrix[:, :2].T + matrix[:, 2]
    if np.linalg.det(matrix[:, :2]) < 0:
        landmarks = landmarks[:, MIRRORED, :]
    middle = (chosen.boxes[:, :2] + chosen.boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    sides = (chosen.boxes[:, 2:] - chosen.boxes[:, :2]) * scale
    straight = (matrix[0, 0] / scale) ** 2
    half = (straight * sides + (1 - straight) * sides[:, ::-1]) / 2
    return np.hstack([middle - half, middle + half]), landmarks


def _clipped(part: Scene, side: int) -> Scene:
    """Faces that can be seen: boxes clipped to the picture, hardly visible ones doubtful."""
    clipped = part.boxes.clip(-0.5, side - 0.5)
    seen = _area(clipped) / np.maximum(_area(part.boxes), 1e-6)
    sides = (clipped[:, 2:] - clipped[:, :2]).min(axis=1, initial=np.inf)
    kept = (seen > 0.02) & (sides > 1.0)
    sure = part.sure & (seen >= VISIBLE) & (sides >= SMALLEST_SIDE)
    return Scene(
        pixels=part.pixels,
        boxes=clipped[kept],
        landmarks=part.landmarks[kept],
        sure=sure[kept],
    )


def _without_faces(part: Scene, rng: np.random.Generator) -> Scene:
    """The part with all its faces painted over, a margin around them included."""
    for x0, y0, x1, y1 in part.boxes:
        wide, high = (x1 - x0) * rng.uniform(0.1, 0.4), (y1 - y0) * rng.uniform(0.15, 0.4)
        paint(part.pixels, x0 - wide, y0 - high, x1 + wide, y1 + high, rng)
    none = np.zeros(len(part.boxes), dtype=bool)
    return Scene(
        pixels=part.pixels,
        boxes=part.boxes[none],
        landmarks=part.landmarks[none],
        sure=part.sure[none],
    )


def _hardness(tables: list[list[Photograph]], hard: float) -> dict[Path, Numbers]:
    """How often each face of each photograph is looked at, F: 0 where doubtful, else 1 .. hard."""
    photographs = [each for table in tables for each in table]
    sure = np.concatenate([each.confidence[each.sure] for each in photographs] or [np.zeros(0)])
    lowest, highest = sure.min(initial=1.0), sure.max(initial=0.0)
    reach = max(highest - lowest, 1e-6)
    return {
        each.path: each.sure * (1.0 + (hard - 1.0) * (highest - each.confidence) / reach)
        for each in photographs
    }


def _apart(part: Scene, side: int) -> float:
    """Middle inter-eye distance of a part's faces; where there are none, that of a usual face."""
    apart = np.linalg.norm(part.landmarks[:, 1] - part.landmarks[:, 0], axis=1)
    return float(np.median(apart)) if apart.size else 0.2 * side


def _shares(amounts: list[float] | Numbers) -> Numbers:
    values = np.asarray(amounts, dtype=np.float64)
    return values / values.sum()


def _side(box: Numbers) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _area(boxes: Numbers) -> Numbers:
    return (boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1)
