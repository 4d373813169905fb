"""Preprocessing that becomes part of a network's first convolution: no step of its own is left.

(x - mean) / std, colour by colour, is what the first layer sees. Where that is a convolution
without padding, the same numbers come from x itself with other weights: W / std, and a bias smaller
by the sum of W mean / std. With padding they would not, as 0 is then not the black of x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from facegauge.conventions import Preprocessing
from facegauge.graphs import Graph, only_input, require_onnx

if TYPE_CHECKING:
    import onnx

Floats = npt.NDArray[np.float64]


def folded(graph: Graph, preprocessing: Preprocessing) -> bool:
    """Let the first layer of a graph's network take pixels 0..255 as they are, where it can.

    Args:
        graph: its ``bare`` network's weights are changed in place; its nodes stay.
        preprocessing: what the network expected; the order of colours and planes stays to be made.

    Returns:
        Whether it could: subtracting and dividing are then to be left out.
    """
    layer = _first(graph.bare)
    if not preprocessing.planar or layer is None:
        return False
    weights = {tensor.name: tensor for tensor in graph.bare.graph.initializer}
    weight, *others = (graph.numpy_helper.to_array(weights[name]) for name in layer.input[1:])
    mean, std = (
        np.array(each, dtype=np.float64) for each in (preprocessing.mean, preprocessing.std)
    )
    scaled = weight / std[:, None, None]
    shift = (scaled * mean[:, None, None]).sum((1, 2, 3))
    _change(graph, weights[layer.input[1]], scaled)
    if others:
        _change(graph, weights[layer.input[2]], others[0] - shift)
    else:
        name = f"{layer.name or layer.output[0]}/fg_bias"
        graph.constant(name, (-shift).astype(np.float32))
        layer.input.append(name)
    return True


def _first(bare: onnx.ModelProto) -> Any:
    """The convolution that alone sees the input, unpadded, its weights nobody else's; or None."""
    float32 = require_onnx().TensorProto.FLOAT
    name = only_input(bare)
    own = {each.name for each in bare.graph.initializer if each.data_type == float32}
    used = [each for node in bare.graph.node for each in node.input]
    seeing = [node for node in bare.graph.node if name in node.input and node.op_type != "Shape"]
    nested = any(each.g.node or each.graphs for node in bare.graph.node for each in node.attribute)
    if len(seeing) != 1 or seeing[0].op_type != "Conv" or nested:
        return None
    [node] = seeing
    fields = {each.name: each for each in node.attribute}
    padded = any(fields["pads"].ints) if "pads" in fields else False
    padded |= "auto_pad" in fields and fields["auto_pad"].s not in (b"NOTSET", b"VALID")
    grouped = "group" in fields and fields["group"].i != 1
    alone = all(each in own and used.count(each) == 1 for each in node.input[1:])
    return node if alone and not padded and not grouped else None


def _change(graph: Graph, tensor: Any, value: Floats) -> None:
    tensor.CopyFrom(graph.numpy_helper.from_array(value.astype(np.float32), tensor.name))
