"""Drawn photographs with one or two faces, and a toy detector: enough to train on in seconds.

    data = make_photographs(tmp_path / "data")
    detector.train(toy_recipe(), data, tmp_path / "run")

``street.csv`` says which pictures are for training, validation and test, and has two faces a
picture; the pictures of the test rows do not exist. ``yard.csv`` has one face a picture, how sure
it is, and no split. ``empty/`` shows no faces.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import default_rng

from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.photographs import BOX_COLUMNS, Photograph
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_judge import Judge
from facegauge.train.recipes import changed
from toy_faces import drawn, write_table

TRAINING, VALIDATION, TEST = 6, 3, 2
"""Pictures of the street by split."""
YARD, EMPTY = 20, 2
_SMALL = (
    "widths=4,4,8,8,8",
    "depths=1,1,1",
    "neck=8",
    "size=64",
    "wide=128",
    "long_side=128",
    "every=2",
    "batch=4",
    "legs=2",
    "steps=2",
)


def toy_recipe(*changes: str) -> Detector:
    """The recipe ``detector``, so small that two legs of two steps take a second."""
    return changed(Detector(), (*_SMALL, *changes))


def toy_judge(*changes: str) -> Judge:
    """The recipe ``judge`` of the embedded detector, as small."""
    small = (
        "widths=4,4,8,8",
        "depths=1,1",
        "gathered=8",
        "hidden=8",
        "scenes=6",
        "tables=street,yard",
    )
    return changed(Judge(), (*small, "batch=4", "legs=2", "steps=2", *changes))


def make_photographs(folder: Path) -> Path:
    """A data folder with two tables, their pictures and a folder of pictures without faces."""
    folder.mkdir(parents=True)
    splits = ["train"] * TRAINING + ["validation"] * VALIDATION
    rows = [
        {**row, "split": split}
        for number, split in enumerate(splits)
        for row in shot(folder / "street", f"walker{number}", 2)
    ]
    rows += [dict(rows[0], path=f"tested_{number}.png", split="test") for number in range(TEST)]
    write_table(folder / "street.csv", rows)
    yard = [row for i in range(YARD) for row in shot(folder / "yard", f"neighbour{i}", 1)]
    write_table(folder / "yard.csv", [{**row, "confidence": 0.9} for row in yard])
    (folder / "empty").mkdir()
    for number in range(EMPTY):
        noise = default_rng(number).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "empty" / f"{number}.png"), noise)
    return folder


def shot(folder: Path, name: str, faces: int) -> list[dict[str, Any]]:
    """Draw one photograph, 160×112; the rows of its faces in a table."""
    folder.mkdir(exist_ok=True)
    pixels = np.full((112, 160, 3), default_rng([*name.encode()]).uniform(0, 255, 3), np.uint8)
    rows = []
    for number, (left, top, side) in enumerate([(8, 8, 96), (108, 20, 48)][:faces]):
        face, points = drawn(name, number)
        scale = side / face.shape[0]
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        pixels[top : top + side, left : left + side] = small
        points = (points + 0.5) * scale - 0.5 + (left, top)
        numbers = np.round([*box_of(points), *points.ravel()], 2).tolist()
        columns = (*BOX_COLUMNS, *LANDMARK_COLUMNS[1:])
        rows.append({"path": f"{name}.png", **dict(zip(columns, numbers, strict=True))})
    cv2.imwrite(str(folder / f"{name}.png"), pixels[:, :, ::-1])
    return rows


def box_of(points: np.ndarray) -> np.ndarray:
    """The box of a drawn face: its skin, which reaches two half eye distances to either side."""
    half = np.linalg.norm(points[1] - points[0]) / 2
    middle, reach = points[:2].mean(axis=0) + (0, 0.9 * half), half * np.array((2.0, 2.5))
    return np.concatenate([middle - reach, middle + reach])


def photograph(
    boxes: Any = (),
    landmarks: Any = (),
    sure: Any = None,
    *,
    name: str = "a",
    table: str = "t",
    confidence: Any = None,
) -> Photograph:
    """A photograph with these faces, all of them sure unless told; its file need not exist."""
    boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return Photograph(
        path=Path(table, name),
        table=table,
        validation=False,
        boxes=boxes,
        landmarks=np.array(landmarks, dtype=np.float64).reshape(-1, 5, 2),
        confidence=np.array([1.0] * len(boxes) if confidence is None else confidence, dtype=float),
        sure=np.ones(len(boxes), dtype=bool) if sure is None else np.array(sure, dtype=bool),
    )
