"""Find faces with a detector file: the tables that the recipe ``detector`` learns from.

    python runs/faces.py --images DATA/photos --detector scrfd.onnx --out TRAIN/photos.csv \
        --splits DATA/photos.csv

The table has one row per face (path, split, confidence, box, five landmarks). ``--splits`` takes a
table with the columns path and split: pictures whose split is ``test``, and pictures that are not
in it, are not even opened.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from facegauge import detection, images
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Face

COLUMNS = ("path", "split", "confidence", "x0", "y0", "x1", "y1", *LANDMARK_COLUMNS[1:])


def main() -> None:
    """Write the table and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--detector", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", type=Path)
    parser.add_argument("--confidence", type=float, default=0.3)
    options = parser.parse_args()
    detector = detection.open(options.detector, confidence=options.confidence, threads=None)
    splits = read_splits(options.splits) if options.splits else None
    paths = sorted(options.images.glob("*.jpg"))
    if splits is not None:
        paths = [path for path in paths if splits.get(path.name, "test") != "test"]
    count = 0
    with options.out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for path in paths:
            faces = detector.find(images.read(path).pixels, "largest")
            count += len(faces)
            split = splits[path.name] if splits else ""
            writer.writerows(row(path.name, split, face) for face in faces)
    print(f"{count} faces in {len(paths)} pictures: {options.out}")


def read_splits(table: Path) -> dict[str, str]:
    """The split of each path in a table."""
    with table.open(newline="") as file:
        return {line["path"]: line["split"] for line in csv.DictReader(file)}


def row(path: str, split: str, face: Face) -> list[str]:
    """One face as a row of the table."""
    box, points = face.box, face.landmarks
    if box is None or points is None or face.confidence is None:
        raise ValueError(f"{path}: expected a face with box, landmarks and confidence, got {face}")
    numbers = [box.x0, box.y0, box.x1, box.y1, *points.array().ravel()]
    return [path, split, f"{face.confidence:.3f}", *(f"{value:.2f}" for value in numbers)]


if __name__ == "__main__":
    main()
