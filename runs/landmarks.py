"""Find five landmarks in pictures of single faces with a YuNet ONNX file: a landmark table.

The unlabelled faces of UTKFace come without landmarks. Until facegauge has its own detector, this
script fills the gap with OpenCV's FaceDetectorYN:

    python runs/landmarks.py --images data/utkface --detector yunet.onnx --out utkface.csv

A picture without a face, or with more than one, is left out; how many is printed at the end.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facegauge import images
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Pixels

LANDMARKS = slice(4, 14)
"""Where the five points stand in a row of FaceDetectorYN, already left to right in the picture."""


def main() -> None:
    """Write the table and say how many pictures were left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--confidence", type=float, default=0.7)
    options = parser.parse_args()
    detector = cv2.FaceDetectorYN.create(str(options.detector), "", (320, 320), options.confidence)
    paths = sorted(options.images.glob("*.jpg"))
    with options.out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(LANDMARK_COLUMNS)
        found = [write_row(writer, path, detector) for path in paths]
    print(f"{sum(found)} of {len(paths)} pictures have exactly one face: {options.out}")


def write_row(writer: Any, path: Path, detector: cv2.FaceDetectorYN) -> bool:
    """Write the row of one picture; False when it has no face or several."""
    faces = detect(images.read(path).pixels, detector)
    if len(faces) != 1:
        return False
    writer.writerow([path.name, *(f"{value:.2f}" for value in faces[0])])
    return True


def detect(pixels: Pixels, detector: cv2.FaceDetectorYN) -> npt.NDArray[np.float64]:
    """Landmarks of all faces in an RGB picture, N×10 in pixels."""
    detector.setInputSize((pixels.shape[1], pixels.shape[0]))
    _, faces = detector.detect(np.ascontiguousarray(pixels[:, :, ::-1]))
    return np.empty((0, 10)) if faces is None else faces[:, LANDMARKS].astype(np.float64)


if __name__ == "__main__":
    main()
