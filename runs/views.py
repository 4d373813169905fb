"""More faces than there are: degraded ones, and mixtures of two, as a table to label and train on.

    python runs/views.py --data WORK/data --tables celeba_crops utkface --name views --count 30000

DATA holds tables of landmarks beside folders of pictures (see docs/learn/train.md). The faces of
the named tables that are to be learned from (those of the splits test and validation are not
opened) are aligned with a margin, so that their landmarks may still be moved, and

* a quarter are degraded (train.degradation),
* three quarters are mixtures of two faces, either blended or side by side with a soft edge; half of
  these are degraded as well. A recogniser looks at them as at faces it does not know.

DATA/NAME/ receives the pictures, DATA/NAME.csv their landmarks, which are the template's, and the
split ``train``. What is drawn follows from the number of a picture alone: a stopped run goes on.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from PIL import Image

from facegauge import alignment, images
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.degradation import degrade
from facegauge.values import Landmarks, Pixels

MARGIN = 16
"""Pixels around the aligned crop of 112."""
SIDE = alignment.TEMPLATE_SIZE + 2 * MARGIN
QUALITY = 97
"""Of the JPEG files: finer than what any recogniser notices."""
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture and where its face is."""

    path: Path
    points: Landmarks

    def framed(self) -> Pixels:
        """The face aligned with its margin."""
        target = alignment.template() + MARGIN
        similarity = alignment.fit_similarity(self.points.array(), target)
        return alignment.warp(images.read(self.path).pixels, similarity, SIDE)


def main() -> None:
    """Write pictures and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument("--name", default="views")
    parser.add_argument("--count", type=int, default=30000)
    options = parser.parse_args()
    sources = [each for table in options.tables for each in read(options.data, table)]
    folder = options.data / options.name
    folder.mkdir(exist_ok=True)
    for number in range(options.count):
        path = folder / f"{number:06d}.jpg"
        if not path.is_file():
            draft = path.with_suffix(".draft")
            Image.fromarray(drawn(sources, number)).save(
                draft, format="JPEG", quality=QUALITY, subsampling=0
            )
            draft.replace(path)
    write(options.data / f"{options.name}.csv", options.count)
    print(f"{options.count} pictures of {len(sources)} faces in {folder}")


def read(data: Path, table: str) -> list[Source]:
    """The faces of a table that may be learned from."""
    with (data / f"{table}.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("split") in ("train", "", None)]
    return [
        Source(
            path=data / table / row["path"],
            points=Landmarks.from_array([float(row[each]) for each in LANDMARK_COLUMNS[1:]]),
        )
        for row in rows
    ]


def drawn(sources: list[Source], number: int) -> Pixels:
    """Picture number n: uint8 RGB SIDE×SIDE×3."""
    rng = default_rng((SEED, number))
    first, second = (sources[int(at)] for at in rng.integers(len(sources), size=2))
    if rng.random() < 0.25:
        return degrade(first.framed(), rng)
    mixed = mixture(first.framed(), second.framed(), rng)
    return degrade(mixed, rng) if rng.random() < 0.5 else mixed


def mixture(first: Pixels, second: Pixels, rng: Generator) -> Pixels:
    """Two faces in one, 30 to 70 % of the first; in three of ten cases side by side."""
    if rng.random() < 0.5:
        second = second[:, ::-1]
    share: float | np.ndarray = rng.uniform(0.3, 0.7)
    if rng.random() < 0.3:
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-25, 25)
        down, across = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
        away = across * np.cos(angle) + down * np.sin(angle) + place
        share = (1 / (1 + np.exp(-away / 6)))[..., None]
    return np.rint(share * first + (1 - share) * second).astype(np.uint8)


def write(path: Path, count: int) -> None:
    """The table: every face lies where the template has it."""
    points = (alignment.template() + MARGIN).ravel().tolist()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*LANDMARK_COLUMNS, "split"))
        writer.writerows((f"{number:06d}.jpg", *points, "train") for number in range(count))


if __name__ == "__main__":
    main()
