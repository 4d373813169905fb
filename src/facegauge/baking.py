"""Bake preprocessing, calibration and card into an ONNX graph: how a model file is made.

A bare network (float32 planes in, numbers out) becomes one file that takes uint8 RGB pictures and
answers with scores or unit embeddings. The work is done on the ONNX graph itself, so it serves
networks we trained and networks others exported alike. Needs the ``onnx`` package (extra
``train``).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegauge import models
from facegauge.cards import METADATA_KEY, Calibration, Card, Crop, Golden, Kind, Training, View
from facegauge.errors import MissingExtra, ModelError, OptionError

if TYPE_CHECKING:
    import onnx

GOLDEN_SEED = 20251121
_PLACEHOLDER = Golden(seed=GOLDEN_SEED, outputs=((0.0,), (0.0,), (0.0,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """From uint8 RGB N×H×W×3 to what a network takes: (x - mean) / std on the 0..255 scale.

    ``mean`` and ``std`` are one number per channel in the network's own channel order; ``bgr`` says
    that this order is blue, green, red; ``planar`` that the layout is N×3×H×W.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool = False
    planar: bool = True


def _even(mean: float, std: float, *, bgr: bool = False) -> Preprocessing:
    return Preprocessing(mean=(mean,) * 3, std=(std,) * 3, bgr=bgr)


