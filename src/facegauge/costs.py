"""What a model costs: the numbers in its weights, and the multiplications that one picture takes.

Counted on the ONNX file itself by the package onnx-tool (extra ``train``), after ONNX Runtime has
folded what does not depend on the picture. **1 MAC is one multiplication with its addition** in a
convolution or matrix product (Conv, Gemm, MatMul), and adding a bias is one more; activations,
normalisation, preprocessing and calibration are not counted. Others print FLOPs, which may mean
MACs or twice as many.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from facegauge import models
from facegauge.errors import MissingExtra
from facegauge.graphs import require_onnx

CONVENTION = "1 MAC = one multiplication with its addition, or one bias, in Conv, Gemm and MatMul"
_COUNTED = ("Conv", "Gemm", "MatMul")
_FLOATS = ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")
_OURS = "fg_"  # what baking and export add: mean, deviation, calibration, waves of positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Numbers in the weights, MACs of one picture of a size, and what a MAC is here.

    ``side`` is the height and width in pixels of the picture that is counted for.
    """

    parameters: int
    macs: int
    side: int
    convention: str = CONVENTION

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def measure(model: str | Path) -> Costs:
    """What a model costs, by name or file, for one picture of the size in its card.

    Raises:
        ModelNotFound, ModelError: as ``models.open``.
        MissingExtra: onnx or onnx-tool is not installed.
    """
    onnx = require_onnx()
    path, side = models.locate(model), models.read_card(model).crop.size
    return Costs(parameters=_parameters(onnx, path), macs=_macs(onnx, path, side), side=side)


def _parameters(onnx: Any, path: Path) -> int:
    """Numbers in the file's weights, but for preprocessing and calibration.

    Exporters store equal tensors once and a few constants beside the weights, and ours makes the
    scales of an EdgeNeXt part of the weights they follow: of a trained network the count is that of
    its definition to 1 in 10,000 (to 1 in 900 of an EdgeNeXt).
    """
    kinds = [getattr(onnx.TensorProto, name) for name in _FLOATS]
    weights = onnx.load(str(path)).graph.initializer
    named = (each for each in weights if not _own(each.name))
    return sum(prod(each.dims) for each in named if each.data_type in kinds)


def _own(name: str) -> bool:
    return name.rpartition(".")[2].startswith(_OURS)


def _macs(onnx: Any, path: Path, side: int) -> int:
    try:
        import onnx_tool
    except ImportError as error:
        raise MissingExtra("counting MACs", "train", "onnx-tool") from error
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        _fold(path, folded, side)
        graph = onnx_tool.Model(onnx.load(str(folded)), {"verbose": False}).graph
        graph.shape_infer({"image": np.zeros((1, side, side, 3), dtype=np.uint8)})
        graph.profile()
    counted = [each for each in graph.nodemap.values() if each.op_type in _COUNTED]
    network = (each for each in counted if not any(map(_own, each.input)))
    return int(sum(each.macs[0] for each in network))


def _fold(path: Path, out: Path, side: int) -> None:
    """Write the graph for one picture of side×side, with everything constant computed."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.graph_optimization_level = level
    for name, value in (("n", 1), ("h", side), ("w", side)):
        options.add_free_dimension_override_by_name(name, value)
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
