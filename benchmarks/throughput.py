"""Images per second and peak memory of ``facegauge score``, as whole processes.

    python benchmarks/throughput.py --images DATA/celeba_crops --landmarks DATA/celeba_crops.csv

Scores 1,000 and then all pictures of a folder, as loose crops and aligned by landmarks, each in a
fresh process, and prints a table. Peak memory is what the kernel counted for the process (maximum
resident set size). Figures of one run on one machine: compare the lines, not the numbers with other
machines.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from facegauge.score_table import read_scores
from processes import FACEGAUGE, linked, spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took."""

    images: int
    seconds: float
    megabytes: float


def main() -> None:
    """Print the table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--landmarks", type=Path, required=True)
    parser.add_argument("--few", type=int, default=1000)
    options = parser.parse_args()
    print("| input | images | seconds | images/s | peak memory MB |\n|---|---|---|---|---|")
    crop = ["--input", "crop"]
    kinds = {"crop": crop, "crop, landmarks": [*crop, "--landmarks", str(options.landmarks)]}
    with tempfile.TemporaryDirectory() as folder:
        few = linked(sorted(options.images.iterdir())[: options.few], Path(folder) / "few")
        for kind, flags in kinds.items():
            for images in (few, options.images):
                cost = measured(images, flags, Path(folder) / f"{kind}-{images.name}.csv")
                rate = cost.images / cost.seconds
                print(
                    f"| {kind} | {cost.images} | {cost.seconds:.1f} | {rate:.0f} | "
                    f"{cost.megabytes:.0f} |",
                    flush=True,
                )


def measured(images: Path, flags: list[str], out: Path) -> Cost:
    """Score a folder in a process of its own."""
    words = [*FACEGAUGE, "score", str(images), "--out", str(out), *flags]
    cost = spent(words, what="facegauge score")
    rows = sum(1 for _ in read_scores(out))
    return Cost(images=rows, seconds=cost.clock, megabytes=cost.megabytes)


if __name__ == "__main__":
    main()
