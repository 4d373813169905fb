import math

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from facegauge import models
from facegauge.baking import (
    bake_detector,
    bake_quality,
    bake_recogniser,
    load_bare,
    wrap_recogniser,
)
from facegauge.cards import Crop, Kind, View, golden_inputs
from facegauge.conventions import CONVENTIONS, Preprocessing
from facegauge.errors import ModelError, OptionError
from tiny_models import (
    CALIBRATION,
    CELL,
    bright_cells,
    detector_card,
    network,
    quality_card,
    recogniser_file,
    textures,
    weighted_sum,
)

SIZE = 6
VALUES = SIZE * SIZE * 3
# Written out from the sources of the networks that use them, not from facegauge.
EXPECTED = {
    "arcface": (False, lambda x: (x - 127.5) / 127.5),
    "arcface-bgr": (True, lambda x: (x - 127.5) / 127.5),
    "raw": (False, lambda x: x),
    "bgr-raw": (True, lambda x: x),
    "unit": (False, lambda x: x / 255),
    "bgr-unit": (True, lambda x: x / 255),
    "adaface": (True, lambda x: (x / 255 - 0.5) / 0.5),
    "cosface": (False, lambda x: (x / 255 - 0.5) / 0.5),
    "swinface": (False, lambda x: (x / 255 - 0.5) / 0.5),
    "transface": (False, lambda x: (x / 255 - 0.5) / 0.5),
    "imagenet": (False, lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
}


def pictures(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    shape = (count, size, size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def one_weight_each(scale: float = 0.05) -> np.ndarray:
    return np.random.default_rng(8).normal(0, scale / math.sqrt(VALUES), (VALUES, 1))


def prepared(images: np.ndarray, convention: str) -> np.ndarray:
    """What the network should see, N×3×H×W, in plain numpy."""
    bgr, scale = EXPECTED[convention]
    ordered = images[..., ::-1] if bgr else images
    return scale(ordered.astype(np.float64)).transpose(0, 3, 1, 2)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    card = bake_quality(textures(32), CONVENTIONS["arcface"], quality_card(32), path)
    return path, card


def test_every_convention_has_its_expectation():
    assert set(CONVENTIONS) == set(EXPECTED)


@pytest.mark.parametrize("convention", EXPECTED)
def test_preprocessing_is_inside_the_file(tmp_path, convention):
    weights = one_weight_each(0.001 if "raw" in convention else 0.05)
    bare = weighted_sum(weights, ["n", 3, SIZE, SIZE])
    out = tmp_path / "m.onnx"
    bake_quality(bare, CONVENTIONS[convention], quality_card(SIZE), out)
    images = pictures(20)
    expected = prepared(images, convention).reshape(20, -1) @ weights[:, 0]
    assert models.open(out).predict(images).raw == pytest.approx(expected, abs=1e-5, rel=1e-4)


def test_interleaved_networks_get_their_layout(tmp_path):
    weights = one_weight_each()
    bare = weighted_sum(weights, ["n", SIZE, SIZE, 3])
    way = Preprocessing(mean=(1.0, 2.0, 3.0), std=(10.0, 20.0, 30.0), bgr=True, planar=False)
    bake_quality(bare, way, quality_card(SIZE), tmp_path / "m.onnx")
    images = pictures(5)
    scaled = (images[..., ::-1].astype(float) - [1, 2, 3]) / [10, 20, 30]
    found = models.open(tmp_path / "m.onnx").predict(images).raw
    assert found == pytest.approx(scaled.reshape(5, -1) @ weights[:, 0], abs=1e-5)


def test_the_graph_calibrates_as_the_card_says(tmp_path):
    weights = np.full((VALUES, 1), 4.0 / VALUES)  # raw is four times the mean of x / 255, minus 2
    way = Preprocessing(mean=(127.5,) * 3, std=(255.0,) * 3)
    bake_quality(weighted_sum(weights, ["n", 3, SIZE, SIZE]), way, quality_card(SIZE),
                 tmp_path / "m.onnx")  # fmt: skip
    levels = np.arange(256, dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (256, SIZE, SIZE, 3)).copy()
    found = models.open(tmp_path / "m.onnx").predict(images)
    assert found.raw.min() < CALIBRATION.raw[0] < CALIBRATION.raw[-1] < found.raw.max()
    assert found.score == pytest.approx(CALIBRATION.apply(found.raw), abs=1e-3)
    assert (np.diff(found.score) >= 0).all()
    inside = (found.raw[1:] > CALIBRATION.raw[0]) & (found.raw[:-1] < CALIBRATION.raw[-1])
    assert (np.diff(found.score)[inside] > 0).all()
    assert found.score.min() == 0.0
    assert found.score.max() == 100.0
    assert found.raw.dtype == found.score.dtype == np.float32


def test_the_card_written_is_the_card_in_the_file(tiny):
    path, card = tiny
    assert models.read_card(path) == card
    assert card.calibration == CALIBRATION
    answers = models.open(path).predict(golden_inputs(card.golden.seed, 32)).score
    assert [row[0] for row in card.golden.outputs] == pytest.approx(answers.tolist())
    assert len({round(row[0], 2) for row in card.golden.outputs}) == 3


def test_baking_leaves_only_the_file(tmp_path):
    out = tmp_path / "new" / "folder" / "m.onnx"
    bake_quality(textures(32), CONVENTIONS["unit"], quality_card(32), out)
    assert [entry.name for entry in out.parent.iterdir()] == ["m.onnx"]


def test_a_failed_bake_keeps_what_was_there(tmp_path):
    out = tmp_path / "m.onnx"
    out.write_bytes(b"before")
    two_numbers = textures(32, outputs=2)
    with pytest.raises(ModelError):
        bake_quality(two_numbers, CONVENTIONS["unit"], quality_card(32), out)
    assert out.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.onnx"]


def with_traces(bare: onnx.ModelProto) -> onnx.ModelProto:
    """Stack traces everywhere an exporter may leave them."""
    trace = 'File "/opt/secret/net.py", line 1'
    bare.doc_string = bare.graph.doc_string = trace
    bare.producer_name = "/opt/secret"
    inner = helper.make_node("Identity", ["a"], ["b"], doc_string=trace)
    function = helper.make_function(
        "local", "Same", ["a"], ["b"], [inner], [helper.make_opsetid("", 18)]
    )
    last = bare.graph.node[-1]
    last.output[0] = "almost"
    bare.graph.node.append(helper.make_node("Same", ["almost"], ["y"], domain="local"))
    bare.opset_import.append(helper.make_opsetid("local", 1))
    bare.functions.append(function)
    parts = [*bare.graph.node, *bare.graph.initializer, *bare.graph.input, *bare.graph.output]
    for part in [*parts, bare.graph, bare, bare.functions[0], bare.functions[0].node[0]]:
        part.doc_string = trace
        entry = part.metadata_props.add()
        entry.key, entry.value = "pkg.torch.onnx.stack_trace", trace
    return bare


def test_no_path_of_this_machine_is_written(tmp_path):
    out = tmp_path / "m.onnx"
    bake_quality(with_traces(textures(32)), CONVENTIONS["arcface"], quality_card(32), out)
    written = out.read_bytes()
    for trace in (b"/opt/", b"stack_trace", b".py", b'File "', str(tmp_path).encode()):
        assert trace not in written


def test_baking_does_not_change_the_network_it_is_given(tmp_path):
    bare = with_traces(textures(32))
    before = bare.SerializeToString(deterministic=True)
    bake_quality(bare, CONVENTIONS["arcface"], quality_card(32), tmp_path / "m.onnx")
    assert bare.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("opset", [8, 11, 13, 17, 21])
def test_networks_of_any_age_can_be_baked(tmp_path, opset):
    bare = weighted_sum(one_weight_each(), ["n", 3, SIZE, SIZE], opset=opset)
    bake_quality(bare, CONVENTIONS["unit"], quality_card(SIZE), tmp_path / "m.onnx")
    assert models.open(tmp_path / "m.onnx").predict(pictures(2)).score.shape == (2,)


@pytest.mark.parametrize(
    "names", [("image", "score"), ("image", "raw"), ("x", "score"), ("fg_float", "fg_flat")]
)
def test_a_quality_network_may_use_our_names(tmp_path, names):
    weights = one_weight_each()
    bare = weighted_sum(weights, ["n", 3, SIZE, SIZE], names=names)
    bake_quality(bare, CONVENTIONS["unit"], quality_card(SIZE), tmp_path / "m.onnx")
    images = pictures(3)
    expected = prepared(images, "unit").reshape(3, -1) @ weights[:, 0]
    found = models.open(tmp_path / "m.onnx").predict(images)
    assert found.raw == pytest.approx(expected, abs=1e-5)


def recogniser(tmp_path, convention="arcface", names=("x", "y")):
    weights = np.random.default_rng(4).normal(0, 1, (VALUES, 9))
    source = tmp_path / "net.onnx"
    onnx.save(weighted_sum(weights, ["n", 3, SIZE, SIZE], names=names), str(source))
    card = wrap_recogniser(source, convention, tmp_path / "wrapped.onnx", size=SIZE)
    return weights, card, models.open(tmp_path / "wrapped.onnx")


@pytest.mark.parametrize("convention", EXPECTED)
def test_a_wrapped_recogniser_gives_unit_embeddings(tmp_path, convention):
    weights, card, model = recogniser(tmp_path, convention)
    images = pictures(7)
    bare = prepared(images, convention).reshape(7, -1) @ weights
    length = np.linalg.norm(bare, axis=1)
    found = model.embed(images)
    assert found.embedding == pytest.approx(bare / length[:, None], abs=1e-5)
    assert found.norm == pytest.approx(length, rel=1e-4)
    assert np.linalg.norm(found.embedding, axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert card.kind is Kind.RECOGNISER
    assert (card.name, card.crop) == ("net", Crop(view=View.ALIGNED, size=SIZE))
    assert convention in card.training.notes
    assert [len(row) for row in card.golden.outputs] == [8, 8, 8]


@pytest.mark.parametrize("names", [("image", "embedding"), ("data", "norm"), ("x", "embedding")])
def test_a_recogniser_may_use_our_names(tmp_path, names):
    assert recogniser(tmp_path, names=names)[2].embed(pictures(2)).embedding.shape == (2, 9)


def test_an_embedding_of_zero_has_no_direction(tmp_path):
    zero = weighted_sum(np.zeros((VALUES, 9)), ["n", 3, SIZE, SIZE])
    card = quality_card(SIZE)
    made = type(card)(name="z", version="1", kind="recogniser", crop=card.crop, golden=card.golden)
    bake_recogniser(zero, CONVENTIONS["unit"], made, tmp_path / "m.onnx")
    found = models.open(tmp_path / "m.onnx").embed(pictures(2))
    assert not found.embedding.any()
    assert not found.norm.any()


def two_inputs():
    nodes = [helper.make_node("Add", ["x", "z"], ["y"])]
    bare = network(nodes, {}, ["n", 3, SIZE, SIZE])
    bare.graph.input.append(helper.make_tensor_value_info("z", 1, ["n", 3, SIZE, SIZE]))
    return bare


@pytest.mark.parametrize(
    ("content", "convention", "error"),
    [
        (b"", "arcface", ModelError),
        (b"This is no network.", "arcface", ModelError),
        (None, "arcface", ModelError),
        (textures(112, outputs=4).SerializeToString(), "caffe", OptionError),
        (two_inputs().SerializeToString(), "arcface", ModelError),
        (textures(64, outputs=4).SerializeToString(), "arcface", ModelError),  # not 112×112
    ],
)
def test_what_cannot_be_wrapped_is_refused(tmp_path, content, convention, error):
    source = tmp_path / "net.onnx"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(error):
        wrap_recogniser(source, convention, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_network_for_one_picture_at_a_time_is_refused(tmp_path):
    bare = weighted_sum(np.ones((VALUES, 9)), [1, 3, SIZE, SIZE])
    flatten = helper.make_node("Reshape", ["x", "one_row"], ["flat"])
    bare.graph.node[0].CopyFrom(flatten)
    bare.graph.initializer.append(numpy_helper.from_array(np.array([1, VALUES]), "one_row"))
    onnx.save(bare, str(tmp_path / "net.onnx"))
    with pytest.raises(ModelError):
        wrap_recogniser(tmp_path / "net.onnx", "arcface", tmp_path / "out.onnx", size=SIZE)


def test_wrapping_twice_is_refused(tmp_path):
    source = recogniser_file(tmp_path / "net.onnx")
    wrap_recogniser(source, "arcface", tmp_path / "once.onnx")
    with pytest.raises(ModelError, match="already"):
        wrap_recogniser(tmp_path / "once.onnx", "arcface", tmp_path / "twice.onnx")
    assert len(load_bare(source).graph.node) == 5


def test_old_networks_that_list_weights_as_inputs(tmp_path):
    bare = textures(32)
    for tensor in bare.graph.initializer:
        shape = numpy_helper.to_array(tensor).shape
        bare.graph.input.append(helper.make_tensor_value_info(tensor.name, 1, shape))
    bake_quality(bare, CONVENTIONS["arcface"], quality_card(32), tmp_path / "m.onnx")
    assert models.open(tmp_path / "m.onnx").predict(pictures(1, 32)).score.shape == (1,)


@pytest.mark.parametrize("size", [(64, 96), (32, 32), (96, 64)])
def test_a_detector_answers_in_pixels_of_any_picture(tmp_path, size):
    out = tmp_path / "m.onnx"
    card = bake_detector(bright_cells(), CONVENTIONS["unit"], detector_card(), out)
    assert models.read_card(out) == card
    assert [len(row) for row in card.golden.outputs] == [8, 8, 8]
    images = np.random.default_rng(1).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    found = models.open(out).detect(images)
    rows, columns = size[0] // CELL, size[1] // CELL
    cells = images.reshape(3, rows, CELL, columns, CELL, 3).mean((2, 4, 5)) / 255
    assert found.confidence == pytest.approx(cells.reshape(3, -1), abs=1e-5)
    at = columns + 2  # second row, third column
    low, high = np.array([2, 1]) * CELL - 0.5, np.array([3, 2]) * CELL - 0.5
    assert found.boxes[:, at].tolist() == [[*low, *high]] * 3
    assert found.landmarks[0, at].tolist() == [*low, high[0], low[1], *low, low[0], high[1], *high]


def renamed(model: onnx.ModelProto, old: str, new: str) -> onnx.ModelProto:
    for node in model.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
    for output in model.graph.output:
        output.name = new if output.name == old else output.name
    return model


def one_more_side() -> onnx.ModelProto:
    """A detector whose confidence is N×P×1."""
    model = renamed(bright_cells(), "confidence", "flat_confidence")
    model.graph.node.append(
        helper.make_node("Unsqueeze", ["flat_confidence", "two"], ["confidence"])
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array([2]), "two"))
    del model.graph.output[:]
    for name in ("boxes", "landmarks", "confidence"):
        shape = ["n", "p", "width"]
        model.graph.output.append(helper.make_tensor_value_info(name, 1, shape))
    return model


@pytest.mark.parametrize(
    ("bare", "card", "match"),
    [
        (textures(32), detector_card(), "boxes, landmarks, confidence"),
        (renamed(bright_cells(), "boxes", "box"), detector_card(), "box, confidence, landmarks"),
        (bright_cells(), quality_card(32), "a utility with"),
        (one_more_side(), detector_card(), "N×P"),
    ],
)
def test_what_does_not_answer_as_a_detector_is_not_written(tmp_path, bare, card, match):
    with pytest.raises(ModelError, match=match):
        bake_detector(bare, CONVENTIONS["unit"], card, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
