"""Bake preprocessing, calibration and card into an ONNX graph: how a model file is made.

A bare network (float32 planes in, numbers out) becomes one file that takes uint8 RGB pictures and
answers with scores, unit embeddings or candidates for faces. The work is done on the ONNX graph
itself, so it serves networks we trained and networks others exported alike. Needs the ``onnx``
package (extra ``train``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegauge import models
from facegauge.alignment import Mode
from facegauge.cards import (
    METADATA_KEY,
    Calibration,
    Card,
    Crop,
    Golden,
    Kind,
    Training,
    View,
)
from facegauge.choices import named
from facegauge.conventions import CONVENTIONS, Preprocessing
from facegauge.errors import ModelError, OptionError
from facegauge.folding import folded
from facegauge.graphs import Graph, Shape, assemble, only_input, require_onnx, save
from facegauge.operating import OperatingTable

if TYPE_CHECKING:
    import onnx

GOLDEN_SEED = 20251121
_PLACEHOLDER = Golden(seed=GOLDEN_SEED, outputs=((0.0,), (0.0,), (0.0,)))


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
    graph = begin(bare, preprocessing)
    helper, source = graph.helper, graph.source
    graph.constant("fg_flat", np.array([-1], dtype=np.int64))
    graph.nodes.append(helper.make_node("Reshape", [source, "fg_flat"], ["raw"]))
    if card.calibration is None:
        raise ModelError(f"{card.name}: a quality model needs a calibration to be written.")
    _add_calibration(graph, card.calibration)
    return _finish(graph, {"raw": ["n"], "score": ["n"]}, card, out)


def bake_recogniser(
    bare: onnx.ModelProto, preprocessing: Preprocessing, card: Card, out: Path
) -> Card:
    """Write a recogniser: ``image`` in, unit-length ``embedding`` N×D and former ``norm`` out."""
    graph = begin(bare, preprocessing)
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
    return _finish(graph, {"embedding": ["n", width], "norm": ["n"]}, card, out)


def bake_detector(
    bare: onnx.ModelProto, preprocessing: Preprocessing, card: Card, out: Path
) -> Card:
    """Write a detector: ``image`` of any size in, ``boxes``, ``landmarks``, ``confidence`` out.

    Args:
        bare: a network that takes planes of any height and width that are multiples of 32, with
            outputs of these three names in any order, decoded to pixels of the picture (pixel
            centres at whole numbers): N×P×4 (x0, y0, x1, y1), N×P×10 and, in 0..1, N×P.
        preprocessing: what the network expects.
        card: the card; its golden vectors are filled in here, from the finished file.
        out: the file to write.

    Returns:
        The card as written.
    """
    shapes: dict[str, Shape] = {
        "boxes": ["n", "p", 4],
        "landmarks": ["n", "p", 10],
        "confidence": ["n", "p"],
    }
    names = {output.name for output in bare.graph.output}
    if card.kind is not Kind.DETECTOR or not names >= set(shapes):
        raise ModelError(
            f"Expected a {Kind.DETECTOR} with the outputs {', '.join(shapes)}, got {card.name}, a "
            f"{card.kind} with {', '.join(sorted(names))}."
        )
    graph = begin(bare, preprocessing)
    for name in shapes:
        graph.nodes.append(graph.helper.make_node("Identity", [f"{graph.prefix}{name}"], [name]))
    return _finish(graph, shapes, card, out)


def wrap_recogniser(
    source: Path, convention: str, out: Path, size: int = 112, resampling: str = "smooth"
) -> Card:
    """Turn a bare recogniser ONNX file into a self-describing one (``facegauge models wrap``).

    ``resampling`` is how faces are aligned for it: ``smooth`` averages where a large face shrinks,
    ``reference`` is the bilinear warp of most published evaluations (see alignment).

    Raises:
        OptionError: an unknown convention or resampling.
        ModelError: the source is no ONNX file or has several inputs.
    """
    if convention not in CONVENTIONS:
        raise OptionError(f"Unknown convention {convention!r}; one of: {', '.join(CONVENTIONS)}.")
    note = f"wrapped from {source.name} with convention {convention}"
    crop = Crop(
        view=View.ALIGNED, size=size, resampling=named(Mode, resampling, "resampling").value
    )
    card = draft_card(source.stem, "1", Kind.RECOGNISER, crop, training=Training(notes=note))
    return bake_recogniser(load_bare(source), CONVENTIONS[convention], card, out)


def annotate(source: str, tables: Sequence[OperatingTable], out: Path) -> Card:
    """Write a model, by name or file, with these operating tables in place of its own, if any.

    Raises:
        ModelError: the source is no model of ours, or no quality model.
    """
    onnx = require_onnx()
    card = replace(models.open(source).card, operating=tuple(tables))
    model = onnx.load(str(models.locate(source)))
    with _drafted(out) as draft:
        save(model, card, draft)
        models.open(draft)
    return card


def load_bare(source: Path) -> Any:
    """Read an ONNX file that has no card yet.

    Raises:
        ModelError: not an ONNX file, or one that is wrapped already.
    """
    onnx = require_onnx()
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


def begin(bare: onnx.ModelProto, preprocessing: Preprocessing) -> Graph:
    """uint8 RGB N×H×W×3 -> float32 in the network's order, scale (see folding) and layout.

    The layout changes first: ONNX Runtime gathers, subtracts and divides along a last axis of three
    colours some twenty times slower than along planes.
    """
    graph = Graph(bare)
    planar = preprocessing.planar
    shape = (3, 1, 1) if planar else (3,)
    steps: list[tuple[str, list[str], dict[str, Any]]] = []
    if planar:
        steps.append(("Transpose", [], {"perm": [0, 3, 1, 2]}))
    if preprocessing.bgr:
        graph.constant("fg_order", np.array([2, 1, 0], dtype=np.int64))
        steps.append(("Gather", ["fg_order"], {"axis": 1 if planar else 3}))
    steps.append(("Cast", [], {"to": 1}))
    if not folded(graph, preprocessing):
        graph.constant("fg_mean", np.array(preprocessing.mean, dtype=np.float32).reshape(shape))
        graph.constant("fg_std", np.array(preprocessing.std, dtype=np.float32).reshape(shape))
        steps += [("Sub", ["fg_mean"], {}), ("Div", ["fg_std"], {})]
    names = ["image", *(f"fg_{op.lower()}" for op, _, _ in steps[:-1]), only_input(graph.bare)]
    for place, (op, others, fields) in enumerate(steps):
        inputs, output = [names[place], *others], names[place + 1]
        graph.nodes.append(graph.helper.make_node(op, inputs, [output], **fields))
    graph.nodes += list(graph.bare.graph.node)
    return graph


def _add_calibration(graph: Graph, calibration: Calibration) -> None:
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


def _finish(graph: Graph, outputs: Mapping[str, Shape], card: Card, out: Path) -> Card:
    """As ``finish``, for a graph under construction."""
    anywhere = card.kind is Kind.DETECTOR
    sides: Shape = ["h", "w"] if anywhere else [card.crop.size, card.crop.size]
    return finish(assemble(graph, card.name, sides, outputs), card, out)


def finish(model: onnx.ModelProto, card: Card, out: Path) -> Card:
    """Write the file with a draft card, run it, and write it again with its golden vectors.

    Raises:
        ModelError: a network that does not answer its golden inputs with numbers.
    """
    with _drafted(out) as draft:
        save(model, card, draft)
        answers = models.open(draft, check=False).golden_answers(card.golden.seed)
        if not np.isfinite(answers).all():
            raise ModelError(f"{card.name}: the network answers golden inputs with {answers}.")
        golden = Golden(seed=card.golden.seed, outputs=tuple(map(tuple, answers.tolist())))
        finished = replace(card, golden=golden)
        save(model, finished, draft)
        models.open(draft)
    return finished


@contextmanager
def _drafted(out: Path) -> Iterator[Path]:
    """A file to write to, which takes the place of ``out`` when all went well."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_suffix(".draft.onnx")
    try:
        yield draft
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _width(bare: onnx.ModelProto, preprocessing: Preprocessing, size: int) -> int:
    """Width D of the network's output, found by running it once."""
    import onnxruntime

    shape = (2, 3, size, size) if preprocessing.planar else (2, size, size, 3)
    planes = {only_input(bare): np.zeros(shape, dtype=np.float32)}
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
