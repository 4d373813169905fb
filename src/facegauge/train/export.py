"""A finished run becomes one self-describing ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from facegauge import baking
from facegauge.cards import Card, Training
from facegauge.conventions import CONVENTIONS
from facegauge.errors import RecipeError, TrainingError
from facegauge.train import recipes
from facegauge.train.export_detector import export_detector
from facegauge.train.export_judge import export_judge
from facegauge.train.export_perceptual import export_perceptual
from facegauge.train.export_quality import export_quality, export_recogniser, quality_card
from facegauge.train.first import load_student
from facegauge.train.onnx_export import to_onnx
from facegauge.train.recipe import Recipe
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.recipe_efficient import EfficientFiqa
from facegauge.train.recipe_embedding import CrFiqa, Embedding, MagFace
from facegauge.train.recipe_first import First
from facegauge.train.recipe_judge import Judge
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.runs import Run

CARD_FIELDS = ("name", "version", "licence", "frame")
"""Fields of a recipe that only the exported card knows: they may still change after training."""


def export_run(
    folder: Path, out: Path, changes: tuple[str, ...] = (), *, recogniser: bool = False
) -> Card:
    """Write the best network of a run, with calibration, card and golden vectors.

    Args:
        folder: the run.
        out: the ``.onnx`` file to write.
        changes: ``key=value`` for ``CARD_FIELDS``.
        recogniser: write the recogniser that a run of cr-fiqa or magface has learned as well.

    Raises:
        TrainingError: no run, a run that is not complete, or one without what is asked for.
        RecipeError: a change of something that training has settled.
    """
    run = Run(folder=folder)
    settled = [change for change in changes if change.partition("=")[0] not in CARD_FIELDS]
    if settled:
        raise RecipeError(
            f"After training only {', '.join(CARD_FIELDS)} may change, got {', '.join(settled)}."
        )
    chosen, facts = recipes.changed(run.recipe(), changes), run.facts()
    if not facts.get("complete"):
        raise TrainingError(
            f"{folder} is not complete: {facts.get('legs', 0)} of {chosen.legs} legs are done. Go "
            f"on with: facegauge train RECIPE --data DIR --out {folder} --resume"
        )
    return _export(run, chosen, out, recogniser)


def _export(run: Run, chosen: Recipe, out: Path, recogniser: bool) -> Card:
    if recogniser and isinstance(chosen, CrFiqa | MagFace):
        return export_recogniser(run, chosen, out)
    if recogniser or isinstance(chosen, DifFiqa):
        raise TrainingError(
            f"Expected a run of {'cr-fiqa or magface' if recogniser else 'a model that scores'}, "
            f"got one of {recipes.kind(chosen)}. "
            + ("Leave --recogniser out." if recogniser else "It labels faces; export difiqa-r.")
        )
    if isinstance(chosen, Detector):
        return export_detector(run, chosen, out)
    if isinstance(chosen, Judge):
        return export_judge(run, chosen, out)
    if isinstance(chosen, Embedding):
        return export_quality(run, chosen, out)
    if isinstance(chosen, First):
        return _export_student(run, chosen, out)
    if isinstance(chosen, Perceptual):
        return export_perceptual(run, chosen, out)
    if isinstance(chosen, EfficientFiqa):
        return export_perceptual(Run(folder=run.folder / "student"), chosen, out)
    raise TypeError(f"No export is known for {type(chosen).__name__}.")


def _export_student(run: Run, chosen: First, out: Path) -> Card:
    card = quality_card(run, chosen, _training(chosen, run.facts()))
    example = torch.zeros(2, 3, chosen.size, chosen.size)
    bare = to_onnx(load_student(run), example, ("network_raw",))
    return baking.bake_quality(bare, CONVENTIONS["arcface"], card, out)


def _training(chosen: First, facts: dict[str, Any]) -> Training:
    best = facts["best"]
    return Training(
        data=facts.get("data", ""),
        licence=chosen.licence,
        recipe=f"first, tables {', '.join(chosen.tables) or 'all with landmarks'}",
        revision=facts["revision"],
        notes=f"validation pAUC aligned {best['pauc_aligned']:.3f}, jittered "
        f"{best['pauc_jittered']:.3f}",
    )
