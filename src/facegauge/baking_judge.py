"""A judge is put into a detector's file: two networks, one file, one card.

The file then has a second input, ``face_image`` (uint8 RGB N×64×64×3: squares around candidates),
and answers to it with ``face_confidence`` N. The two parts share no node, so that a program runs
the one that it asks for. Needs the ``onnx`` package (extra ``train``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegauge import baking, graphs, models
from facegauge.cards import Card, Kind
from facegauge.conventions import Preprocessing
from facegauge.errors import ModelError

if TYPE_CHECKING:
    import onnx

OUTPUTS: dict[str, graphs.Shape] = {
    "confidence": ["n"],
}


def bake_judge(
    detector: str | Path, bare: onnx.ModelProto, preprocessing: Preprocessing, card: Card, out: Path
) -> Card:
    """Write a detector anew, with a judge in it.

    Args:
        detector: name or file of a detector of ours; a judge that it has already is replaced.
        bare: a network that takes planes N×3×64×64, with the one output ``confidence``, N in 0..1.
        preprocessing: what that network expects.
        card: the card; its golden vectors are filled in here, from the finished file.
        out: the file to write.

    Returns:
        The card as written.

    Raises:
        ModelNotFound: no such detector.
        ModelError: it is none of ours, or the network has other outputs.
    """
    onnx = graphs.require_onnx()
    found = models.read_card(detector)
    names = {output.name for output in bare.graph.output}
    if found.kind is not Kind.DETECTOR or card.kind is not Kind.DETECTOR or names != set(OUTPUTS):
        raise ModelError(
            f"Expected a detector and a judge with the output {', '.join(OUTPUTS)}, got "
            f"{found.name}, a {found.kind}, and {', '.join(sorted(names))}."
        )
    model = onnx.load(str(models.locate(detector)))
    _without_judge(model)
    _add(model, onnx.compose.add_prefix(_assembled(bare, preprocessing), models.JUDGED))
    graphs.halve(model)
    return baking.finish(model, card, out)


def _assembled(bare: onnx.ModelProto, preprocessing: Preprocessing) -> Any:
    """The judge with its preprocessing, as a model of its own."""
    graph = baking.begin(bare, preprocessing)
    for name in OUTPUTS:
        graph.nodes.append(graph.helper.make_node("Identity", [f"{graph.prefix}{name}"], [name]))
    return graphs.assemble(graph, "judge", [models.SQUARE, models.SQUARE], OUTPUTS)


def _add(model: onnx.ModelProto, other: onnx.ModelProto) -> None:
    """Everything in another model, beside what a model has; their names must differ."""
    for part in ("node", "initializer", "input", "output"):
        getattr(model.graph, part).extend(getattr(other.graph, part))
    versions = {each.domain: each.version for each in model.opset_import}
    if any(versions.get(each.domain, each.version) != each.version for each in other.opset_import):
        raise ModelError(
            f"Expected two networks of one version of ONNX, got {versions} and "
            f"{list(other.opset_import)}. Export the detector again."
        )
    model.functions.extend(other.functions)
    model.ir_version = max(model.ir_version, other.ir_version)


def _without_judge(model: onnx.ModelProto) -> None:
    """Take out the part of an earlier judge."""
    for part in ("node", "initializer", "input", "output"):
        entries = getattr(model.graph, part)
        kept = [each for each in entries if not _is_judges(each)]
        del entries[:]
        entries.extend(kept)


def _is_judges(entry: Any) -> bool:
    written = entry.output[0] if hasattr(entry, "op_type") else entry.name
    return str(written).startswith(models.JUDGED)
