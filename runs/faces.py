"""Find faces with a detector file: the tables that the recipe ``detector`` learns from.

    python runs/faces.py --images DATA/photos --detector scrfd.onnx --out TRAIN/photos.csv \
        --reference DATA/photos.csv

The table has one row per face (path, split, confidence, box, five landmarks). ``--reference`` takes
a table of the same columns with what another look of the same detector found: a face that both
found is a sure one and gets the mean of both boxes and landmarks; one that only this look found is
doubtful (confidence 0.4 at most), unless ``--largest`` says that the reference never had more than
a picture's largest face; one that only the reference has is kept as it is. Pictures whose
split is ``test``, and pictures that the reference does not have, are not even opened.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegauge import detection, images
from facegauge.evaluate.detection import iou
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Box, Face, Landmarks

BOX = ("x0", "y0", "x1", "y1")
COLUMNS = ("path", "split", "confidence", *BOX, *LANDMARK_COLUMNS[1:])
DOUBTFUL = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the reference says of one picture."""

    split: str
    faces: list[Face]


def main() -> None:
    """Write the table and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--detector", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--largest", action="store_true")
    parser.add_argument("--confidence", type=float, default=0.3)
    options = parser.parse_args()
    detector = detection.open(options.detector, confidence=options.confidence, threads=None)
    paths = sorted(options.images.glob("*.jpg"))
    reference = read_reference(options.reference) if options.reference else None
    if reference is not None:
        paths = [path for path in paths if path.name in reference]
    count = 0
    with options.out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for path in paths:
            known = None if reference is None else reference[path.name]
            faces = detector.find(images.read(path).pixels, "largest")
            faces = faces if known is None else joined(faces, known.faces, options.largest)
            count += len(faces)
            split = "" if known is None else known.split
            writer.writerows(row(path.name, split, face) for face in faces)
    print(f"{count} faces in {len(paths)} pictures: {options.out}")


def read_reference(table: Path) -> dict[str, Known]:
    """What a table says of each picture that is not for testing."""
    known: dict[str, Known] = {}
    with table.open(newline="") as file:
        for line in csv.DictReader(file):
            if line["split"] != "test":
                entry = known.setdefault(line["path"], Known(split=line["split"], faces=[]))
                entry.faces.append(_face(line))
    return known


def joined(found: list[Face], reference: list[Face], largest: bool = False) -> list[Face]:
    """Faces of two looks: seen by both sure and averaged, seen now only doubtful.

    ``largest``: the reference holds one face a picture, so that of the others nothing is known.
    """
    faces, rest = [], list(reference)
    for face in found:
        same = max(rest, key=lambda other: iou(face.box, other.box), default=None)
        if same is not None and iou(face.box, same.box) >= 0.5:
            rest.remove(same)
            faces.append(_mean(face, same))
        else:
            confidence = face.confidence if largest else min(face.confidence, DOUBTFUL)
            faces.append(Face(box=face.box, landmarks=face.landmarks, confidence=confidence))
    return faces + rest


def row(path: str, split: str, face: Face) -> list[str]:
    """One face as a row of the table."""
    numbers = [*_corners(face), *face.landmarks.array().ravel()]
    return [path, split, f"{face.confidence:.3f}", *(f"{value:.2f}" for value in numbers)]


def _mean(first: Face, second: Face) -> Face:
    corners = np.mean([_corners(first), _corners(second)], axis=0).tolist()
    points = (first.landmarks.array() + second.landmarks.array()) / 2
    return Face(
        box=Box(**dict(zip(BOX, corners, strict=True))),
        landmarks=Landmarks.from_array(points),
        confidence=second.confidence,
    )


def _corners(face: Face) -> list[float]:
    return [face.box.x0, face.box.y0, face.box.x1, face.box.y1]


def _face(line: dict[str, str]) -> Face:
    return Face(
        box=Box(**{key: float(line[key]) for key in BOX}),
        landmarks=Landmarks.from_array([float(line[key]) for key in LANDMARK_COLUMNS[1:]]),
        confidence=float(line.get("confidence") or line["detector_confidence"]),
    )


if __name__ == "__main__":
    main()
