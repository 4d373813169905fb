"""Which training a recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facegauge.errors import OptionError
from facegauge.train import (
    alignment_distillation,
    detector,
    diffusion,
    efficient_fiqa,
    embedding,
    first,
    judge,
    regression,
    teacher,
)
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.recipe_efficient import EfficientFiqa
from facegauge.train.recipe_embedding import CrFiqa, MagFace
from facegauge.train.recipe_first import First
from facegauge.train.recipe_judge import Judge
from facegauge.train.recipe_perceptual import Perceptual
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
    stages: Sequence[str] = (),
) -> Run:
    """Run a recipe from data to weights, or go on where it stopped; see the recipe's own room.

    ``stages`` are for recipes that have some: only these are run.

    Raises:
        TrainingError: data or run folder are not usable.
        OptionError: stages for a recipe without, or unknown ones.
    """
    flags: dict[str, Any] = {"resume": resume, "workers": workers, "device": device}
    if isinstance(chosen, EfficientFiqa):
        return efficient_fiqa.train(chosen, data, out, stages=stages, **flags)
    if stages:
        raise OptionError(
            f"Only efficient-fiqa is trained in stages, got --stage {', '.join(stages)}. Leave it "
            "out."
        )
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
    if isinstance(chosen, AlignmentDistillation):
        return alignment_distillation.train(chosen, data, out, **flags)
    if isinstance(chosen, DifFiqa):
        return diffusion.train(chosen, data, out, **flags)
    if isinstance(chosen, Perceptual):
        return teacher.train(chosen, data, out, **flags)
    raise TypeError(f"No training is known for {type(chosen).__name__}.")