CONVENTIONS = {
    "arcface": _even(127.5, 127.5),
    "arcface-bgr": _even(127.5, 127.5, bgr=True),
    "raw": _even(0.0, 1.0),
    "unit": _even(0.0, 255.0),
    "bgr-unit": _even(0.0, 255.0, bgr=True),
    "imagenet": Preprocessing(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
}
"""Named preprocessing: arcface (x-127.5)/127.5, raw 0..255, unit x/255, imagenet's mean and std."""


def bake_quality(
    bare: onnx.ModelProto, preprocessing: Preprocessing, card: Card, out: Path
) -> Card:
    """Write a quality model: ``image`` in, ``raw`` and ``score`` out.

    Args:
        bare: a network with one input and one output of N or N×1 values.
        preprocessing: what the network expects.
        card: the card; its golden vectors are filled in here, from the finished file.
        out: the file to write.

    Returns:
        The card as written.
    """
    graph = _begin(bare, preprocessing)
    helper, source = graph.helper, graph.source
    graph.constant("fg_flat", np.array([-1], dtype=np.int64))
    graph.nodes.append(helper.make_node("Reshape", [source, "fg_flat"], ["raw"]))
    if card.calibration is None:
        raise ModelError(f"{card.name}: a quality model needs a calibration to be written.")
    _add_calibration(graph, card.calibration)
    return _finish(graph, ["raw", "score"], [["n"], ["n"]], card, out)


def bake_recogniser(
    bare: onnx.ModelProto, preprocessing: Preprocessing, card: Card, out: Path
) -> Card:
    """Write a recogniser: ``image`` in, unit-length ``embedding`` N×D and former ``norm`` out."""
    graph = _begin(bare, preprocessing)
    helper, source = graph.helper, graph.source
    graph.constant("fg_tiny", np.array(1e-12, dtype=np.float32))
    graph.constant("fg_flat", np.array([-1], dtype=np.int64))
    for op, inputs, output in (
        ("Mul", [source, source], "fg_squares"),
        ("MatMul", ["fg_squares", "fg_ones"], "fg_sum"),
        ("Sqrt", ["fg_sum"], "fg_length"),
        ("Max", ["fg_length", "fg_tiny"], "fg_safe"),
        ("Div", [source, "fg_safe"], "embedding"),
        ("Reshape", ["fg_length", "fg_flat"], "norm"),
    ):
        graph.nodes.append(helper.make_node(op, inputs, [output]))
    width = _width(bare, preprocessing, card.crop.size)
    graph.constant("fg_ones", np.ones((width, 1), dtype=np.float32))
    return _finish(graph, ["embedding", "norm"], [["n", width], ["n"]], card, out)


def wrap_recogniser(source: Path, convention: str, out: Path, size: int = 112) -> Card:
    """Turn a bare recogniser ONNX file into a self-describing one (``facegauge models wrap``).

    Raises:
        OptionError: an unknown convention.
        ModelError: the source is no ONNX file or has several inputs.
    """
    if convention not in CONVENTIONS:
        raise OptionError(f"Unknown convention {convention!r}; one of: {', '.join(CONVENTIONS)}.")
    note = f"wrapped from {source.name} with convention {convention}"
    crop = Crop(view=View.ALIGNED, size=size)
    card = draft_card(source.stem, "1", Kind.RECOGNISER, crop, training=Training(notes=note))
    return bake_recogniser(load_bare(source), CONVENTIONS[convention], card, out)


def load_bare(source: Path) -> Any:
    """Read an ONNX file that has no card yet.

    Raises:
        ModelError: not an ONNX file, or one that is wrapped already.
    """
    onnx = _onnx()
    try:
        bare = onnx.load(str(source))
    except FileNotFoundError as error:
        raise ModelError(f"Expected an ONNX file, found nothing at {source}.") from error
    except Exception as error:  # protobuf's DecodeError is not part of onnx's interface
        raise ModelError(f"{source} is not an ONNX file: {error}") from error
    if any(entry.key == METADATA_KEY for entry in bare.metadata_props):
        raise ModelError(f"{source} has a facegauge card already; it can be used as it is.")
    return bare


def draft_card(name: str, version: str, kind: Kind, crop: Crop, **fields: Any) -> Card:
    """A card whose golden vectors are still to be filled in by baking."""
    return Card(name=name, version=version, kind=kind, crop=crop, golden=_PLACEHOLDER, **fields)


class _Graph:
    """A model under construction: the bare network plus nodes before and after it."""

    def __init__(self, bare: onnx.ModelProto) -> None:
        onnx = _onnx()
        self.helper = onnx.helper
        self.numpy_helper = onnx.numpy_helper
        if not bare.graph.output:
            raise ModelError("Expected a network with an output, got an empty file.")
        self.bare = onnx.compose.add_prefix(bare, "net/")  # a copy; its names cannot meet ours
        self.source = self.bare.graph.output[0].name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> None:
        self.constants.append(self.numpy_helper.from_array(np.asarray(value), name))


def _begin(bare: onnx.ModelProto, preprocessing: Preprocessing) -> _Graph:
    """uint8 RGB N×H×W×3 -> float32 in the network's order, scale and layout."""
    graph = _Graph(bare)
    node = graph.helper.make_node
    target = _only_input(graph.bare)
    order = [2, 1, 0] if preprocessing.bgr else [0, 1, 2]
    graph.constant("fg_order", np.array(order, dtype=np.int64))
    graph.constant("fg_mean", np.array(preprocessing.mean, dtype=np.float32))
    graph.constant("fg_std", np.array(preprocessing.std, dtype=np.float32))
    graph.nodes += [
        node("Gather", ["image", "fg_order"], ["fg_ordered"], axis=3),
        node("Cast", ["fg_ordered"], ["fg_float"], to=1),
        node("Sub", ["fg_float", "fg_mean"], ["fg_centred"]),
        node("Div", ["fg_centred", "fg_std"], ["fg_scaled"]),
    ]
    permutation = [0, 3, 1, 2] if preprocessing.planar else [0, 1, 2, 3]
    graph.nodes.append(node("Transpose", ["fg_scaled"], [target], perm=permutation))
    graph.nodes += list(graph.bare.graph.node)
    return graph


def _add_calibration(graph: _Graph, calibration: Calibration) -> None:
    """Score = s0 + sum_k slope_k * clip(raw - raw_k, 0, raw_{k+1} - raw_k): the table, in ops."""
    knots, scores = np.array(calibration.raw), np.array(calibration.score)
    steps = np.diff(knots)
    graph.constant("fg_knots", knots[:-1].astype(np.float32))
    graph.constant("fg_steps", steps.astype(np.float32))
    graph.constant("fg_slopes", (np.diff(scores) / steps).astype(np.float32)[:, None])
    graph.constant("fg_first", np.array(scores[0], dtype=np.float32))
    graph.constant("fg_zero", np.array(0.0, dtype=np.float32))
    graph.constant("fg_hundred", np.array(100.0, dtype=np.float32))
    graph.constant("fg_column", np.array([-1, 1], dtype=np.int64))
    node = graph.helper.make_node
    for op, inputs, output in (
        ("Reshape", ["raw", "fg_column"], "fg_raw"),
        ("Sub", ["fg_raw", "fg_knots"], "fg_above"),
        ("Max", ["fg_above", "fg_zero"], "fg_positive"),
        ("Min", ["fg_positive", "fg_steps"], "fg_inside"),
        ("MatMul", ["fg_inside", "fg_slopes"], "fg_rise"),
        ("Add", ["fg_rise", "fg_first"], "fg_open"),
        ("Max", ["fg_open", "fg_zero"], "fg_floored"),
        ("Min", ["fg_floored", "fg_hundred"], "fg_bounded"),
        ("Reshape", ["fg_bounded", "fg_flat"], "score"),
    ):
        graph.nodes.append(node(op, inputs, [output]))


def _finish(
    graph: _Graph, names: list[str], shapes: list[list[Any]], card: Card, out: Path
) -> Card:
    """Write the file with a draft card, run it, and write it again with its golden vectors."""
    model = _assemble(graph, names, shapes, card)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_suffix(".draft.onnx")
    try:
        _save(model, card, draft)
        answers = models.open(draft, check=False).golden_answers(card.golden.seed)
        if not np.isfinite(answers).all():
            raise ModelError(f"{card.name}: the network answers golden inputs with {answers}.")
        golden = Golden(seed=card.golden.seed, outputs=tuple(map(tuple, answers.tolist())))
        finished = replace(card, golden=golden)
        _save(model, finished, draft)
        models.open(draft)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return finished


def _assemble(graph: _Graph, names: list[str], shapes: list[list[Any]], card: Card) -> Any:
    helper, bare, size = graph.helper, graph.bare, card.crop.size
    image = helper.make_tensor_value_info("image", 2, ["n", size, size, 3])
    named = zip(names, shapes, strict=True)
    outputs = [helper.make_tensor_value_info(name, 1, shape) for name, shape in named]
    _forget_machine(bare)
    made = helper.make_graph(
        graph.nodes, card.name, [image], outputs, [*bare.graph.initializer, *graph.constants]
    )
    model = helper.make_model(made, opset_imports=list(bare.opset_import))
    model.ir_version = max(bare.ir_version, 7)
    model.functions.extend(bare.functions)
    model.producer_name = "facegauge"
    return model


def _forget_machine(part: Any) -> None:
    """Remove notes at every depth: exporters leave stack traces with paths of their machine."""
    for field, value in part.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            part.ClearField(field.name)
        elif field.message_type is not None:
            for each in value if isinstance(value, Sequence) else [value]:
                _forget_machine(each)


def _save(model: onnx.ModelProto, card: Card, path: Path) -> None:
    onnx = _onnx()
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _only_input(bare: onnx.ModelProto) -> str:
    weights = {tensor.name for tensor in bare.graph.initializer}
    inputs: list[str] = [entry.name for entry in bare.graph.input if entry.name not in weights]
    if len(inputs) != 1:
        raise ModelError(f"Expected a network with one input, got {inputs}.")
    return inputs[0]


def _width(bare: onnx.ModelProto, preprocessing: Preprocessing, size: int) -> int:
    """Width D of the network's output, found by running it once."""
    import onnxruntime

    shape = (2, 3, size, size) if preprocessing.planar else (2, size, size, 3)
    planes = {_only_input(bare): np.zeros(shape, dtype=np.float32)}
    try:
        session = onnxruntime.InferenceSession(
            bare.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        [answer] = session.run([bare.graph.output[0].name], planes)
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ModelError(
            f"Expected a network that takes any number of {size}x{size} pictures, but it fails on "
            f"two: {str(error).splitlines()[0]}"
        ) from error
    if np.ndim(answer) != 2 or len(answer) != 2:
        raise ModelError(f"Expected an output N×D, got {np.shape(answer)} for two pictures.")
    return int(np.shape(answer)[1])


def _onnx() -> Any:
    try:
        importlib.import_module("onnx.numpy_helper")
        importlib.import_module("onnx.compose")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtra("writing a model file", "train", "onnx") from error
