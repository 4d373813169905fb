"""Drawn faces with labels that say how blurred they are: enough for every stage in seconds.

    data = make_ratings(tmp_path / "data")
    efficient_fiqa.train(toy_journey(), data, tmp_path / "run", workers=0)

``labels.csv`` has pictures for training, validation and test; those of the test rows do not exist.
``a`` and ``b`` are folders without labels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facegauge.train.recipe_efficient import EfficientFiqa
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.recipes import recipe
from toy_faces import drawn, write_table

TRAINING, VALIDATION, TEST, UNLABELLED = 40, 60, 3, 54
SIZE = 24
_SMALL = ("batch=8", "legs=2", "steps=2", "precision=32-true", "head_width=8", "learning_rate=0.01")
_JOURNEY = (
    *("teacher.network=toy", f"teacher.size={SIZE}", "teacher.short_side=28"),
    *("student.network=toy", f"student.size={SIZE}", "plus_legs=2"),
    *("unlabelled_a=a", "unlabelled_b=b"),
)


def toy_recipe(*changes: str) -> Perceptual:
    """The recipe ``perceptual``, so small that two legs of two steps take a second."""
    found = recipe("perceptual", (*_SMALL, "network=toy", f"size={SIZE}", *changes))
    assert isinstance(found, Perceptual)
    return found


def toy_journey(*changes: str, name: str = "efficient-fiqa-small") -> EfficientFiqa:
    """A journey of toy networks."""
    found = recipe(name, (*_SMALL, *_JOURNEY, *changes))
    assert isinstance(found, EfficientFiqa)
    return found


def make_ratings(folder: Path) -> Path:
    """A data folder with labelled and unlabelled pictures."""
    splits = ["train"] * TRAINING + ["validation"] * VALIDATION + ["test"] * TEST
    rows = [_row(folder / "labels", number, split) for number, split in enumerate(splits)]
    write_table(folder / "labels.csv", rows)
    for at, name in enumerate("ab"):
        for number in range(UNLABELLED):
            _picture(folder / name, 1000 * (at + 1) + number)
    return folder


def _row(folder: Path, number: int, split: str) -> dict[str, Any]:
    name, label = _picture(folder, number, exists=split != "test")
    return {"path": name, "label": label, "split": split, "source": f"face{number // 2}"}


def _picture(folder: Path, number: int, exists: bool = True) -> tuple[str, float]:
    """Draw a picture: its name, and a label that falls with blur and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    sigma, noise = rng.uniform(0.3, 6.0), rng.uniform(0, 30)
    pixels = cv2.GaussianBlur(drawn(f"rated{number % 7}", number)[0], (0, 0), sigma)
    pixels = np.clip(pixels + rng.normal(0, noise, pixels.shape), 0, 255).astype(np.uint8)
    if exists:
        cv2.imwrite(str(folder / f"{number}.png"), pixels[:, :84, ::-1])
    return f"{number}.png", round(1 - sigma / 8 - noise / 120, 4)
