"""Which suspects a judge sees when: every step's batch follows from the seed and its number."""

from __future__ import annotations

import cv2
import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from facegauge.alignment import MIRRORED
from facegauge.judging import SIDE
from facegauge.train.course import one_thread
from facegauge.train.recipe_judge import Judge
from facegauge.train.scene_effects import degrade, emboss
from facegauge.train.suspects import WIDE, Suspects
from facegauge.values import Pixels

Numbers = npt.NDArray[np.float64]


class Steps(Dataset):
    """Batch number n of the run: half faces, half none."""

    def __init__(self, chosen: Judge, suspects: Suspects, start: int) -> None:
        self.chosen, self.suspects, self.start = chosen, suspects, start
        self.kinds = [np.flatnonzero(suspects.face == kind) for kind in (0, 1)]
        doubts = doubt(suspects, chosen.doubted)
        self.draws = [doubts[kind] / doubts[kind].sum() for kind in self.kinds]

    def __len__(self) -> int:
        return self.chosen.steps

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        if place >= len(self):
            raise IndexError(place)
        rng = np.random.default_rng((self.chosen.seed, 17, self.start + place))
        half = self.chosen.batch // 2
        pairs = zip(self.kinds, self.draws, strict=True)
        picked = np.concatenate([rng.choice(kind, half, p=draw) for kind, draw in pairs])
        return batch([self._visit(int(each), rng) for each in picked])

    def _visit(self, place: int, rng: np.random.Generator) -> tuple[Pixels, bool, Numbers]:
        pixels, points = self.suspects.pixels[place], self._points(place)
        matrix = motion(self.chosen, rng)
        face = bool(self.suspects.face[place])
        seen = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        if rng.random() < self.chosen.spoiled:
            seen = degrade(np.asarray(seen, dtype=np.uint8), rng)
        if rng.random() < self.chosen.embossed:
            seen, face = emboss(np.asarray(seen, dtype=np.uint8), rng), False
        return np.asarray(seen, dtype=np.uint8), face, moved(points, matrix)

    def _points(self, place: int) -> Numbers:
        """Two corners of the box and five landmarks, 7×2."""
        corners = self.suspects.boxes[place].reshape(2, 2)
        return np.concatenate([corners, self.suspects.landmarks[place]]).astype(np.float64)


class Visits(lightning.LightningDataModule):
    """Hands each leg its own steps."""

    def __init__(self, chosen: Judge, suspects: Suspects, workers: int) -> None:
        super().__init__()
        self.chosen, self.suspects, self.workers = chosen, suspects, workers

    def train_dataloader(self) -> DataLoader:
        """The batches of the leg that is about to be run."""
        leg = 0 if self.trainer is None else self.trainer.current_epoch
        return DataLoader(
            Steps(self.chosen, self.suspects, leg * self.chosen.steps),
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=one_thread,
        )


def doubt(suspects: Suspects, hard: float) -> Numbers:
    """How often each suspect is seen, N: 1 where the detector was right or silent, else to hard."""
    found = np.isfinite(suspects.logits)
    sure = 1.0 / (1.0 + np.exp(-np.where(found, suspects.logits, 0.0)))
    wrong = np.abs(suspects.face - sure) * found
    return np.asarray(1.0 + (hard - 1.0) * wrong, dtype=np.float64)


def motion(chosen: Judge, rng: np.random.Generator) -> Numbers:
    """The matrix 2×3 from a wide cut to what is seen: moved, scaled, turned, perhaps mirrored."""
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    angle = np.deg2rad(rng.normal(0.0, chosen.turned))
    scale = float(np.exp(rng.normal(0.0, chosen.scaled)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([mirror, 1.0])
    shift = rng.normal(0.0, chosen.moved * SIDE, 2)
    place = (SIDE - 1) / 2 + shift - linear @ np.full(2, (WIDE - 1) / 2)
    return np.hstack([linear, place[:, None]])


def moved(points: Numbers, matrix: Numbers) -> Numbers:
    """Two corners and five landmarks, 7×2, after a motion; the box keeps its shape."""
    landmarks = points[2:] @ matrix[:, :2].T + matrix[:, 2]
    if np.linalg.det(matrix[:, :2]) < 0:
        landmarks = landmarks[list(MIRRORED)]
    half = (points[1] - points[0]) / 2 * np.hypot(matrix[0, 0], matrix[1, 0])
    centre = points[:2].mean(0) @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([[centre - half, centre + half], landmarks])


def middle(pixels: Pixels) -> Pixels:
    """What is seen of wide cuts N×WIDE×WIDE×3 that are not moved."""
    edge = (WIDE - SIDE) // 2
    return np.ascontiguousarray(pixels[:, edge : edge + SIDE, edge : edge + SIDE])


def batch(visits: list[tuple[Pixels, bool, Numbers]]) -> dict[str, Tensor]:
    """N visits as tensors: pixels N×S×S×3 uint8, face N, boxes N×4, landmarks N×10."""
    points = np.stack([each[2] for each in visits]).astype(np.float32)
    return {
        "pixels": torch.from_numpy(np.stack([each[0] for each in visits])),
        "face": torch.tensor([float(each[1]) for each in visits]),
        "boxes": torch.from_numpy(points[:, :2].reshape(-1, 4)),
        "landmarks": torch.from_numpy(points[:, 2:].reshape(-1, 10)),
    }
