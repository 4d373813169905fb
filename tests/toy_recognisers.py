"""Toy recognisers made of the operators that real ones' files hold, and pictures of toy people.

path = gemm_recogniser(tmp_path / "toy.onnx")   # Conv, PRelu, BatchNormalization, Flatten, Gemm
path = conv_recogniser(tmp_path / "toy.onnx")   # ... Clip, Conv, Shape, Gather, ..., Reshape
"""

from __future__ import annotations

import csv
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from facegauge.baking import wrap_recogniser
from facegauge.techniques.difiqa import Disturbed

SIZE = 24
WIDTH = 8
CHANNELS = 6
FEATURES = CHANNELS * 5 * 5
PEOPLE, EACH = 5, 4

node = helper.make_node


def gemm_recogniser(out: Path, seed: int = 0, dropout: float | None = None) -> Path:
    """Like the exported InsightFace network: it ends Flatten, Gemm, BatchNormalization."""
    weights = _trunk_weights(seed)
    rng = np.random.default_rng(seed + 1)
    weights |= {
        "mix": rng.normal(0, 0.1, (WIDTH, FEATURES)),
        "bias": rng.normal(0, 0.1, WIDTH),
        "ones": np.ones(WIDTH),
        "beta": rng.normal(0, 0.1, WIDTH),
        "mean": rng.normal(0, 0.1, WIDTH),
        "variance": rng.uniform(0.5, 2, WIDTH),
    }
    last = [
        node("Flatten", ["trunk"], ["flat"], axis=1),
        node("Gemm", ["flat", "mix", "bias"], ["mixed"], alpha=1.0, beta=1.0, transB=1),
        node("BatchNormalization", ["mixed", "ones", "beta", "mean", "variance"], ["y"],
             epsilon=2e-5),
    ]  # fmt: skip
    if dropout is not None:
        weights["ratio"] = np.float32(dropout)
        last[0] = node("Flatten", ["dropped"], ["flat"], axis=1)
        last.insert(0, node("Dropout", ["trunk", "ratio"], ["dropped"]))
    return _wrapped(out, [*_trunk(), *last], weights, opset=18)


def conv_recogniser(out: Path, seed: int = 0) -> Path:
    """Like the exported foamliu network: it ends in a Conv and a Reshape to a computed shape."""
    rng = np.random.default_rng(seed + 1)
    weights = _trunk_weights(seed)
    weights |= {
        "whole": rng.normal(0, 0.2, (CHANNELS, 1, 5, 5)),
        "point": rng.normal(0, 0.4, (WIDTH, CHANNELS, 1, 1)),
        "point_bias": rng.normal(0, 0.1, WIDTH),
        "low": np.float32(0),
        "high": np.float32(6),
        "first": np.array(0),
        "rest": np.array([-1]),
    }
    nodes = [
        *_trunk(),
        node("Clip", ["trunk", "low", "high"], ["clipped"]),
        node("Conv", ["clipped", "whole"], ["depth"], kernel_shape=[5, 5], group=CHANNELS),
        node("Conv", ["depth", "point", "point_bias"], ["mixed"], kernel_shape=[1, 1]),
        node("Shape", ["mixed"], ["shape"]),
        node("Gather", ["shape", "first"], ["count"], axis=0),
        node("Unsqueeze", ["count"], ["counts"], axes=[0]),
        node("Concat", ["counts", "rest"], ["wanted"], axis=0),
        node("Reshape", ["mixed", "wanted"], ["y"]),
    ]
    return _wrapped(out, nodes, weights, opset=12)


def _trunk() -> list[Any]:
    return [
        node("Conv", ["x", "filters", "shift"], ["found"], kernel_shape=[3, 3], strides=[2, 2],
             pads=[1, 1, 1, 1]),
        node("PRelu", ["found", "slope"], ["kept"]),
        node("Conv", ["kept", "second"], ["more"], kernel_shape=[3, 3], strides=[2, 2]),
        node("Relu", ["more"], ["trunk"]),
    ]  # fmt: skip


def _trunk_weights(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "filters": rng.normal(0, 0.4, (CHANNELS, 3, 3, 3)),
        "shift": rng.normal(0, 0.1, CHANNELS),
        "slope": rng.uniform(0, 0.5, (CHANNELS, 1, 1)),
        "second": rng.normal(0, 0.3, (CHANNELS, CHANNELS, 3, 3)),
    }


def _wrapped(out: Path, nodes: list[Any], weights: dict[str, Any], opset: int) -> Path:
    graph = helper.make_graph(
        nodes,
        "bare",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", WIDTH])],
        [_tensor(name, value) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    bare = out.with_suffix(".bare")
    onnx.save(model, str(bare))
    wrap_recogniser(bare, "arcface", out, size=SIZE)
    bare.unlink()
    return out


def _tensor(name: str, value: Any) -> onnx.TensorProto:
    array = np.asarray(value)
    return numpy_helper.from_array(
        array.astype(np.float32) if array.dtype.kind == "f" else array, name
    )


def crops(count: int, seed: int = 0) -> np.ndarray:
    """Random pictures, uint8 N×S×S×3."""
    return np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


def make_people(folder: Path) -> dict[str, str]:
    """Aligned pictures of 5 people with 4 each below ``folder``, who.csv beside it; who is who."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    who = {}
    for person in range(PEOPLE):
        face = rng.uniform(30, 220, (6, 6, 3)).repeat(4, 0).repeat(4, 1)
        for number in range(EACH):
            noisy = face + rng.normal(0, 8 + 12 * number, face.shape)
            name = f"p{person}_{number}.png"
            Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(folder / name)
            who[name] = f"p{person}"
    with (folder.parent / "who.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "identity"), *who.items()])
    return who


def toy_disturber(constants, seed):
    """Stands for a diffusion network: noise on a crop, and less of it, from crop and seed alone."""

    def disturb(crop):
        rng = np.random.default_rng((seed, zlib.crc32(crop.tobytes())))

        def disturbed(face):
            noise = rng.normal(0, 8 * constants.noised, (constants.repeats, *face.shape))
            noised, restored = (
                np.clip(face + share * noise, 0, 255).astype(np.uint8) for share in (1.0, 0.3)
            )
            return Disturbed(noised=noised, restored=restored)

        return disturbed

    return disturb
