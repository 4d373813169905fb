"""Photographs a second of ``facegauge score``, and where the time goes.

    python benchmarks/photographs.py --images DATA/celeba_photos

Scores a folder of photographs in a process of its own, default model and detector, and then takes
the road apart in one thread: decode, detect, align, score, a stage at a time on the same pictures.
Figures of one run on one machine: compare the lines, not the numbers with other machines.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facegauge import alignment, detection, images, models
from facegauge.walk import find_images
from throughput import measured

SAMPLE = 200
"""Photographs that are taken apart."""


def main() -> None:
    """Print both tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cost = measured(options.images, ["--input", "photo"], Path(folder) / "scores.csv")
    print("| photographs | seconds | photographs/s | peak memory MB |\n|---|---|---|---|")
    rate = cost.images / cost.seconds
    print(f"| {cost.images} | {cost.seconds:.1f} | {rate:.1f} | {cost.megabytes:.0f} |\n")
    print_stages([found.path for found in find_images([options.images])][:SAMPLE])


def print_stages(paths: list[Path]) -> None:
    """Milliseconds a photograph of each stage, one thread."""
    cv2.setNumThreads(1)
    detector, model = detection.open(), models.open(threads=1)
    size = model.card.crop.size
    stages: dict[str, float] = {}
    pictures = timed(stages, "decode", paths, lambda path: images.read(path).pixels)
    faces = timed(stages, "detect", pictures, lambda each: detector.find(each, "largest"))
    timed(stages, "of which network", pictures, lambda each: detector.network.look(_padded(each)))
    seen = [(p, found[0].landmarks) for p, found in zip(pictures, faces, strict=True) if found]
    crops = timed(stages, "align", seen, lambda each: alignment.align(*each, size))
    timed(stages, "score", crops, lambda crop: model.predict(crop[None]))
    total = sum(cost for stage, cost in stages.items() if not stage.startswith("of which"))
    print("| stage | ms a photograph, one thread | share |\n|---|---|---|")
    for stage, cost in stages.items():
        print(f"| {stage} | {1e3 * cost / len(paths):.2f} | {cost / total:.0%} |")
    print(f"| all | {1e3 * total / len(paths):.2f} | 100% |")


def timed(
    stages: dict[str, float], stage: str, items: list[Any], call: Callable[[Any], Any]
) -> list[Any]:
    """The answers to all items; the seconds they took go into ``stages``."""
    start = time.perf_counter()
    answers = [call(item) for item in items]
    stages[stage] = time.perf_counter() - start
    return answers


def _padded(pixels: np.ndarray) -> np.ndarray:
    """A picture with sides that are multiples of 32, as the network is shown it."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % 32), (0, -width % 32), (0, 0)))


if __name__ == "__main__":
    main()
