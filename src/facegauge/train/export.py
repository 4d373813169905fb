"""A finished run becomes one self-describing ONNX file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facegauge import baking
from facegauge.cards import Calibration, Card, Crop, Kind, Training, View, calibrate
from facegauge.conventions import CONVENTIONS
from facegauge.errors import RecipeError, TrainingError
from facegauge.train import recipes
from facegauge.train.export_detector import export_detector
from facegauge.train.first import load_student
from facegauge.train.onnx_export import to_onnx
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_first import First
from facegauge.train.runs import Run

CARD_FIELDS = ("name", "version", "licence", "frame")
"""Fields of a recipe that only the exported card knows: they may still change after training."""


def export_run(folder: Path, out: Path, changes: tuple[str, ...] = ()) -> Card:
    """Write the best student of a run, with calibration, card and golden vectors.

    Args:
        folder: the run.
        out: the ``.onnx`` file to write.
        changes: ``key=value`` for ``CARD_FIELDS``.

    Raises:
        TrainingError: no run, or a run that is not complete.
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
    if isinstance(chosen, Detector):
        return export_detector(run, chosen, out)
    return _export_student(run, recipes.changed(run.first(), changes), out)


def _export_student(run: Run, chosen: First, out: Path) -> Card:
    card = baking.draft_card(
        chosen.name,
        chosen.version,
        Kind.UTILITY,
        Crop(view=View.ALIGNED, size=chosen.size, frame=chosen.frame),
        calibration=_calibration(run),
        training=_training(chosen, run.facts()),
    )
    example = torch.zeros(2, 3, chosen.size, chosen.size)
    batch = {0: torch.export.Dim("n", min=1)}
    bare = to_onnx(load_student(run), example, ("network_raw",), batch)
    return baking.bake_quality(bare, CONVENTIONS["arcface"], card, out)


def _calibration(run: Run) -> Calibration:
    with np.load(run.reference) as stored:
        raw, faces, people = stored["raw"], int(stored["faces"]), int(stored["people"])
    return calibrate(
        raw,
        population=(
            f"{faces} faces held out for validation ({people} named people, others unnamed), each "
            "aligned as it is and once more after random synthetic degradation"
        ),
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    )


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
