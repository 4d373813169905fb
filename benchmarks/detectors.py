"""Our detector beside YuNet and SCRFD: faces found, time, and how far the score moves.

    python benchmarks/detectors.py --data DATA [--detectors detector DATA/detectors/*.onnx]

DATA holds ``celeba_photos/`` and ``celeba_photos.csv``, whose reference faces come from SCRFD. Only
photographs of the split ``test`` are used (``--split train`` to look at others). Reference faces
need to be found from 16 pixels between the eyes on; false faces are detections without a reference
face at IoU 0.5. The time is that of one thread for one 640×480 photograph in memory: everything
that ``Detector.find`` does, and the network alone. The score is that of the default model (or of
each of ``--models``) on the largest face, where both detectors found the same one. Last, pictures
without faces.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from facegauge import Scorer, detection, images, models
from facegauge.detection import Detector
from facegauge.evaluate.detection import SMALLEST, compare, iou, summarise
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Box, Face, Landmarks, Pixels

ROUNDS = 30
"""How often a photograph is looked at for the time; the median counts."""
SAME = 0.4
"""IoU from which two detectors mean the same face."""
SILENT = ("chelsea", "coffee", "coins", "page", "rocket", "text")
"""scikit-image's pictures without faces that no training has seen (see runs/backgrounds.py)."""


def main() -> None:
    """Print the tables in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--detectors", nargs="*", default=[])
    parser.add_argument("--split", default="test")
    parser.add_argument("--confidence", type=float, help="Threshold of the first detector.")
    parser.add_argument("--models", nargs="*", default=[models.DEFAULT], help="For the scores.")
    parser.add_argument("--scores", action="store_true", help="Print the scores alone.")
    options = parser.parse_args()
    published = sorted(map(str, (options.data / "detectors").glob("*.onnx")))
    names = options.detectors or [detection.DEFAULT, *published]
    detectors = [
        detection.open(name, confidence=None if place else options.confidence)
        for place, name in enumerate(names)
    ]
    reference = read_reference(options.data / "celeba_photos.csv", options.split)
    photographs = {path: images.read(options.data / "celeba_photos" / path) for path in reference}
    pixels = {path: picture.pixels for path, picture in photographs.items()}
    if not options.scores:
        print_quality(detectors, pixels, reference)
        print_times(detectors, list(pixels.values()))
    print_scores(detectors, pixels, options.models)
    if not options.scores:
        print_silence(detectors)


def read_reference(table: Path, split: str) -> dict[str, list[Face]]:
    """The reference faces of each photograph of a split."""
    faces: dict[str, list[Face]] = {}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                faces.setdefault(row["path"], []).append(_face(row))
    return faces


def print_quality(
    detectors: list[Detector], pixels: dict[str, Pixels], reference: dict[str, list[Face]]
) -> None:
    """Recall, false faces and landmark error."""
    wanted = sum(f.landmarks.inter_eye_distance >= SMALLEST for r in reference.values() for f in r)
    print(f"{len(reference)} photographs, {wanted} faces with {SMALLEST:.0f} px between the eyes\n")
    print("| detector | recall | false faces a photograph | of any size | landmark error | p95 |")
    print("|---|---|---|---|---|---|")
    for detector in detectors:
        compared = [compare(detector.find(pixels[path]), reference[path]) for path in reference]
        found = summarise(compared)
        print(
            f"| {detector.name} | {found.recall:.3f} | {found.false:.3f} | {found.false_any:.3f} | "
            f"{found.landmark_median:.3f} | {found.landmark_p95:.3f} |",
            flush=True,
        )


def print_times(detectors: list[Detector], pixels: list[Pixels]) -> None:
    """Milliseconds a 640×480 photograph on one thread, turn by turn, and ratios to the first."""
    cv2.setNumThreads(1)
    photo = np.ascontiguousarray(cv2.resize(pixels[0], (640, 480), interpolation=cv2.INTER_AREA))
    finds = [lambda each=each: each.find(photo) for each in detectors]
    looks = [lambda each=each: each.network.look(photo) for each in detectors]
    whole, network = medians(finds), medians(looks)
    print("\n| detector | ms a 640×480 photograph | network alone | ratio to the first |")
    print("|---|---|---|---|")
    for place, detector in enumerate(detectors):
        print(
            f"| {detector.name} | {whole[place]:.1f} | {network[place]:.1f} | "
            f"{whole[place] / whole[0]:.2f} |"
        )


def medians(calls: list[Callable[[], object]]) -> list[float]:
    """Median milliseconds of each call; the calls take turns, so that noise meets all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS + 3):
        for place, call in enumerate(calls):
            start = time.perf_counter()
            call()
            times[place].append(1e3 * (time.perf_counter() - start))
    return [float(np.median(each[3:])) for each in times]


def print_scores(detectors: list[Detector], pixels: dict[str, Pixels], names: list[str]) -> None:
    """Mean absolute difference of each model's score between detectors."""
    print("\n| model | detectors | photographs | mean abs. difference | median | correlation |")
    print("|---|---|---|---|---|---|")
    largest = [
        {path: (detector.find(each, "largest") or [None])[0] for path, each in pixels.items()}
        for detector in detectors
    ]
    for scorer in map(Scorer, names):
        scores = [
            {path: _score(scorer, pixels[path], face) for path, face in found.items() if face}
            for found in largest
        ]
        for one, other in itertools.combinations(range(len(detectors)), 2):
            both = [
                (scores[one][path], scores[other][path])
                for path in pixels
                if _same(largest[one][path], largest[other][path])
            ]
            first, second = np.array([pair for pair in both if None not in pair], dtype=float).T
            apart = np.abs(first - second)
            print(
                f"| {scorer.name} | {detectors[one].name}, {detectors[other].name} | {apart.size} "
                f"| {apart.mean():.2f} | {np.median(apart):.2f} "
                f"| {np.corrcoef(first, second)[0, 1]:.3f} |"
            )


def print_silence(detectors: list[Detector]) -> None:
    """What is found in pictures without faces, and in the astronaut's portrait."""
    from skimage import data

    print("\n| picture | " + " | ".join(each.name for each in detectors) + " |")
    print("|---|" + "---|" * len(detectors))
    for name in ("astronaut", *SILENT):
        picture = getattr(data, name)()
        colours = picture if picture.ndim == 3 else picture[:, :, None].repeat(3, axis=2)
        colours = np.ascontiguousarray(colours[:, :, :3])
        counts = [", ".join(f"{f.confidence:.2f}" for f in d.find(colours)) for d in detectors]
        print(f"| {name} | " + " | ".join(count or "no face" for count in counts) + " |")


def _face(row: dict[str, str]) -> Face:
    corners = {key: float(row[key]) for key in ("x0", "y0", "x1", "y1")}
    points = [float(row[column]) for column in LANDMARK_COLUMNS[1:]]
    return Face(box=Box(**corners), landmarks=Landmarks.from_array(points))


def _score(scorer: Scorer, pixels: Pixels, face: Face) -> float | None:
    return scorer.assess(pixels, [face.landmarks])[0].score


def _same(first: Face | None, second: Face | None) -> bool:
    return first is not None and second is not None and iou(first.box, second.box) >= SAME


if __name__ == "__main__":
    main()
