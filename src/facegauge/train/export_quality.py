"""A finished run of a published technique becomes one self-describing ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from facegauge import baking
from facegauge.cards import Card, Crop, Kind, Training, View
from facegauge.conventions import CONVENTIONS
from facegauge.errors import TrainingError
from facegauge.train import recipes
from facegauge.train.alignment_network import load_distilled
from facegauge.train.embedding import load_graded
from facegauge.train.onnx_export import to_onnx
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.recipe_embedding import Embedding
from facegauge.train.recipe_first import First
from facegauge.train.recipe_regression import Regression
from facegauge.train.reference import read_calibration
from facegauge.train.regression import load_predicting
from facegauge.train.runs import Run


def export_quality(run: Run, chosen: Embedding, out: Path) -> Card:
    """Write the quality model of a run: raw is the recipe's quality, score its percentile.

    Raises:
        TrainingError: a run that learned from no labels.
    """
    network = _network(run, chosen)
    card = quality_card(run, chosen, _training(chosen, run.facts()))
    return baking.bake_quality(_bare(network, chosen), CONVENTIONS["arcface"], card, out)


def _network(run: Run, chosen: Embedding) -> nn.Module:
    if isinstance(chosen, Regression):
        return load_predicting(run)
    if not isinstance(chosen, AlignmentDistillation):
        return load_graded(run)
    if not chosen.labels:
        raise TrainingError(
            f"Expected a run that learned a quality, got {run.folder}, which had no labels. Begin "
            "another one with it: --set start=model.safetensors --set labels=TABLE."
        )
    return load_distilled(run)


def quality_card(run: Run, chosen: Embedding | First, training: Training) -> Card:
    """The draft card of a run's quality model, its score the percentile among held-out faces."""
    return baking.draft_card(
        chosen.name,
        chosen.version,
        Kind.UTILITY,
        Crop(view=View.ALIGNED, size=chosen.size, frame=chosen.frame),
        calibration=read_calibration(run),
        training=training,
    )


def export_recogniser(run: Run, chosen: Embedding, out: Path) -> Card:
    """Write the embedding network of a run of ``cr-fiqa`` or ``magface`` as a recogniser."""
    card = baking.draft_card(
        f"{chosen.name}-recogniser",
        chosen.version,
        Kind.RECOGNISER,
        Crop(view=View.ALIGNED, size=chosen.size),
        training=_training(chosen, run.facts()),
    )
    bare = _bare(load_graded(run).embedder, chosen)
    return baking.bake_recogniser(bare, CONVENTIONS["arcface"], card, out)


def _bare(network: nn.Module, chosen: Embedding) -> Any:
    example = torch.zeros(2, 3, chosen.size, chosen.size)
    return to_onnx(network, example, ("network_raw",))


def _training(chosen: Embedding, facts: dict[str, Any]) -> Training:
    best = {key: value for key, value in facts["best"].items() if key != "step"}
    return Training(
        data=facts.get("data", ""),
        licence=chosen.licence,
        recipe=f"{recipes.kind(chosen)} of {chosen.network}, tables "
        f"{', '.join(chosen.tables) or 'all with landmarks'}",
        revision=facts["revision"],
        notes="validation " + ", ".join(f"{key} {value:.3f}" for key, value in best.items()),
    )
