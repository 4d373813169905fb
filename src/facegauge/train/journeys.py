"""Which training a recipe asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facegauge.train import detector, diffusion, embedding, first, judge, regression
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.recipe_embedding import CrFiqa, MagFace
from facegauge.train.recipe_first import First
from facegauge.train.recipe_judge import Judge
from facegauge.train.recipe_regression import Regression
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
    flags: dict[str, Any] = {"resume": resume, "workers": workers, "device": device}
    if isinstance(chosen, Detector):
        return detector.train(chosen, data, out, **flags)
    if isinstance(chosen, Judge):
        return judge.train(chosen, data, out, **flags)
    if isinstance(chosen, First):
        return first.train(chosen, data, out, **flags)
    if isinstance(chosen, CrFiqa | MagFace):
        return embedding.train(chosen, data, out, **flags)
    if isinstance(chosen, Regression):
        return regression.train(chosen, data, out, **flags)
    if isinstance(chosen, DifFiqa):
        return diffusion.train(chosen, data, out, **flags)
    raise TypeError(f"No training is known for {type(chosen).__name__}.")
