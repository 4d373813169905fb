"""Which training a recipe asks for."""

from __future__ import annotations

from pathlib import Path

from facegauge.train import detector, first
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_first import First
from facegauge.train.runs import Run


def train(
    chosen: Recipe,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
) -> Run:
    """Run a recipe from data to weights, or go on where it stopped; see the recipe's own room.

    Raises:
        TrainingError: data or run folder are not usable.
    """
    if isinstance(chosen, Detector):
        return detector.train(chosen, data, out, resume=resume, workers=workers, device=device)
    if isinstance(chosen, First):
        return first.train(chosen, data, out, resume=resume, workers=workers, device=device)
    raise TypeError(f"No training is known for {type(chosen).__name__}.")
