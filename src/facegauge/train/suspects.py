"""What a generous detector takes for faces, cut out, with what it is: what a judge learns from.

Scenes with known faces are drawn (see ``scenes``), and whole photographs shown at several sizes.
What the detector finds in them with little confidence is kept: over a known face by half or more it
is that face, over none by 0.3 it is no face, and between nothing is learned. Known faces
that the detector missed are there as well, with a box that is off as a detector's would be, and so
are places beside faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import judging
from facegauge.alignment import MIRRORED
from facegauge.candidates import Candidates, faces_among, logits, overlaps
from facegauge.detection import padded
from facegauge.detectors import Network
from facegauge.errors import TrainingError
from facegauge.framing import resized
from facegauge.squares import shown
from facegauge.train.photographs import Photograph, Shelf
from facegauge.train.scenes import Scene, Studio
from facegauge.values import Pixels

WIDE = 96
"""Side in pixels of what is kept: a judge's square in the middle, and room to move it."""
FACE, NONE = 0.5, 0.3
"""Intersection over union with a known face from which it is that face, and below which none."""
MOST = 8
"""Candidates of one picture that are kept, the surest first."""
JITTER = 0.12
"""How far a drawn box is off: standard deviation, as a share of its side."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suspects:
    """N possible faces.

    ``pixels`` uint8 N×WIDE×WIDE×3; ``face`` N: 1 a face, 0 none; ``boxes`` N×4 and ``landmarks``
    N×5×2 of the known face, in pixels of the cut; ``logits`` N: how sure the detector was (-inf: it
    did not find it).
    """

    pixels: Pixels
    face: Floats
    boxes: Floats
    landmarks: Floats
    logits: Floats

    def __len__(self) -> int:
        return len(self.face)


def joined(parts: list[Suspects]) -> Suspects:
    """All suspects of several pictures."""
    names = [field.name for field in fields(Suspects)]
    return Suspects(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """A detector that is asked for everything of at least some confidence, and a seed."""

    network: Network
    least: float
    seed: int

    def in_scenes(self, studio: Studio, count: int) -> Iterator[Suspects]:
        """Suspects of drawn scenes, one scene in five wide."""
        for number in range(count):
            rng = np.random.default_rng((self.seed, 11, number))
            scene = studio.scene(640 if number % 5 == 4 else 320, rng)
            yield self._suspects(scene, rng, drawn=True)

    def in_photographs(self, photographs: list[Photograph], shelf: Shelf) -> Iterator[Suspects]:
        """Suspects of whole photographs, each as it is, mirrored, and mirrored and smaller."""
        for number, each in enumerate(photographs):
            rng = np.random.default_rng((self.seed, 13, number))
            whole = whole_scene(each, shelf.pixels(each.path), self.network.size)
            factor = float(rng.uniform(0.5, 0.9))
            for scene in (whole, _mirrored(whole), _scaled(_mirrored(whole), factor)):
                yield self._suspects(scene, rng, drawn=False)

    def _suspects(self, scene: Scene, rng: np.random.Generator, *, drawn: bool) -> Suspects:
        """What the network finds in a scene; of drawn ones the faces and other places as well."""
        found = self._found(scene.pixels)
        boxes, sure = found.boxes, logits(found.confidence)
        if drawn:
            more = np.concatenate([_near(scene, rng), _beside(scene, rng)])
            boxes = np.concatenate([boxes, more.astype(np.float32)])
            sure = np.concatenate([sure, np.full(len(more), -np.inf, np.float32)])
        return _told(scene, boxes, sure)

    def _found(self, pixels: Pixels) -> Candidates:
        seen = self.network.look(padded(pixels, self.network.shape))
        return faces_among(seen, self.least, voting=self.network.voting)[:MOST]


def stored(path: Path, make: Callable[[], Iterator[Suspects]]) -> Suspects:
    """The suspects in a file, made and written there where it is not.

    Raises:
        TrainingError: there are only faces among them, or none.
    """
    if not path.is_file():
        made = joined(list(make()))
        draft = path.with_suffix(".draft.npz")
        np.savez(draft, **{field.name: getattr(made, field.name) for field in fields(made)})
        draft.replace(path)
    with np.load(path) as values:
        found = Suspects(**dict(values))
    if not 0 < found.face.sum() < len(found):
        raise TrainingError(
            f"Expected faces and others among what the detector finds, got {len(found)} of one "
            "kind. Add photographs with faces, or lower least."
        )
    return found


def whole_scene(photograph: Photograph, pixels: Pixels, long_side: int) -> Scene:
    """A photograph as a detector looks at it first, with its faces."""
    factor = min(1.0, long_side / max(pixels.shape[:2]))
    scene = Scene(
        pixels=pixels,
        boxes=photograph.boxes,
        landmarks=photograph.landmarks,
        sure=photograph.sure,
    )
    return _scaled(scene, factor)


def _told(scene: Scene, boxes: Floats, sure_of: Floats) -> Suspects:
    """The boxes of which it is known whether they are faces, cut out."""
    known = scene.boxes.astype(np.float32)
    shared = overlaps(boxes, known) if len(known) else np.zeros((len(boxes), 1), np.float32)
    best, same = shared.max(1, initial=0.0), shared.argmax(1)
    sure = scene.sure[same] if len(known) else np.zeros(len(boxes), bool)
    clear = np.flatnonzero((best < NONE) | ((best >= FACE) & sure))
    parts = [_cut(scene, boxes[i], int(same[i]) if best[i] >= FACE else None) for i in clear]
    face = (best[clear] >= FACE).astype(np.float32)
    pixels = [part[0] for part in parts]
    return Suspects(
        pixels=np.array(pixels, np.uint8).reshape(-1, WIDE, WIDE, 3),
        face=face,
        boxes=np.array([part[1] for part in parts], np.float32).reshape(-1, 4),
        landmarks=np.array([part[2] for part in parts], np.float32).reshape(-1, 5, 2),
        logits=sure_of[clear],
    )


def _cut(scene: Scene, box: Floats, face: int | None) -> tuple[Pixels, Floats, Floats]:
    square = judging.square(box, judging.FILLED * judging.SIDE / WIDE)
    pixels = shown(scene.pixels, square, WIDE)
    if face is None:
        return pixels, np.zeros(4, np.float32), np.zeros((5, 2), np.float32)
    corner, factor = np.array([square.left, square.top]), WIDE / square.side
    points = np.concatenate([scene.boxes[face].reshape(2, 2), scene.landmarks[face]])
    moved = ((points - corner + 0.5) * factor - 0.5).astype(np.float32)
    return pixels, moved[:2].ravel(), moved[2:]


def _near(scene: Scene, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One box for each sure face, off as a detector's is."""
    faces = scene.boxes[scene.sure]
    sides = (faces[:, 2:] - faces[:, :2]).max(1, initial=0.0)[:, None]
    return faces + rng.normal(size=faces.shape) * JITTER * sides


