"""Which crop a run sees when: faces and views in an order that follows from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader, Dataset, Sampler

from facegauge.train.course import one_thread
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_first import First
from facegauge.train.targets import Targets
from facegauge.train.views import Views


class Crops(Dataset):
    """Crop number n of the run: which face and view, and what the student must answer."""

    def __init__(self, chosen: First, views: Views, targets: Targets) -> None:
        self.chosen, self.views, self.targets = chosen, views, targets
        self.training = np.flatnonzero(~views.faces.validation)

    def __getitem__(self, visit: int) -> dict[str, Any]:
        face, view = self._drawn(visit)
        targets = {f"embedding{i}": e[face] for i, e in enumerate(self.targets.embeddings)}
        return {
            "pixels": np.ascontiguousarray(self.views.visited(face, view, visit)),
            "labels": self.targets.labels[face, view],
            **targets,
        }

    def _drawn(self, visit: int) -> tuple[int, int]:
        """Face and view: the clean view as often as all degraded ones of a face together.

        Each turn over all of them has its own order, which follows from the seed.
        """
        degraded = self.chosen.views - 1
        slots = max(1, 2 * degraded)
        turn, place = divmod(visit, len(self.training) * slots)
        drawn = order(self.chosen.seed, turn, len(self.training) * slots)[place]
        slot = int(drawn % slots)
        view = slot - degraded + 1 if degraded and slot >= degraded else 0
        return int(self.training[drawn // slots]), view


@lru_cache(maxsize=1)
def order(seed: int, turn: int, count: int) -> npt.NDArray[np.int64]:
    """The order in which turn number ``turn`` goes over ``count`` things, once each."""
    return np.random.default_rng((seed, 3, turn)).permutation(count)


class _Leg(Sampler):
    """The visits of one leg, in order; of each batch the part of one of several devices.

    Which visits a step sees does not depend on how many devices share it.
    """

    def __init__(self, start: int, count: int, batch: int, rank: int, devices: int) -> None:
        self.start, self.count, self.batch = start, count, batch
        self.rank, self.devices = rank, devices

    def __iter__(self) -> Iterator[int]:
        part = self.batch // self.devices
        for begin in range(self.start, self.start + self.count, self.batch):
            yield from range(begin + self.rank * part, begin + (self.rank + 1) * part)

    def __len__(self) -> int:
        return self.count // self.devices


class Legs(lightning.LightningDataModule):
    """Hands each leg its own visits of anything that knows what visit number n sees."""

    def __init__(self, chosen: Recipe, crops: Dataset, workers: int) -> None:
        super().__init__()
        self.chosen, self.crops, self.workers = chosen, crops, workers

    def train_dataloader(self) -> DataLoader:
        """What the leg that is about to be run sees."""
        batch, count = self.chosen.batch, self.chosen.steps * self.chosen.batch
        leg = 0 if self.trainer is None else self.trainer.current_epoch
        rank, devices = 0, 1
        if self.trainer is not None:
            rank, devices = self.trainer.global_rank, self.trainer.world_size
        return DataLoader(
            self.crops,
            batch_size=batch // devices,
            sampler=_Leg(leg * count, count, batch, rank, devices),
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=one_thread,
        )


class Visits(Legs):
    """Hands each leg of the recipe ``first`` its own crops."""

    def __init__(self, chosen: First, views: Views, targets: Targets, workers: int) -> None:
        super().__init__(chosen, Crops(chosen, views, targets), workers)
