import csv
import math

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from facegauge import detectors, images, models
from facegauge.baking import wrap_recogniser
from facegauge.candidates import overlaps, suppress
from facegauge.detectors import CONFIDENCE
from facegauge.errors import GoldenMismatch, ModelError, ModelNotFound, OptionError
from published_files import DATA, PHOTOS, SCRFD, YUNETS, needs
from tiny_models import (
    bright_cells,
    detector_file,
    edited,
    network,
    published,
    quality_file,
    recogniser_file,
    textures,
)

SCRFD_WIDTHS, YUNET_WIDTHS = (1, 4, 10), (1, 1, 4, 10)
STRIDES = (8, 16, 32)


def picture(height: int = 64, width: int = 96, seed: int = 0) -> np.ndarray:
    shape = (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def answers(path, planes: np.ndarray) -> list[np.ndarray]:
    """What the bare network says, in the order of its outputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    batch = planes.transpose(2, 0, 1)[None].astype(np.float32)
    return [np.asarray(part) for part in session.run(None, {session.get_inputs()[0].name: batch})]


def plain_scrfd(path, shown: np.ndarray, anchors: int) -> list[tuple]:
    """Box, landmarks and confidence of every anchor, one at a time."""
    outputs = answers(path, (shown.astype(np.float64) - 127.5) / 128)
    rows = []
    for level, stride in enumerate(STRIDES):
        score, box, points = (outputs[level + 3 * part].reshape(-1, width)
                              for part, width in enumerate(SCRFD_WIDTHS))  # fmt: skip
        for at in range(len(score)):
            i, j = divmod(at // anchors, shown.shape[1] // stride)
            x, y = j * stride, i * stride
            left, top, right, bottom = box[at] * stride
            marks = [(x, y)[k % 2] + points[at][k] * stride for k in range(10)]
            rows.append(([x - left, y - top, x + right, y + bottom], marks, score[at][0]))
    return rows


def plain_yunet(path, shown: np.ndarray) -> list[tuple]:
    """The same by YuNet's formulas."""
    outputs = answers(path, shown[..., ::-1].astype(np.float64))
    rows = []
    for level, stride in enumerate(STRIDES):
        kind, presence, box, points = (outputs[level + 3 * part].reshape(-1, width)
                                       for part, width in enumerate(YUNET_WIDTHS))  # fmt: skip
        for at in range(len(kind)):
            i, j = divmod(at, shown.shape[1] // stride)
            x, y = (j + box[at][0]) * stride, (i + box[at][1]) * stride
            w, h = math.exp(box[at][2]) * stride, math.exp(box[at][3]) * stride
            marks = [((j, i)[k % 2] + points[at][k]) * stride for k in range(10)]
            sure = math.sqrt(min(1, max(0, kind[at][0])) * min(1, max(0, presence[at][0])))
            rows.append(([x - w / 2, y - h / 2, x + w / 2, y + h / 2], marks, sure))
    return rows


def assert_same(found, rows):
    boxes, marks, sure = zip(*rows, strict=True)
    assert found.boxes == pytest.approx(np.array(boxes), abs=2e-3, rel=1e-5)
    assert found.landmarks == pytest.approx(np.array(marks), abs=2e-3, rel=1e-5)
    assert found.confidence == pytest.approx(np.array(sure), abs=1e-5)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("anchors", [1, 2])
@pytest.mark.parametrize("sides", [(64, 96), (32, 32), (160, 64)])
def test_scrfd_is_read_by_its_formulas(tmp_path, anchors, batched, sides):
    path = published(tmp_path / "x.onnx", SCRFD_WIDTHS, anchors=anchors, batched=batched)
    net = detectors.open(path)
    assert (net.confidence, net.size, net.voting, net.shape) == (0.5, 640, False, None)
    assert net.name == "x"
    shown = picture(*sides)
    assert_same(net.look(shown), plain_scrfd(path, shown, anchors))


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("sides", [(64, 96), (32, 32), (160, 64)])
def test_yunet_is_read_by_its_formulas(tmp_path, batched, sides):
    path = published(tmp_path / "x.onnx", YUNET_WIDTHS, batched=batched, scale=0.01)
    net = detectors.open(path)
    assert net.confidence == CONFIDENCE["YuNet"]
    shown = picture(*sides)
    assert_same(net.look(shown), plain_yunet(path, shown))


def shuffled(model: onnx.ModelProto) -> None:
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend(outputs[at] for at in (5, 0, 8, 3, 7, 1, 6, 2, 4))


def test_the_order_of_the_outputs_does_not_matter(tmp_path):
    path = published(tmp_path / "x.onnx", SCRFD_WIDTHS, anchors=2)
    other = edited(path, tmp_path / "y.onnx", shuffled)
    one, two = (detectors.open(each).look(picture()) for each in (path, other))
    assert one.boxes.tolist() == two.boxes.tolist()
    assert one.confidence.tolist() == two.confidence.tolist()


def test_a_network_of_one_size_is_known_by_it(tmp_path):
    path = published(tmp_path / "x.onnx", SCRFD_WIDTHS, anchors=2, sides=(96, 64))
    net = detectors.open(path)
    assert net.shape == (96, 64)
    shown = picture(96, 64)
    assert_same(net.look(shown), plain_scrfd(path, shown, 2))


def overflowing(model: onnx.ModelProto) -> None:
    """Every shift as large as it gets."""
    for tensor in model.graph.initializer:
        if tensor.name.endswith("_shift"):
            values = np.full(tensor.dims, 3e38, dtype=np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize("widths", [SCRFD_WIDTHS, YUNET_WIDTHS])
def test_overflow_is_not_an_error(tmp_path, widths):
    path = edited(published(tmp_path / "x.onnx", widths), tmp_path / "y.onnx", overflowing)
    assert np.isinf(detectors.open(path).look(picture()).landmarks).any()


def test_our_own_detectors_say_what_they_are(tmp_path):
    path = detector_file(tmp_path / "any.onnx", size=448)
    net = detectors.open(path)
    assert (net.name, net.size, net.confidence, net.voting) == ("cells-1", 448, 0.5, True)
    shown = picture()
    found, expected = net.look(shown), models.open(path).detect(shown[None])
    assert found.boxes.tolist() == expected.boxes[0].tolist()
    assert found.confidence.shape == (96,)


def wrapped_recogniser(path):
    wrap_recogniser(recogniser_file(path.with_name("net.onnx")), "arcface", path)
    return path


def saved(model: onnx.ModelProto, path):
    onnx.save(model, str(path))
    return path


def of_pictures(path):
    """A network that takes bytes."""
    model = textures(32)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    model.graph.node.insert(0, helper.make_node("Cast", ["x"], ["floats"], to=1))
    model.graph.node[1].input[0] = "floats"
    return saved(model, path)


def of_two_inputs(path):
    bare = network([helper.make_node("Add", ["x", "z"], ["y"])], {}, ["n", 3, 32, 32])
    bare.graph.input.append(helper.make_tensor_value_info("z", 1, ["n", 3, 32, 32]))
    return saved(bare, path)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (quality_file, "utility"),
        (wrapped_recogniser, "recogniser"),
        (lambda path: published(path, (1, 4)), "needs landmarks"),
        (lambda path: published(path, (1, 4), batched=True, anchors=2), "needs landmarks"),
        (lambda path: published(path, SCRFD_WIDTHS, anchors=3), "shapes"),
        (lambda path: published(path, YUNET_WIDTHS, anchors=2), "shapes"),
        (lambda path: published(path, (1, 1, 1, 4, 10)), "shapes"),
        (lambda path: published(path, (2, 4, 10)), "shapes"),
        (lambda path: published(path, (1, 4, 10, 3)), "shapes"),
        (lambda path: published(path, SCRFD_WIDTHS, sides=(120, 160)), "multiples of 32"),
        (lambda path: published(path, SCRFD_WIDTHS, sides=("h", 640)), "any size"),
        (lambda path: saved(textures(64), path), "shapes"),
        (lambda path: saved(bright_cells(), path), "shapes"),
        (lambda path: recogniser_file(path, size=100), "multiples of 32"),
        (of_pictures, "float"),
        (of_two_inputs, "float"),
    ],
)
def test_what_is_no_detector_is_refused_with_a_way_out(tmp_path, make, match):
    path = make(tmp_path / "file.onnx")
    with pytest.raises(ModelError, match=match) as refused:
        detectors.open(path)
    message = str(refused.value)
    assert "file.onnx" in message
    for word in ("SCRFD", "YuNet", "kind detector", "bake_detector"):
        assert word in message


def test_a_network_that_fails_on_a_picture_is_refused(tmp_path):
    model = onnx.load(published(tmp_path / "x.onnx", SCRFD_WIDTHS))
    [rows] = [one for one in model.graph.initializer if one.name == "out0_rows"]
    rows.CopyFrom(numpy_helper.from_array(np.array([7, 1]), rows.name))
    with pytest.raises(ModelError, match="fails on a picture"):
        detectors.open(saved(model, tmp_path / "y.onnx"))


def test_other_errors_are_those_of_models(tmp_path):
    with pytest.raises(ModelNotFound):
        detectors.open(tmp_path / "none.onnx")
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot be opened"):
        detectors.open(tmp_path / "x.onnx")
    path = published(tmp_path / "y.onnx", SCRFD_WIDTHS)
    with pytest.raises(OptionError, match="tpu"):
        detectors.open(path, device="tpu")
    with pytest.raises(OptionError, match="thread"):
        detectors.open(path, threads=0)


def first_moved(model: onnx.ModelProto) -> None:
    [tensor] = [one for one in model.graph.initializer if one.name == "net/first"]
    tensor.CopyFrom(numpy_helper.from_array(np.float32([-0.5, -0.4]), tensor.name))


def test_a_damaged_detector_is_refused(tmp_path):
    good = detector_file(tmp_path / "good.onnx")
    with pytest.raises(GoldenMismatch):
        detectors.open(edited(good, tmp_path / "bad.onnx", first_moved))


# The published files themselves.


def shown_photo(path) -> np.ndarray:
    pixels = images.read(path).pixels
    height, width = (-(-side // 32) * 32 for side in pixels.shape[:2])
    padded = np.zeros((height, width, 3), dtype=np.uint8)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    return padded


@needs(*YUNETS, PHOTOS)
@pytest.mark.parametrize("path", YUNETS, ids=lambda path: path.stem)
def test_yunet_agrees_with_opencv(path):
    net = detectors.open(path)
    reference = cv2.FaceDetectorYN.create(str(path), "", (64, 64), net.confidence, 0.4, 5000)
    faces = 0
    for photo in sorted(PHOTOS.glob("*.jpg"))[:12]:
        shown = shown_photo(photo)
        found = net.look(shown)
        kept = suppress(found[found.confidence >= net.confidence])
        reference.setInputSize(shown.shape[1::-1])
        _, rows = reference.detect(np.ascontiguousarray(shown[..., ::-1]))
        rows = np.zeros((0, 15)) if rows is None else rows
        boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        assert kept.boxes == pytest.approx(boxes, abs=0.5)
        assert kept.landmarks == pytest.approx(rows[:, 4:14], abs=0.5)
        assert kept.confidence == pytest.approx(rows[:, 14], abs=0.01)
        faces += len(rows)
    assert faces > 8


def letterboxed(pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    factor = side / max(pixels.shape[:2])
    size = (int(pixels.shape[1] * factor), int(pixels.shape[0] * factor))
    boxed = np.zeros((side, side, 3), dtype=np.uint8)
    boxed[: size[1], : size[0]] = cv2.resize(pixels, size)
    return boxed, factor


@needs(SCRFD, PHOTOS, DATA / "celeba_photos.csv")
def test_scrfd_finds_the_faces_it_found_before():
    """The table was made with this file on originals letterboxed to 480 pixels."""
    with (DATA / "celeba_photos.csv").open() as table:
        rows = list(csv.DictReader(table))[::60]
    net = detectors.open(SCRFD)
    misses, distances = 0, []
    for row in rows:
        boxed, factor = letterboxed(images.read(PHOTOS / row["path"]).pixels, 480)
        found = net.look(boxed)
        found = suppress(found[found.confidence >= net.confidence])
        numbers = np.array([float(value) for value in list(row.values())[5:]])
        shared = overlaps(found.boxes / np.float32(factor), numbers[None, :4])[:, 0]
        if shared.max(initial=0.0) <= 0.5:
            misses += 1
            continue
        points = (found.landmarks[shared.argmax()] / factor).reshape(5, 2)
        truth = numbers[4:].reshape(5, 2)
        apart = np.hypot(*(points - truth).T).mean()
        distances.append(apart / math.dist(truth[0], truth[1]))
    assert misses <= 0.05 * len(rows)
    assert np.median(distances) < 0.015
