"""A finished run of the recipe ``detector`` becomes one self-describing ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from facegauge import baking
from facegauge.cards import Card, Crop, Kind, Training, View
from facegauge.conventions import CONVENTIONS
from facegauge.models import DETECTOR_STEP
from facegauge.train.detector import load_network
from facegauge.train.detector_network import DetectorNetwork, Exported
from facegauge.train.onnx_export import to_onnx
from facegauge.train.recipe_detector import Detector
from facegauge.train.runs import Run

AnyNetwork = TypeVar("AnyNetwork", bound=torch.nn.Module)


def export_detector(run: Run, chosen: Detector, out: Path) -> Card:
    """Write the best network of a complete run, with card and golden vectors."""
    facts = run.facts()
    best = facts["best"]
    card = baking.draft_card(
        chosen.name,
        chosen.version,
        Kind.DETECTOR,
        Crop(view=View.PHOTO, size=chosen.long_side, resampling="area"),
        training=Training(
            data=facts.get("data", ""),
            licence=chosen.licence,
            recipe=f"detector, tables {', '.join(chosen.tables) or 'all with boxes and landmarks'}",
            revision=facts["revision"],
            notes=f"validation average precision {best['average_precision']:.3f}, landmark error "
            f"{best['landmark_error']:.3f} of the inter-eye distance",
        ),
    )
    bare = to_bare(load_network(run), facts["threshold"])
    return baking.bake_detector(bare, CONVENTIONS["arcface"], card, out)


def to_bare(network: DetectorNetwork, threshold: float) -> Any:
    """The network as ONNX: planes N×3×H×W in; boxes, landmarks and confidence out."""
    dimensions = {
        0: torch.export.Dim("n", min=1),
        2: DETECTOR_STEP * torch.export.Dim("rows", min=1, max=256),
        3: DETECTOR_STEP * torch.export.Dim("columns", min=1, max=256),
    }
    example = torch.zeros(2, 3, 3 * DETECTOR_STEP, 4 * DETECTOR_STEP)
    names = ("boxes", "landmarks", "confidence")
    return to_onnx(Exported(fused(network), threshold), example, names, dimensions)


def fused(network: AnyNetwork) -> AnyNetwork:
    """The same network, in place, with every batch normalisation folded into its convolution."""
    for layer in network.eval().modules():
        if not isinstance(layer, torch.nn.Sequential):
            continue
        for place in range(len(layer) - 1):
            first, second = layer[place], layer[place + 1]
            if isinstance(first, torch.nn.Conv2d) and isinstance(second, torch.nn.BatchNorm2d):
                layer[place] = fuse_conv_bn_eval(first, second)
                layer[place + 1] = torch.nn.Identity()
    return network
