"""A wrapped recogniser cut in two before its last linear layer: trunk, then last layer and length.

The cut is found on the ONNX graph: from the embedding backwards through what only scales, shifts or
reshapes (BatchNormalization, Reshape, Flatten, ...) to the first Gemm, MatMul or Conv. Needs the
``onnx`` package (extra ``train``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from facegauge.errors import MissingExtra, ModelError
from facegauge.graphs import require_onnx
from facegauge.values import Pixels

_LINEAR = ("Gemm", "MatMul", "Conv")
_PASSED = ("BatchNormalization", "Reshape", "Flatten", "Squeeze", "Identity", "Dropout")
_SCALED = ("Add", "Sub", "Mul", "Div")
_SHAPED = ("Reshape", "Flatten", "Identity", "Squeeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """The two halves, opened; ``rate`` is that of a dropout at the cut, 0 when there is none.

    ``length`` is the second half up to the embedding's length before it becomes 1.
    """

    trunk: onnxruntime.InferenceSession
    last: onnxruntime.InferenceSession
    length: onnxruntime.InferenceSession
    rate: float = 0.0

    def features(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """What the last layer is given, N×F or N×C×H×W, of crops uint8 RGB N×S×S×3."""
        return _answer(self.trunk, crops)

    def embeddings(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Unit-length embeddings N×D of such features."""
        return _answer(self.last, features)

    def lengths(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Lengths N of the embeddings of such features before they become 1."""
        return _answer(self.length, features)


def halves(path: Path, threads: int | None = None) -> Halves:
    """Cut a recogniser's file in two.

    Raises:
        MissingExtra: no onnx package.
        ModelError: the embedding does not come from a linear layer.
    """
    try:
        onnx = require_onnx()
    except MissingExtra as error:
        raise MissingExtra("cutting a recogniser for ser-fiq or probe", "train", "onnx") from error
    graph = _Graph(onnx.load(str(path)), path)
    layer = graph.last_linear()
    cut = layer.input[0]
    first, second = graph.piece(["image"], cut), graph.piece([cut], "embedding")
    return Halves(
        trunk=_session(first, threads),
        last=_session(second, threads),
        length=_session(graph.piece([cut], "norm"), threads),
        rate=graph.dropout(cut),
    )


class _Graph:
    """A model's graph, read backwards."""

    def __init__(self, model: Any, path: Path) -> None:
        self.model, self.path = model, path
        self.nodes = list(model.graph.node)
        self.producer = {name: node for node in self.nodes for name in node.output}
        self.weights = {tensor.name: tensor for tensor in model.graph.initializer}

    def constant(self, name: str) -> bool:
        """Whether a tensor is a weight."""
        node = self.producer.get(name)
        return name in self.weights or (node is not None and node.op_type == "Constant")

    def last_linear(self) -> Any:
        """The last layer that mixes features into an embedding."""
        node = self.producer.get("embedding")
        while node is not None:
            if self._linear(node):
                return node
            data = self._passed(node)
            if data is None:
                raise self._other(node.op_type)
            node = self.producer.get(data)
        raise self._other("the picture itself")

    def _linear(self, node: Any) -> bool:
        ungrouped = all(each.name != "group" or each.i == 1 for each in node.attribute)
        return node.op_type in _LINEAR and ungrouped and self.constant(node.input[1])

    def _passed(self, node: Any) -> str | None:
        """The input that a node only scales, shifts or reshapes; None when it does more."""
        if "embedding" in node.output and node.op_type == "Div":  # by its length
            return str(node.input[0])
        if node.op_type in _PASSED:
            return str(node.input[0])
        varying = [name for name in node.input if not self.constant(name)]
        return str(varying[0]) if node.op_type in _SCALED and len(varying) == 1 else None

    def _other(self, came: str) -> ModelError:
        return ModelError(
            f"Expected a recogniser whose embedding comes from a linear layer (Gemm, MatMul or "
            f"Conv) in {self.path}, got {came} before one. Label with faceqan or norm instead."
        )

    def dropout(self, cut: str) -> float:
        """The rate of a dropout just before the cut; 0 without one."""
        node = self.producer.get(cut)
        while node is not None and node.op_type in _SHAPED:
            node = self.producer.get(node.input[0])
        if node is None or node.op_type != "Dropout":
            return 0.0
        stated = [each.f for each in node.attribute if each.name == "ratio"]
        if len(node.input) > 1 and node.input[1] in self.weights:
            stated.append(float(_array(self.weights[node.input[1]])))
        return float(stated[0]) if stated else 0.5  # ONNX's default

    def piece(self, inputs: list[str], output: str) -> bytes:
        """The part of the graph from some tensors to another, as a model of its own."""
        onnx = require_onnx()
        nodes = self._between(set(inputs), output)
        used = {name for node in nodes for name in node.input}
        weights = [tensor for name, tensor in self.weights.items() if name in used]
        images = [self._described(onnx, name) for name in inputs]
        made = onnx.helper.make_graph(
            nodes, "piece", images, [onnx.helper.make_empty_tensor_value_info(output)], weights
        )
        model = onnx.helper.make_model(made, opset_imports=list(self.model.opset_import))
        model.ir_version = self.model.ir_version
        return bytes(model.SerializeToString())

    def _described(self, onnx: Any, name: str) -> Any:
        stated = [each for each in self.model.graph.input if each.name == name]
        return stated[0] if stated else onnx.helper.make_tensor_value_info(name, 1, None)

    def _between(self, inputs: set[str], output: str) -> list[Any]:
        """The nodes that make ``output`` of ``inputs``, in their order."""
        wanted, needed = [output], set()
        while wanted:
            name = wanted.pop()
            node = self.producer.get(name)
            if name in inputs or node is None or id(node) in needed:
                if name == "image" and "image" not in inputs:
                    raise self._other("a path around the last layer")
                continue
            needed.add(id(node))
            wanted += list(node.input)
        return [node for node in self.nodes if id(node) in needed]


def _array(tensor: Any) -> npt.NDArray[Any]:
    return np.asarray(require_onnx().numpy_helper.to_array(tensor))


def _session(piece: bytes, threads: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(piece, options, providers=["CPUExecutionProvider"])


def _answer(
    session: onnxruntime.InferenceSession, given: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    [answer] = session.run(None, {session.get_inputs()[0].name: given})
    return np.asarray(answer, dtype=np.float32)
