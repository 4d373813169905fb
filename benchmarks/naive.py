"""``facegauge score`` beside the loop one would write first: one picture at a time, whole.

    python benchmarks/naive.py --photos DATA/celeba_photos --crops DATA/celeba_crops [--large 100]

The naive loop takes the same model and detector through the public functions, or ONNX Runtime, with
nothing said about threads: Pillow opens a picture and decodes all of it, the detector looks at the
array, the crop goes through the network alone, and the row is written and flushed before the next
picture. Both give the same scores (the largest difference is printed): what differs is the road.

Three kinds of pictures: photographs as they are, the same enlarged to ``--megapixels`` (as cameras
and telephones make them; JPEG, quality 90), and aligned crops. Each road runs in a process of its
own, in turns, ``--turns`` times; start-up, measured on one picture, is taken off and the best turn
counts. Figures of one run on one machine: compare the lines, not the numbers with other machines.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from facegauge import Scorer
from facegauge.score_table import read_scores
from facegauge.walk import find_images
from processes import FACEGAUGE, Spent, linked, spent

NAIVE = "import sys; sys.path.insert(0, sys.argv[1]); import naive; naive.loop(*sys.argv[2:])"


def loop(folder: str, kind: str, out: str) -> None:
    """The naive loop."""
    scorer = Scorer(input=kind)
    with Path(out).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "outcome", "score"])
        for path in sorted(Path(folder).iterdir()):
            pixels = np.asarray(Image.open(path).convert("RGB"))
            [face] = scorer.assess(pixels)
            writer.writerow([path.name, face.outcome, face.score])
            file.flush()


def main() -> None:
    """Print the table in markdown."""
    options = _options()
    print(
        "| pictures | | road | ms a picture | of processors | images/s | peak MB | times naive |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        room = Path(work)
        for name, kind, folder in _sets(options, room):
            compared(name, kind, folder, options.turns, room)


def compared(name: str, kind: str, folder: Path, turns: int, room: Path) -> None:
    """Both roads over one folder, in turns: two lines of the table, and how scores differ."""
    one = linked(sorted(folder.iterdir())[:1], room / f"{name}-one")
    best: dict[str, Spent] = {}
    for turn in range(turns):
        for road in ("naive", "facegauge score"):
            outs = [room / f"{name}-{road[:5]}-{turn}-{part}.csv" for part in ("one", "all")]
            start, whole = (
                _run(road, each, kind, out) for each, out in zip((one, folder), outs, strict=True)
            )
            cost = Spent(
                clock=whole.clock - start.clock,
                processor=whole.processor - start.processor,
                megabytes=whole.megabytes,
            )
            if road not in best or cost.clock < best[road].clock:
                best[road] = cost
    count = sum(1 for _ in find_images([folder]))
    for road, cost in best.items():
        gain = best["naive"].clock / cost.clock
        print(
            f"| {name} | {count} | {road} | {1e3 * cost.clock / count:.2f} | "
            f"{1e3 * cost.processor / count:.2f} | {count / cost.clock:.1f} | "
            f"{cost.megabytes:.0f} | {gain:.2f} |",
            flush=True,
        )
    tables = [room / f"{name}-{road}-0-all.csv" for road in ("naive", "faceg")]
    print(f"\n{name}: scores differ by {_difference(*tables)}\n", file=sys.stderr)


def enlarged(paths: list[Path], folder: Path, megapixels: float) -> Path:
    """The photographs with so many pixels, as JPEG."""
    folder.mkdir()
    for path in paths:
        with Image.open(path) as image:
            factor = (megapixels * 1e6 / image.width / image.height) ** 0.5
            size = round(image.width * factor), round(image.height * factor)
            larger = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        larger.save(folder / f"{path.stem}.jpg", quality=90)
    return folder


def _sets(options: argparse.Namespace, room: Path) -> list[tuple[str, str, Path]]:
    photos = sorted(options.photos.iterdir())[: options.count]
    large = enlarged(photos[: options.large], room / "large", options.megapixels)
    crops = linked(sorted(options.crops.iterdir())[: options.count], room / "crops")
    return [
        ("photographs", "photo", linked(photos, room / "photos")),
        (f"photographs of {options.megapixels:g} megapixels", "photo", large),
        ("aligned crops", "aligned", crops),
    ]


def _run(road: str, folder: Path, kind: str, out: Path) -> Spent:
    if road == "naive":
        words = ["-c", NAIVE, str(Path(__file__).parent), str(folder), kind, str(out)]
    else:
        words = [*FACEGAUGE, "score", str(folder), "--input", kind, "--out", str(out)]
    return spent(words, what=road)


def _difference(naive: Path, ours: Path) -> str:
    """How far two tables are apart: outcomes, and score points."""
    found = {row.path: row for row in read_scores(ours)}
    with naive.open(newline="") as file:
        rows = list(csv.DictReader(file))
    other = [row["path"] for row in rows if row["outcome"] != found[row["path"]].outcome]
    apart = [
        abs(float(row["score"]) - found[row["path"]].score)
        for row in rows
        if row["score"] and found[row["path"]].score is not None
    ]
    middle, most = np.median(apart), max(apart)
    return f"{middle:.4f} in the median, {most:.3f} at most; {len(other)} other outcomes"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500, help="Pictures of each kind, at most.")
    parser.add_argument("--large", type=int, default=60, help="Photographs that are enlarged.")
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--work", type=Path, help="Where to work; default: the temporary folder.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
