"""Which scenes a detector sees when: every step's batch follows from the seed and its number."""

from __future__ import annotations

from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from facegauge.train.course import one_thread
from facegauge.train.recipe_detector import Detector
from facegauge.train.scenes import Scene, Studio


class Steps(Dataset):
    """Batch number n of the run: scenes of one size, most small and some wide."""

    def __init__(self, chosen: Detector, studio: Studio, start: int) -> None:
        self.chosen, self.studio, self.start = chosen, studio, start

    def __len__(self) -> int:
        return self.chosen.steps

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        if place >= len(self):
            raise IndexError(place)
        number = self.start + place
        wide = number % self.chosen.every == self.chosen.every - 1
        side = self.chosen.wide if wide else self.chosen.size
        count = max(1, round(self.chosen.batch * (self.chosen.size / side) ** 2))
        rng = np.random.default_rng((self.chosen.seed, 7, number))
        return joined([self.studio.scene(side, rng) for _ in range(count)])


class Scenes(lightning.LightningDataModule):
    """Hands each leg its own steps."""

    def __init__(self, chosen: Detector, studio: Studio, workers: int) -> None:
        super().__init__()
        self.chosen, self.studio, self.workers = chosen, studio, workers

    def train_dataloader(self) -> DataLoader:
        """The batches of the leg that is about to be run."""
        leg = 0 if self.trainer is None else self.trainer.current_epoch
        return DataLoader(
            Steps(self.chosen, self.studio, leg * self.chosen.steps),
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=one_thread,
        )


def joined(scenes: list[Scene]) -> dict[str, Tensor]:
    """N scenes as tensors: pixels N×S×S×3 uint8, faces padded to G a scene.

    ``faces`` and ``doubtful`` N×G say which rows of ``boxes`` N×G×4 and ``landmarks`` N×G×10 are to
    be found, and which are left open; the others are padding.
    """
    most = max(1, *(len(scene.boxes) for scene in scenes))
    batch: dict[str, Any] = {
        "boxes": np.zeros((len(scenes), most, 4), dtype=np.float32),
        "landmarks": np.zeros((len(scenes), most, 10), dtype=np.float32),
        "faces": np.zeros((len(scenes), most), dtype=bool),
        "doubtful": np.zeros((len(scenes), most), dtype=bool),
    }
    for row, scene in enumerate(scenes):
        count = len(scene.boxes)
        batch["boxes"][row, :count] = scene.boxes
        batch["landmarks"][row, :count] = scene.landmarks.reshape(count, 10)
        batch["faces"][row, :count] = scene.sure
        batch["doubtful"][row, :count] = ~scene.sure
    batch["pixels"] = np.stack([scene.pixels for scene in scenes])
    return {key: torch.from_numpy(values) for key, values in batch.items()}
