"""An ONNX graph under construction: nodes around a bare network, joined and written as one file.

Knows nodes, names and metadata, but not what a model means: that is baking's. Needs the ``onnx``
package (extra ``train``).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegauge.cards import METADATA_KEY, Card
from facegauge.errors import MissingExtra, ModelError

if TYPE_CHECKING:
    import onnx

Shape = Sequence[int | str]
"""Sides of an input or output: numbers, or names of sides that are free."""

_LARGE = 256
"""Numbers from which a weight is stored in half the size."""


class Graph:
    """A model under construction: the bare network plus nodes before and after it."""

    prefix = "net/"

    def __init__(self, bare: onnx.ModelProto) -> None:
        onnx = require_onnx()
        self.helper = onnx.helper
        self.numpy_helper = onnx.numpy_helper
        if not bare.graph.output:
            raise ModelError("Expected a network with an output, got an empty file.")
        self.bare = onnx.compose.add_prefix(bare, self.prefix)  # a copy; its names cannot meet ours
        self.source = self.bare.graph.output[0].name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> None:
        """Add a named constant."""
        self.constants.append(self.numpy_helper.from_array(np.asarray(value), name))


def assemble(graph: Graph, name: str, sides: Shape, outputs: Mapping[str, Shape]) -> Any:
    """The whole graph as a model: ``image``, uint8 N×sides×3, in; named float32 outputs out."""
    helper, bare = graph.helper, graph.bare
    image = helper.make_tensor_value_info("image", 2, ["n", *sides, 3])
    found = [helper.make_tensor_value_info(name, 1, shape) for name, shape in outputs.items()]
    _forget_machine(bare)
    made = helper.make_graph(
        graph.nodes, name, [image], found, [*bare.graph.initializer, *graph.constants]
    )
    model = helper.make_model(made, opset_imports=list(bare.opset_import))
    model.ir_version = max(bare.ir_version, 7)
    model.functions.extend(bare.functions)
    model.producer_name = "facegauge"
    return model


def halve(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, in place; the graph makes them float32 again.

    ONNX Runtime does so once, when it opens the file: half the size, the same speed.
    """
    onnx = require_onnx()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < _LARGE:
            continue
        name, half = weight.name, numpy_helper.to_array(weight).astype(np.float16)
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _forget_machine(part: Any) -> None:
    """Remove notes at every depth: exporters leave stack traces with paths of their machine."""
    for field, value in part.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            part.ClearField(field.name)
        elif field.message_type is not None:
            for each in value if isinstance(value, Sequence) else [value]:
                _forget_machine(each)


def save(model: onnx.ModelProto, card: Card, path: Path) -> None:
    """Write a model with its card and no other metadata."""
    onnx = require_onnx()
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def only_input(bare: onnx.ModelProto) -> str:
    """Name of the one input of a network that is not a weight."""
    weights = {tensor.name for tensor in bare.graph.initializer}
    inputs: list[str] = [entry.name for entry in bare.graph.input if entry.name not in weights]
    if len(inputs) != 1:
        raise ModelError(f"Expected a network with one input, got {inputs}.")
    return inputs[0]


def require_onnx() -> Any:
    """The ``onnx`` package, which only writing needs.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        importlib.import_module("onnx.numpy_helper")
        importlib.import_module("onnx.compose")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtra("writing a model file", "train", "onnx") from error