def _beside(scene: Scene, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Two boxes anywhere, of a size between a twentieth and half of the picture's."""
    side = min(scene.pixels.shape[:2])
    half = np.exp(rng.uniform(np.log(0.025), np.log(0.25), (2, 1))) * side
    middle = rng.uniform(0, 1, (2, 2)) * side
    return np.hstack([middle - half, middle + half])


def _mirrored(scene: Scene) -> Scene:
    end = scene.pixels.shape[1] - 1
    boxes, landmarks = scene.boxes.copy(), scene.landmarks[:, list(MIRRORED)].copy()
    boxes[:, [0, 2]] = end - boxes[:, [2, 0]]
    landmarks[..., 0] = end - landmarks[..., 0]
    pixels = np.ascontiguousarray(scene.pixels[:, ::-1])
    return Scene(pixels=pixels, boxes=boxes, landmarks=landmarks, sure=scene.sure)


def _scaled(scene: Scene, factor: float) -> Scene:
    height, width = scene.pixels.shape[:2]
    small = resized(scene.pixels, max(1, round(width * factor)), max(1, round(height * factor)))
    factors = np.array([small.shape[1] / width, small.shape[0] / height])
    shift = 0.5 * factors - 0.5
    return Scene(
        pixels=small,
        boxes=scene.boxes * np.tile(factors, 2) + np.tile(shift, 2),
        landmarks=scene.landmarks * factors + shift,
        sure=scene.sure,
    )
