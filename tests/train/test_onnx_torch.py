"""ONNX files in torch: the same numbers as ONNX Runtime, with gradients; what is not known."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from facegauge import models
from facegauge.baking import wrap_recogniser
from facegauge.cards import Crop, View
from facegauge.errors import ModelError
from facegauge.pictures import Cut, Picture
from facegauge.tables import read_landmarks
from facegauge.train.onnx_operators import OPERATORS
from facegauge.train.onnx_torch import OnnxNetwork, PlanesInOnnx
from published_files import DATA, needs
from tiny_models import edited, textures
from toy_recognisers import conv_recogniser, crops, gemm_recogniser

RECOGNISERS = {
    name: DATA / "recognisers" / f"mobilefacenet_{name}.onnx"
    for name in ("insightface_y1", "foamliu")
}
CROPS = DATA / "celeba_crops"
node = helper.make_node


@pytest.fixture(params=[gemm_recogniser, conv_recogniser])
def toy(request, tmp_path):
    return request.param(tmp_path / "toy.onnx")


def planes(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(torch.float32) / 255


def test_toy_recognisers_agree(toy):
    pictures = crops(5)
    with torch.no_grad():
        found = PlanesInOnnx(toy).eval()(planes(pictures)).numpy()
    assert found == pytest.approx(models.open(toy).embed(pictures).embedding, abs=1e-6)


def test_gradients_are_those_of_differences(toy):
    network = PlanesInOnnx(toy).double()
    for buffer in network.buffers():
        assert not buffer.requires_grad
    start = planes(crops(1, seed=2)).double()

    def away(x):
        return network(x)[0, 0]

    x = start.clone().requires_grad_(True)
    [gradient] = torch.autograd.grad(away(x), x)
    rng, step = np.random.default_rng(0), 1e-4
    for _ in range(10):
        at = (0, *(int(rng.integers(0, side)) for side in x.shape[1:]))
        low, high = start.clone(), start.clone()
        low[at] -= step
        high[at] += step
        slope = float(away(high) - away(low)) / (2 * step)
        assert float(gradient[at]) == pytest.approx(slope, abs=2e-3 * float(gradient.abs().max()))


@pytest.mark.slow
@needs(*RECOGNISERS.values(), CROPS)
@pytest.mark.parametrize(
    ("name", "convention"), [("insightface_y1", "raw"), ("foamliu", "arcface")]
)
def test_real_recognisers_agree_on_real_crops(name, convention, tmp_path):
    wrapped = tmp_path / f"{name}.onnx"
    wrap_recogniser(RECOGNISERS[name], convention, wrapped)
    table = read_landmarks(CROPS.with_suffix(".csv"))
    cut = Cut(crop=Crop(view=View.ALIGNED, size=112), table=table, detector=None, aligned=False)
    sixteen = [Picture(name=path, source=CROPS / path) for path in list(table.first)[:16]]
    pictures = np.stack([cut.prepare(each).crop for each in sixteen])
    with torch.no_grad():
        found = PlanesInOnnx(wrapped).eval()(planes(pictures)).numpy()
    assert found == pytest.approx(models.open(wrapped).embed(pictures).embedding, abs=1e-4)


def one_node(kind: str, inputs: list[np.ndarray | None], opset: int = 18, **attributes) -> Path:
    """A graph of one operator; the first input is the picture, the others are weights."""
    names = [f"i{at}" if each is not None else "" for at, each in enumerate(inputs)]
    weights = [
        numpy_helper.from_array(each, name)
        for each, name in zip(inputs[1:], names[1:], strict=True)
        if each is not None
    ]
    types = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.uint8): TensorProto.UINT8}
    image = helper.make_tensor_value_info("i0", types[inputs[0].dtype], inputs[0].shape)
    graph = helper.make_graph(
        [node(kind, names, ["y"], **attributes)],
        "one",
        [image],
        [helper.make_empty_tensor_value_info("y")],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (2, 4, 6, 5)).astype(np.float32)
FLAT = RNG.normal(0, 1, (3, 4)).astype(np.float32)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


CASES = {
    "Add": ("Add", [X, normal(4, 1, 1)], {}),
    "BatchNormalization": (
        "BatchNormalization",
        [X, normal(4), normal(4), normal(4), np.abs(normal(4)) + 1],
        {"epsilon": 2e-5},
    ),
    "Cast": ("Cast", [X], {"to": TensorProto.INT64}),
    "Cast of bytes": ("Cast", [X.astype(np.uint8)], {"to": TensorProto.FLOAT}),
    "Clip": ("Clip", [X, np.float32(-0.5), np.float32(0.3)], {}),
    "Clip above": ("Clip", [X, None, np.float32(0.3)], {}),
    "Clip below": ("Clip", [X, np.float32(0)], {}),
    "Clip of opset 9": ("Clip", [X], {"min": -0.5, "max": 0.3, "opset": 9}),
    "Concat": ("Concat", [X, normal(2, 1, 6, 5)], {"axis": 1}),
    "Conv": (
        "Conv",
        [X, normal(6, 2, 3, 3), normal(6)],
        {"group": 2, "strides": [2, 1], "pads": [1, 0, 1, 0], "dilations": [1, 2]},
    ),
    "Conv padded on one side": (
        "Conv",
        [X, normal(6, 4, 3, 3)],
        {"strides": [2, 2], "pads": [0, 0, 1, 1]},
    ),
    "Div": ("Div", [X, np.float32(3)], {}),
    "Dropout": ("Dropout", [X, np.float32(0.4)], {}),
    "Flatten": ("Flatten", [X], {"axis": 2}),
    "Gather": ("Gather", [X, np.array([[2, 0], [1, 1]])], {"axis": 1}),
    "Gemm": ("Gemm", [FLAT, normal(7, 4), normal(7)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "Gemm without bias": ("Gemm", [FLAT, normal(3, 7)], {"transA": 1}),
    "Identity": ("Identity", [X], {}),
    "MatMul": ("MatMul", [FLAT, normal(4, 7)], {}),
    "Max": ("Max", [X, np.float32(0.1), normal(5)], {}),
    "Mul": ("Mul", [X, normal(5)], {}),
    "PRelu": ("PRelu", [X, normal(4, 1, 1)], {}),
    "PRelu by column": ("PRelu", [X, normal(5)], {}),
    "Relu": ("Relu", [X], {}),
    "Reshape": ("Reshape", [X, np.array([0, -1, 3])], {}),
    "Shape": ("Shape", [X], {}),
    "Sqrt": ("Sqrt", [np.abs(X)], {}),
    "Sub": ("Sub", [X, normal(6, 5)], {}),
    "Transpose": ("Transpose", [X], {"perm": [0, 3, 1, 2]}),
    "Unsqueeze": ("Unsqueeze", [X, np.array([0, 3])], {}),
    "Unsqueeze of opset 12": ("Unsqueeze", [X], {"axes": [0, 3], "opset": 12}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_every_operator_is_that_of_onnx_runtime(case, tmp_path):
    kind, inputs, attributes = CASES[case]
    model = one_node(kind, inputs, **attributes)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    [expected] = session.run(None, {"i0": inputs[0]})
    onnx.save(model, str(tmp_path / "one.onnx"))
    found = OnnxNetwork(tmp_path / "one.onnx")(torch.from_numpy(inputs[0])).numpy()
    assert found.shape == expected.shape
    assert found == pytest.approx(expected, abs=1e-5)


def test_every_operator_has_a_case():
    assert {kind for kind, _, _ in CASES.values()} == set(OPERATORS)


def test_an_unknown_operator_is_named(tmp_path):
    onnx.save(textures(32), str(tmp_path / "textures.onnx"))
    with pytest.raises(ModelError, match="got GlobalAveragePool. Export") as told:
        OnnxNetwork(tmp_path / "textures.onnx")
    assert "BatchNormalization, Cast" in str(told.value)


def test_other_files_are_refused(toy, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="Expected an ONNX file"):
        OnnxNetwork(tmp_path / "bad.onnx")
    with pytest.raises(ModelError, match="got embedding, norm"):
        OnnxNetwork(toy, "score")

    def pad(model):
        conv = next(each for each in model.graph.node if each.op_type == "Conv")
        conv.attribute.append(helper.make_attribute("auto_pad", "SAME_UPPER"))

    network = PlanesInOnnx(edited(toy, tmp_path / "padded.onnx", pad))
    with pytest.raises(ModelError, match="explicit padding"):
        network(planes(crops(1)))


def test_the_other_output_is_the_norm(toy):
    pictures = crops(3)
    found = OnnxNetwork(toy, "norm")(torch.from_numpy(pictures).to(torch.float32)).numpy()
    assert found == pytest.approx(models.open(toy).embed(pictures).norm, rel=1e-5)
