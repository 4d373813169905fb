"""Does a score depend on batch size, number of threads or order? The largest difference found.

    python benchmarks/consistency.py --images DATA/celeba_crops --landmarks DATA/celeba_crops.csv

Every picture is prepared once; then the same crops go through the model in batches of different
sizes, with one and two threads, and in reverse order. Differences are in score points against the
first line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import Scorer, models, read_landmarks
from facegauge.values import Pixels
from facegauge.walk import find_images

CASES = ((32, 2, False), (1, 1, False), (7, 1, False), (32, 1, True), (7, 2, True), (257, 2, False))
"""Batch size, threads, reversed."""


def main() -> None:
    """Print a line per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--landmarks", type=Path, required=True)
    parser.add_argument("--model", default="utility")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    scorer, table = Scorer(options.model), read_landmarks(options.landmarks)
    found = [each for each, _ in zip(find_images([options.images]), range(options.count))]  # noqa: B905
    prepared = [scorer.prepare(each.path, table.of(each.name))[0].crop for each in found]
    crops = np.stack([crop for crop in prepared if crop is not None])
    first = scores(options.model, crops, *CASES[0])
    for case in CASES:
        difference = np.abs(scores(options.model, crops, *case) - first).max()
        print(
            f"{len(crops)} crops, batch {case[0]:3}, threads {case[1]}, reversed {case[2]!s:5}: "
            f"largest difference {difference:.2e} score points",
            flush=True,
        )


def scores(
    name: str, crops: Pixels, batch: int, threads: int, backwards: bool
) -> npt.NDArray[np.float32]:
    """Scores in the order of the crops."""
    model = models.open(name, threads=threads)
    ordered = crops[::-1] if backwards else crops
    parts = [model.predict(ordered[i : i + batch]).score for i in range(0, len(ordered), batch)]
    found = np.concatenate(parts)
    return found[::-1] if backwards else found


if __name__ == "__main__":
    main()
