"""Tiny ONNX networks and model files made from them, for every test that needs a model.

    path = quality_file(tmp_path / "tiny.onnx", size=32)  # a complete model file, some kilobytes

The bare networks take float32 N×3×size×size, called ``x``, and answer ``y``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facegauge.baking import CONVENTIONS, bake_quality, draft_card
from facegauge.cards import Calibration, Crop, Kind, View

OPSET = 18
CALIBRATION = Calibration(
    population="random pictures",
    date="2026-01-01",
    raw=(-0.5, 0.0, 0.1, 0.4, 1.5),
    score=(0.0, 20.0, 30.0, 80.0, 100.0),
)


def network(
    nodes: list[onnx.NodeProto],
    weights: dict[str, Any],
    shape: list[Any],
    *,
    names: tuple[str, str] = ("x", "y"),
    outputs: int = 1,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A bare network with one input and one output N×``outputs``."""
    graph = helper.make_graph(
        nodes,
        "bare",
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, [shape[0], outputs])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def textures(size: int, *, outputs: int = 1, seed: int = 5, opset: int = OPSET) -> onnx.ModelProto:
    """How strongly a picture answers four random 3×3 filters, mixed into ``outputs`` numbers."""
    rng = np.random.default_rng(seed)
    filters = rng.normal(0, 1, (4, 3, 3, 3))
    filters -= filters.mean((1, 2, 3), keepdims=True)  # a plain surface answers nothing
    nodes = [
        helper.make_node("Conv", ["x", "filters"], ["found"]),
        helper.make_node("Relu", ["found"], ["kept"]),
        helper.make_node("GlobalAveragePool", ["kept"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "mix"], ["y"]),
    ]
    mix = np.full((4, 1), 0.2) if outputs == 1 else rng.normal(0, 1, (4, outputs))
    weights = {"filters": filters.astype(np.float32), "mix": mix.astype(np.float32)}
    return network(nodes, weights, ["n", 3, size, size], outputs=outputs, opset=opset)


def weighted_sum(
    weights: np.ndarray,
    shape: list[Any],
    *,
    names: tuple[str, str] = ("x", "y"),
    opset: int = OPSET,
) -> onnx.ModelProto:
    """Every input value times its own weight (inputs×outputs): no two pixels alike."""
    nodes = [
        helper.make_node("Flatten", [names[0]], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], [names[1]]),
    ]
    table = {"weights": weights.astype(np.float32)}
    return network(nodes, table, shape, names=names, outputs=weights.shape[1], opset=opset)


def quality_card(size: int = 32, *, view: View = View.ALIGNED, name: str = "tiny", **crop: Any):
    """A card for a quality model, golden vectors still to be filled in."""
    shape = Crop(view=view, size=size, **crop)
    return draft_card(name, "1", Kind.UTILITY, shape, calibration=CALIBRATION)


def quality_file(path: Path, size: int = 32, **crop: Any) -> Path:
    """A complete quality model that grades texture."""
    bake_quality(textures(size), CONVENTIONS["arcface"], quality_card(size, **crop), path)
    return path


def recogniser_file(path: Path, size: int = 112, outputs: int = 16) -> Path:
    """A bare recogniser on disk, not wrapped yet."""
    onnx.save(textures(size, outputs=outputs), str(path))
    return path


def edited(path: Path, out: Path, edit: Any) -> Path:
    """A copy of an ONNX file after ``edit(model)``."""
    model = onnx.load(str(path))
    edit(model)
    onnx.save(model, str(out))
    return out


def replaced(stored: str, changes: dict[str, object]) -> str:
    """A stored card with some entries replaced; ``part__key`` goes into a part."""
    data = json.loads(stored)
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            data[part][key] = value
        else:
            data[part] = value
    return json.dumps(data)
