"""Whole pictures with labels: who is learned from, who is held out, and how a visit sees one.

``DIR/NAME.csv`` (``path,label``) describes the pictures in ``DIR/NAME/``. Rows whose split is
``test`` are never loaded. Without a column ``split`` a share of the people (of the sources, or of
the pictures, where nobody is named) is held out, drawn by the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import default_rng
from torch.utils.data import Dataset

from facegauge import framing, images
from facegauge.cards import Crop, View
from facegauge.errors import TrainingError
from facegauge.tables import LABEL_COLUMNS, same_path
from facegauge.train.data_tables import read_rows, split_of
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.visits import order
from facegauge.values import Pixels
from facegauge.walk import find_images

FEWEST = 50
"""Held-out pictures below which nothing can be fitted or calibrated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratings:
    """N pictures, their labels (float32 N, any unit), and which of them are held out."""

    paths: tuple[Path, ...]
    labels: npt.NDArray[np.float32]
    validation: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.paths)

    def learned(self) -> Ratings:
        """Those that are learned from."""
        return self._of(~self.validation)

    def held_out(self) -> Ratings:
        """Those that are kept for validation."""
        return self._of(self.validation)

    def joined(self, paths: Sequence[Path], labels: npt.NDArray[np.float32]) -> Ratings:
        """These and more pictures to learn from."""
        return Ratings(
            paths=(*self.paths, *paths),
            labels=np.concatenate([self.labels, labels.astype(np.float32)]),
            validation=np.concatenate([self.validation, np.zeros(len(paths), dtype=bool)]),
        )

    def _of(self, chosen: npt.NDArray[np.bool_]) -> Ratings:
        paths = tuple(path for path, here in zip(self.paths, chosen, strict=True) if here)
        return Ratings(paths=paths, labels=self.labels[chosen], validation=self.validation[chosen])


def read_ratings(data: Path, name: str, *, held_out: float, seed: int) -> Ratings:
    """The labelled pictures of a table; ``held_out`` and ``seed`` serve where it has no split.

    Raises:
        TrainingError: no such table or folder, a label that is no finite number, or too few
            pictures to learn from or to hold out, or labels that are all equal.
    """
    table, folder = _table(data, name), data / name.removesuffix(".csv")
    if not table.is_file() or not folder.is_dir():
        raise TrainingError(
            f"Expected labels in {table} beside their pictures in {folder}, found "
            f"{'no folder' if table.is_file() else 'no table'}. Make both with: facegauge label "
            f"full-reference --images CLEAN --out {table}"
        )
    rows = list(enumerate(read_rows(table, LABEL_COLUMNS)))
    kept = [(row, split) for at, row in rows if (split := split_of(row, at, table)) != "test"]
    ratings = Ratings(
        paths=tuple(folder / same_path(row["path"]) for row, _ in kept),
        labels=np.array([_label(row, table) for row, _ in kept], dtype=np.float32),
        validation=_validation(kept, held_out, seed),
    )
    _require(ratings, table)
    return ratings


