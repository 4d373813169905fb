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

from facegauge.baking import bake_detector, bake_quality, draft_card
from facegauge.cards import Calibration, Crop, Kind, View
from facegauge.conventions import CONVENTIONS

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


CELL = 8
"""Side in pixels of what ``bright_cells`` takes for a face."""


def bright_cells(*, opset: int = OPSET) -> onnx.ModelProto:
    """A bare detector that takes every 8×8 cell for a face, as sure as the cell is bright.

    Planes 0..1 of any size in; the landmarks are the box's corners and its top left one again.
    """
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["x", "channel"], ["grey"], keepdims=1),
        node("AveragePool", ["grey"], ["cells"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        node("Mul", ["cells", "zero"], ["nothing"]),
        node("Add", ["nothing", "one"], ["ones"]),
        node("CumSum", ["ones", "across"], ["columns"], exclusive=1),
        node("CumSum", ["ones", "down"], ["rows"], exclusive=1),
        node("Concat", ["columns", "rows"], ["grid"], axis=1),
        node("Transpose", ["grid"], ["points"], perm=[0, 2, 3, 1]),
        node("Reshape", ["points", "pairs"], ["flat"]),
        node("Mul", ["flat", "cell"], ["corner"]),
        node("Add", ["corner", "first"], ["low"]),
        node("Add", ["corner", "last"], ["high"]),
        node("Concat", ["low", "high"], ["boxes"], axis=2),
        node("Add", ["corner", "first_right"], ["low_right"]),
        node("Add", ["corner", "first_down"], ["low_down"]),
        node("Concat", ["low", "low_right", "low", "low_down", "high"], ["landmarks"], axis=2),
        node("Reshape", ["cells", "row"], ["confidence"]),
    ]
    weights = {
        **{"channel": np.array([1]), "across": np.array(3), "down": np.array(2)},
        **{"pairs": np.array([0, -1, 2]), "row": np.array([0, -1])},
        **{"zero": np.float32(0), "one": np.float32(1), "cell": np.float32(CELL)},
        "first": np.float32([-0.5, -0.5]),
        "last": np.float32([CELL - 0.5, CELL - 0.5]),
        "first_right": np.float32([CELL - 0.5, -0.5]),
        "first_down": np.float32([-0.5, CELL - 0.5]),
    }
    model = network(nodes, weights, ["n", 3, "h", "w"], opset=opset)
    del model.graph.output[:]
    widths: dict[str, list[Any]] = {"boxes": [4], "landmarks": [10], "confidence": []}
    for name, width in widths.items():
        entry = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "p", *width])
        model.graph.output.append(entry)
    return model


def detector_card(size: int = 64, name: str = "cells"):
    """A card for a detector, golden vectors still to be filled in."""
    return draft_card(name, "1", Kind.DETECTOR, Crop(view=View.PHOTO, size=size, resampling="area"))


def detector_file(path: Path, size: int = 64) -> Path:
    """A complete detector of our own kind that takes bright 8×8 cells for faces."""
    bake_detector(bright_cells(), CONVENTIONS["unit"], detector_card(size), path)
    return path


def published(
    path: Path,
    widths: tuple[int, ...],
    *,
    anchors: int = 1,
    batched: bool = False,
    sides: tuple[int | str, int | str] = ("h", "w"),
    scale: float = 1.0,
) -> Path:
    """A bare file with outputs like those of SCRFD (widths 1, 4, 10) or YuNet (1, 1, 4, 10).

    One random convolution for each width and stride, in that order; ``batched`` outputs have a
    leading 1. Numbers of width 1 are in 0..1.
    """
    rng = np.random.default_rng(3)
    nodes, weights = [], {}
    for width in widths:
        for stride in (8, 16, 32):
            name = f"out{len(weights) // 3}"
            shape = (anchors * width, 3, stride, stride)
            filters = rng.normal(0, scale / (3 * stride * stride), shape)
            weights[f"{name}_filters"] = filters.astype(np.float32)
            weights[f"{name}_shift"] = rng.uniform(0.5, 1.5, anchors * width).astype(np.float32)
            weights[f"{name}_rows"] = np.array([1, -1, width] if batched else [-1, width])
            kind = "Sigmoid" if width == 1 else "Identity"
            nodes += [
                helper.make_node("Conv", ["x", f"{name}_filters", f"{name}_shift"],
                                 [f"{name}_map"], strides=[stride] * 2),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_last"],
                                 perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}_last", f"{name}_rows"], [f"{name}_flat"]),
                helper.make_node(kind, [f"{name}_flat"], [name]),
            ]  # fmt: skip
    model = network(nodes, weights, [1, 3, *sides])
    del model.graph.output[:]
    for at in range(len(nodes) // 4):
        shape = [1, None, None] if batched else [None, None]
        model.graph.output.append(helper.make_tensor_value_info(f"out{at}", 1, shape))
    onnx.save(model, str(path))
    return path
