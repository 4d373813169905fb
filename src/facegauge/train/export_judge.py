"""A finished run of the recipe ``judge`` goes into the file of the detector that it judges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from facegauge import baking_judge, models
from facegauge.cards import Card
from facegauge.conventions import CONVENTIONS
from facegauge.train.export_detector import fused
from facegauge.train.judge import DETECTOR, load_judge
from facegauge.train.judge_network import ExportedJudge, JudgeNetwork
from facegauge.train.onnx_export import to_onnx
from facegauge.train.recipe_judge import Judge
from facegauge.train.runs import Run


def export_judge(run: Run, chosen: Judge, out: Path) -> Card:
    """Write the detector anew, with the best judge of a complete run in it, and one card."""
    facts = run.facts()
    best, detector = facts["best"], run.folder / DETECTOR
    before = models.read_card(detector)
    said = before.training
    notes = (
        f"{said.notes}; judge: validation: "
        f"{best['missed']:.3f} of the faces less sure than the surest fiftieth of the others"
    )
    training = replace(
        said,
        data=f"{said.data}; {facts['data']}",
        recipe=f"{said.recipe}; judge, tables {', '.join(chosen.tables) or 'all with faces'}",
        revision=f"{said.revision}, {facts['revision']}",
        licence=chosen.licence,
        notes=notes,
    )
    card = replace(before, name=chosen.name, version=chosen.version, training=training)
    bare = to_bare(load_judge(run), chosen.weight, facts["threshold"])
    return baking_judge.bake_judge(detector, bare, CONVENTIONS["arcface"], card, out)


def to_bare(network: JudgeNetwork, weight: float, threshold: float) -> Any:
    """The network as ONNX: planes N×3×64×64 in, confidence N out."""
    example = torch.zeros(2, 3, models.SQUARE, models.SQUARE)
    exported = ExportedJudge(fused(network), weight, threshold)
    return to_onnx(exported, example, ("confidence",))
