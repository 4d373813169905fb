"""The first convolution takes pixels as they are, and the network answers as it did."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from facegauge.baking import begin
from facegauge.conventions import CONVENTIONS
from facegauge.graphs import assemble

SIZE = 8
SHAPE = [None, 3, SIZE, SIZE]


def network(*, bias=True, others=(), **fields) -> onnx.ModelProto:
    """One convolution of random weights, and nodes beside it that make y2 of x."""
    rng = np.random.default_rng(3)
    width = 3 // fields.get("group", 1)
    weights = {"w": rng.normal(size=(6, width, 4, 4)), "b": rng.normal(size=6)}
    names = ["x", "w", "b"] if bias else ["x", "w"]
    nodes = [helper.make_node("Conv", names, ["y"], **fields), *others]
    outputs = ["y", *(node.output[0] for node in others[-1:])]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("x", 1, SHAPE)],
            [helper.make_tensor_value_info(name, 1, None) for name in outputs],
            [numpy_helper.from_array(weights[n].astype(np.float32), n) for n in names[1:]],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


def answer(model: onnx.ModelProto, name: str, shown: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run([name], {session.get_inputs()[0].name: shown})[0]


def baked(bare: onnx.ModelProto, convention: str) -> onnx.ModelProto:
    graph = begin(bare, CONVENTIONS[convention])
    return assemble(graph, "g", [SIZE, SIZE], {graph.source: [None, 6, None, None]})


def kept(model: onnx.ModelProto) -> list[str]:
    """The steps before the convolution."""
    steps = [node.op_type for node in model.graph.node]
    return steps[: steps.index("Conv")]


SIZED = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Cast", ["s"], ["y2"], to=1)]
TWICE = [helper.make_node("Relu", ["x"], ["y2"])]
SHARED = [helper.make_node("Relu", ["w"], ["y2"])]


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
@pytest.mark.parametrize(
    ("bare", "whole"),
    [
        (network(strides=[4, 4]), True),
        (network(strides=[4, 4], bias=False), True),
        (network(pads=[0, 0, 0, 0]), True),
        (network(auto_pad="VALID"), True),
        (network(others=SIZED), True),
        (network(pads=[0, 1, 0, 0]), False),
        (network(auto_pad="SAME_UPPER"), False),
        (network(group=3), False),
        (network(others=TWICE), False),
        (network(others=SHARED), False),
    ],
    ids=[
        "patches",
        "no-bias",
        "zero-pads",
        "valid",
        "sized",
        "pads",
        "same",
        "grouped",
        "twice",
        "shared",
    ],
)
def test_the_answers_stay_and_where_it_can_be_the_steps_go(bare, whole, convention):
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    chosen = CONVENTIONS[convention]
    planes = images[..., ::-1] if chosen.bgr else images
    planes = (planes.astype(np.float32) - np.float32(chosen.mean)) / np.float32(chosen.std)
    expected = answer(bare, "y", planes.transpose(0, 3, 1, 2))
    model = baked(bare, convention)
    np.testing.assert_allclose(answer(model, "net/y", images), expected, rtol=1e-4, atol=2e-5)
    assert ("Sub" in kept(model), "Div" in kept(model)) == (not whole, not whole)


def test_a_branch_that_may_see_the_picture_leaves_all_as_it_was():
    inner = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["z"])],
        "inner",
        [],
        [helper.make_tensor_value_info("z", 1, None)],
    )
    yes = helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True)))
    branch = helper.make_node("If", ["yes"], ["y2"], then_branch=inner, else_branch=inner)
    graph = begin(network(others=[yes, branch]), CONVENTIONS["imagenet"])
    assert "Sub" in [node.op_type for node in graph.nodes]