def read_folder(data: Path, name: str) -> tuple[Path, ...]:
    """The pictures of a folder in the data folder; a table NAME.csv there may say their split.

    Raises:
        TrainingError: no such folder, or no picture in it.
    """
    folder, table = data / name.removesuffix(".csv"), _table(data, name)
    if name and table.is_file():
        rows = enumerate(read_rows(table, ("path",)))
        found = [row["path"] for at, row in rows if split_of(row, at, table) != "test"]
        paths = tuple(folder / same_path(path) for path in found)
    else:
        paths = tuple(found.path for found in find_images([folder])) if folder.is_dir() else ()
    if not name or not paths:
        raise TrainingError(
            f"Expected a folder of pictures {folder}, got "
            f"{'no picture in it' if name and folder.is_dir() else 'none'}. Correct data."
        )
    return paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How whole pictures are seen: the crop of the card, and what befalls it in training."""

    crop: Crop
    seed: int
    mirror: float = 0.0

    @classmethod
    def of(cls, chosen: Perceptual) -> Look:
        """As a recipe says."""
        crop = Crop(
            view=View.WHOLE,
            size=chosen.size,
            short_side=chosen.short_side or chosen.size,
            resampling=chosen.resampling,
        )
        return cls(crop=crop, seed=chosen.seed, mirror=chosen.mirror)

    def centre(self, path: Path) -> Pixels:
        """The centre of a picture, size×size×3: what the exported model is shown."""
        return framing.whole_view(images.read(path).pixels, self.crop)

    def visited(self, path: Path, visit: int) -> Pixels:
        """What visit number ``visit`` sees: a random part, perhaps mirrored."""
        rng = default_rng((self.seed, 1, visit))
        pixels = framing.reduced(images.read(path).pixels, self.crop)
        part = self._part(pixels, rng.random(2))
        return part[:, ::-1] if rng.random() < self.mirror else part

    def four(self, path: Path) -> Pixels:
        """Four looks at one picture, 4×size×size×3: centre, its mirror image, and both ends."""
        pixels = framing.reduced(images.read(path).pixels, self.crop)
        centre = self._part(pixels, np.array([0.5, 0.5]))
        ends = [self._part(pixels, np.array([end, end])) for end in (0.0, 1.0)]
        return np.stack([centre, centre[:, ::-1], *ends])

    def _part(self, pixels: Pixels, where: npt.NDArray[np.float64]) -> Pixels:
        """size×size of a picture, ``where`` (0..1 down and across) between its ends."""
        room = np.array(pixels.shape[:2]) - self.crop.size
        top, left = np.minimum(room, np.floor(where * (room + 1))).astype(int)
        return pixels[top : top + self.crop.size, left : left + self.crop.size]


class Rated(Dataset):
    """Rated picture number n of a run: pixels S×S×3 and its label."""

    def __init__(self, ratings: Ratings, look: Look) -> None:
        self.ratings, self.look = ratings, look

    def __getitem__(self, visit: int) -> dict[str, Any]:
        turn, place = divmod(visit, len(self.ratings))
        drawn = int(order(self.look.seed, turn, len(self.ratings))[place])
        crop = self.look.visited(self.ratings.paths[drawn], visit)
        return {"pixels": np.ascontiguousarray(crop), "labels": self.ratings.labels[drawn]}


def centres(paths: Sequence[Path], look: Look, size: int = 32) -> Iterator[Pixels]:
    """The centres of pictures, ``size`` at a time, N×S×S×3."""
    for start in range(0, len(paths), size):
        yield np.stack([look.centre(path) for path in paths[start : start + size]])


def _table(data: Path, name: str) -> Path:
    return data / f"{name.removesuffix('.csv')}.csv"


def _label(row: dict[str, str], table: Path) -> float:
    try:
        label = float(row["label"])
    except (TypeError, ValueError):
        label = math.nan
    if not math.isfinite(label):
        raise TrainingError(
            f"{table}: expected a finite label for {row['path']}, got {row['label']!r}."
        )
    return label


def _validation(
    kept: Sequence[tuple[dict[str, str], str]], share: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Who is held out: as the table says, or a share of people, sources or pictures."""
    if any(split for _, split in kept):
        return np.array([split == "validation" for _, split in kept], dtype=bool)
    owners = [row.get("identity") or row.get("source") or row["path"] for row, _ in kept]
    names = sorted(set(owners))
    drawn = default_rng((seed, 5)).permutation(len(names))[: round(share * len(names))]
    held = {names[at] for at in drawn}
    return np.array([owner in held for owner in owners], dtype=bool)


def _require(ratings: Ratings, table: Path) -> None:
    held, learned = ratings.held_out(), ratings.learned()
    same = [part for part in (held, learned) if not len(part) or np.ptp(part.labels) == 0]
    if len(held) < FEWEST or same:
        raise TrainingError(
            f"Expected pictures to learn from and {FEWEST} or more to hold out, of different "
            f"labels, got {len(learned)} and {len(held)} from {table}. Add rows, or a column split."
        )
