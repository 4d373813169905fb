"""A torch network as a bare ONNX model, before preprocessing and card are baked in."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from facegauge.errors import TrainingError
from facegauge.train.lean import lean

OPSET = 18
GELU_OPSET = 20
"""The first with GELU as one node, which ONNX Runtime computes in one pass instead of five."""


def to_onnx(
    network: nn.Module,
    example: Tensor,
    outputs: tuple[str, ...],
    dimensions: dict[int, Any] | None = None,
) -> Any:
    """Export a network of one input, ``planes``, in as few steps as its answers take (see lean).

    Args:
        network: put into evaluation mode here.
        example: planes N×3×H×W to trace with.
        outputs: names of the network's outputs.
        dimensions: the input's dimensions that may change, as ``torch.export.Dim``; None: N alone.

    Raises:
        TrainingError: the exporter gave nothing.
    """
    network = lean(network, example)
    has_gelu = any(isinstance(part, nn.GELU) for part in network.modules())
    changing = dimensions or {0: torch.export.Dim("n", min=1)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=GELU_OPSET if has_gelu else OPSET,
            input_names=["planes"],
            output_names=list(outputs),
            dynamic_shapes=(changing,),
            verbose=False,
        )
    if program is None:
        raise TrainingError("The exporter gave no network; try another version of torch.")
    return program.model_proto
