"""The ONNX operators that recognisers' files hold, in torch (https://onnx.ai/onnx/operators).

Each takes the node's inputs (None where one is left out) and its attributes. Inputs that opset 13
made of attributes (axes, limits) are looked for in both places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from facegauge.errors import ModelError

Given = Sequence[Any]
Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a graph: its operator, the names of its tensors, and its attributes."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Attributes


def _conv(given: Given, attributes: Attributes) -> Tensor:
    picture, weight, bias = (*given, None)[:3]
    pads = list(attributes.get("pads", (0, 0, 0, 0)))
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or len(pads) != 4:
        raise ModelError(
            f"Expected a two-dimensional Conv with stated pads, got {dict(attributes)}. Export the "
            "recogniser with explicit padding."
        )
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        picture = functional.pad(picture, (left, right, top, bottom))
        top = left = 0
    return functional.conv2d(
        picture,
        weight,
        bias,
        stride=attributes.get("strides", (1, 1)),
        padding=(top, left),
        dilation=attributes.get("dilations", (1, 1)),
        groups=attributes.get("group", 1),
    )


def _normalised(given: Given, attributes: Attributes) -> Tensor:
    picture, scale, shift, mean, variance = given
    epsilon = attributes.get("epsilon", 1e-5)
    return functional.batch_norm(picture, mean, variance, scale, shift, eps=epsilon)


def _prelu(given: Given, attributes: Attributes) -> Tensor:
    picture, slope = given
    if slope.numel() == 1 or slope.shape == (picture.shape[1], 1, 1):  # one for each channel
        return functional.prelu(picture, slope.flatten())
    return torch.where(picture < 0, slope * picture, picture)


def _clip(given: Given, attributes: Attributes) -> Tensor:
    limits = [each if each is None else float(each) for each in (*given[1:], None, None)[:2]]
    low, high = (
        attributes.get(name) if limit is None else limit
        for name, limit in zip(("min", "max"), limits, strict=True)
    )
    return given[0].clamp(low, high) if (low, high) != (None, None) else given[0]


def _gemm(given: Given, attributes: Attributes) -> Tensor:
    first = given[0].T if attributes.get("transA") else given[0]
    second = given[1].T if attributes.get("transB") else given[1]
    product = attributes.get("alpha", 1.0) * (first @ second)
    if len(given) < 3:
        return product
    return product + attributes.get("beta", 1.0) * given[2]


def _reshape(given: Given, attributes: Attributes) -> Tensor:
    wanted = given[1].tolist()
    if not attributes.get("allowzero"):
        wanted = [given[0].shape[at] if side == 0 else side for at, side in enumerate(wanted)]
    return given[0].reshape(wanted)


def _flatten(given: Given, attributes: Attributes) -> Tensor:
    axis = attributes.get("axis", 1) % (given[0].ndim + 1)
    rows = int(torch.tensor(given[0].shape[:axis]).prod())
    return given[0].reshape(rows, -1)


def _unsqueeze(given: Given, attributes: Attributes) -> Tensor:
    axes = attributes["axes"] if len(given) < 2 else given[1].tolist()
    found = given[0]
    for axis in sorted(axes):
        found = found.unsqueeze(axis)
    return found


def _gather(given: Given, attributes: Attributes) -> Tensor:
    values, places = given
    axis = attributes.get("axis", 0)
    flat = values.index_select(axis, places.reshape(-1).to(values.device))
    return flat.reshape((*values.shape[:axis], *places.shape, *values.shape[axis + 1 :]))


def _cast(given: Given, attributes: Attributes) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 11: torch.float64}
    if attributes["to"] not in kinds:
        raise ModelError(
            f"Expected a Cast to float or integer, got type {attributes['to']} of ONNX. Export the "
            "recogniser in float32."
        )
    return given[0].to(kinds[attributes["to"]])


def _largest(given: Given, attributes: Attributes) -> Tensor:
    found = given[0]
    for each in given[1:]:
        found = torch.maximum(found, each)
    return found


OPERATORS: dict[str, Callable[[Given, Attributes], Tensor]] = {
    "Add": lambda given, _: given[0] + given[1],
    "BatchNormalization": _normalised,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda given, attributes: torch.cat(list(given), dim=attributes["axis"]),
    "Conv": _conv,
    "Div": lambda given, _: given[0] / given[1],
    "Dropout": lambda given, _: given[0],
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "Identity": lambda given, _: given[0],
    "MatMul": lambda given, _: given[0] @ given[1],
    "Max": _largest,
    "Mul": lambda given, _: given[0] * given[1],
    "PRelu": _prelu,
    "Relu": lambda given, _: functional.relu(given[0]),
    "Reshape": _reshape,
    "Shape": lambda given, _: torch.tensor(given[0].shape),
    "Sqrt": lambda given, _: given[0].sqrt(),
    "Sub": lambda given, _: given[0] - given[1],
    "Transpose": lambda given, attributes: given[0].permute(attributes["perm"]),
    "Unsqueeze": _unsqueeze,
}
