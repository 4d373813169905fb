"""A network that grades whole pictures becomes one self-describing ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from facegauge import baking
from facegauge.cards import Card, Kind, Training
from facegauge.conventions import CONVENTIONS
from facegauge.train import recipes
from facegauge.train.graders import CONVENTION
from facegauge.train.onnx_export import to_onnx
from facegauge.train.ratings import Look
from facegauge.train.recipe_perceptual import Perceptual, Whole
from facegauge.train.runs import Run
from facegauge.train.teacher import load_grader, read_scale


def export_perceptual(run: Run, chosen: Whole, out: Path) -> Card:
    """Write the network of a run of the recipe ``perceptual``; raw is on the scale of its labels.

    ``chosen`` is the recipe that names the model: the run's own, or that of the whole journey.
    """
    taught = run.of_kind(Perceptual)
    card = baking.draft_card(
        chosen.name,
        chosen.version,
        Kind.PERCEPTUAL,
        Look.of(taught).crop,
        calibration=read_scale(run),
        training=_training(chosen, taught, run.facts()),
    )
    example = torch.zeros(2, 3, taught.size, taught.size)
    bare = to_onnx(load_grader(run), example, ("network_raw",))
    return baking.bake_quality(bare, CONVENTIONS[CONVENTION], card, out)


def _training(chosen: Whole, taught: Perceptual, facts: dict[str, Any]) -> Training:
    best = {key: value for key, value in facts["best"].items() if key in ("srcc", "plcc", "score")}
    return Training(
        data=f"{taught.labels}: {facts['data']}",
        licence=chosen.licence,
        recipe=f"{recipes.kind(chosen)} of {taught.network}",
        revision=facts["revision"],
        notes="held-out " + ", ".join(f"{key} {value:.4f}" for key, value in best.items()),
    )
