"""An ONNX file as a torch network: the same numbers, with gradients.

For techniques that need gradients of a recogniser of which there is nothing but its file. Only the
operators that recognisers' files hold are known; another one is refused by name when the file is
opened, not when it is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegauge.errors import ModelError
from facegauge.graphs import require_onnx
from facegauge.train.onnx_operators import OPERATORS, Node


class OnnxNetwork(nn.Module):
    """A graph of one input, run node by node.

    Weights are buffers: they move with ``.to(device)`` and have no gradients; pictures do.

    Args:
        path: an ONNX file.
        output: which of its outputs to answer with; None: the first.

    Raises:
        ModelError: no ONNX file, an operator that is not known here, or no such output.
        MissingExtra: no onnx package.
    """

    def __init__(self, path: Path, output: str | None = None) -> None:
        super().__init__()
        onnx = require_onnx()
        graph = _load(onnx, path).graph
        _require_operators(graph, path)
        outputs = [each.name for each in graph.output]
        self.output = output or outputs[0]
        if self.output not in outputs:
            raise ModelError(f"Expected an output {output} in {path}, got {', '.join(outputs)}.")
        self.names: dict[str, str] = {}
        for tensor in graph.initializer:
            self._keep(tensor.name, onnx.numpy_helper.to_array(tensor))
        self.nodes = [
            self._read(onnx, each) for each in graph.node if not self._constant(onnx, each)
        ]
        [self.input] = [each.name for each in graph.input if each.name not in self.names]

    def forward(self, pictures: Tensor) -> Tensor:
        """What the file answers for the tensor that it takes."""
        found = {name: getattr(self, buffer) for name, buffer in self.names.items()}
        found[self.input] = pictures
        for node in self.nodes:
            given = [found[name] if name else None for name in node.inputs]
            found[node.output] = OPERATORS[node.kind](given, node.attributes)
            if node.output == self.output:
                break
        return found[self.output]

    def _keep(self, name: str, array: np.ndarray) -> None:
        buffer = f"weight{len(self.names)}"
        self.names[name] = buffer
        self.register_buffer(buffer, torch.from_numpy(np.array(array)))

    def _constant(self, onnx: Any, node: Any) -> bool:
        """Whether a node is a constant, which is kept among the weights."""
        if node.op_type != "Constant":
            return False
        value = onnx.helper.get_attribute_value(node.attribute[0])
        array = onnx.numpy_helper.to_array(value) if hasattr(value, "dims") else np.array(value)
        self._keep(node.output[0], array)
        return True

    def _read(self, onnx: Any, node: Any) -> Node:
        values = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        return Node(
            kind=node.op_type,
            inputs=tuple(node.input),
            output=node.output[0],
            attributes=values,
        )


class PlanesInOnnx(nn.Module):
    """A wrapped recogniser as a network of planes RGB in 0..1, N×3×S×S: N×D embeddings.

    The file takes uint8 N×S×S×3; its graph begins with a cast to float, which passes the fractions
    of a grey level and the gradients on.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.network = OnnxNetwork(path, "embedding")

    def forward(self, planes: Tensor) -> Tensor:
        """Unit-length embeddings, N×D."""
        return self.network(255.0 * planes.permute(0, 2, 3, 1))


def _load(onnx: Any, path: Path) -> Any:
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf's DecodeError is not part of onnx's interface
        raise ModelError(f"Expected an ONNX file, got {path}: {error}.") from error


def _require_operators(graph: Any, path: Path) -> None:
    missing = {each.op_type for each in graph.node} - OPERATORS.keys() - {"Constant"}
    if missing:
        raise ModelError(
            f"Expected operators that torch runs here ({', '.join(sorted(OPERATORS))}) in {path}, "
            f"got {', '.join(sorted(missing))}. Export the recogniser without, or label with a "
            "technique that needs no gradients."
        )
