import json
from contextlib import nullcontext

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from facegauge import models
from facegauge.baking import wrap_recogniser
from facegauge.cards import METADATA_KEY, Kind
from facegauge.errors import GoldenMismatch, ModelError, ModelNotFound, OptionError
from tiny_models import (
    CELL,
    detector_file,
    edited,
    quality_file,
    recogniser_file,
    replaced,
    textures,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return quality_file(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recogniser")
    wrap_recogniser(recogniser_file(folder / "net.onnx"), "arcface", folder / "wrapped.onnx")
    return folder / "wrapped.onnx"


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return detector_file(tmp_path_factory.mktemp("detector") / "cells.onnx")


def pictures(count: int, size: int = 32) -> np.ndarray:
    rng = np.random.default_rng(count)
    contrast = np.linspace(5, 120, count)[:, None, None, None]
    return (128 + contrast * rng.uniform(-1, 1, (count, size, size, 3))).astype(np.uint8)


def test_the_file_is_self_describing_for_any_runtime(tiny):
    session = onnxruntime.InferenceSession(str(tiny), providers=["CPUExecutionProvider"])
    [entry] = session.get_inputs()
    assert (entry.name, entry.type, entry.shape) == ("image", "tensor(uint8)", ["n", 32, 32, 3])
    assert [(one.name, one.type, one.shape) for one in session.get_outputs()] == [
        ("raw", "tensor(float)", ["n"]),
        ("score", "tensor(float)", ["n"]),
    ]
    stored = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    assert stored["name"] == "tiny"
    raw, score = session.run(["raw", "score"], {"image": pictures(4)})
    found = models.open(tiny).predict(pictures(4))
    assert found.raw == pytest.approx(raw)
    assert found.score == pytest.approx(score)


@pytest.mark.parametrize("threads", [1, 2, None])
def test_one_picture_or_many_score_the_same(tiny, threads):
    images = pictures(40)
    model = models.open(tiny, threads=threads)
    together = model.predict(images).score
    assert np.ptp(together) > 20
    for size in (1, 8, 33):
        parts = [model.predict(images[at : at + size]).score for at in range(0, 40, size)]
        assert np.concatenate(parts) == pytest.approx(together, abs=1e-3)
    assert model.predict(images[::-1]).score[::-1] == pytest.approx(together, abs=1e-3)


def test_memory_order_does_not_matter(tiny):
    images = pictures(3)
    turned = np.asfortranarray(images)
    model = models.open(tiny)
    assert model.predict(turned).score.tolist() == model.predict(images).score.tolist()


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (pictures(1), nullcontext()),
        (pictures(1).astype(np.float32), pytest.raises(ModelError, match="float32")),
        (pictures(1)[0], pytest.raises(ModelError, match="32×32×3")),
        (pictures(1, 33), pytest.raises(ModelError, match="33×33")),
        (pictures(1)[..., :1], pytest.raises(ModelError, match="32×32×1")),
        (pictures(1).transpose(0, 3, 1, 2), pytest.raises(ModelError, match="3×32×32")),
    ],
)
def test_only_crops_of_the_right_form_are_taken(tiny, images, expected):
    with expected:
        assert models.open(tiny).predict(images).score.shape == (1,)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (pictures(2, 64), nullcontext()),
        (pictures(2, 64)[:, :32], nullcontext()),
        (pictures(2, 64)[:, :, :33], pytest.raises(ModelError, match="multiples of 32, got uint8")),
        (pictures(2, 64)[:, :0], pytest.raises(ModelError, match="2×0×64×3")),
        (pictures(2, 64)[..., :1], pytest.raises(ModelError, match="facegauge.detection")),
        (pictures(2, 64)[0], pytest.raises(ModelError, match="64×64×3")),
        (pictures(2, 64).astype(np.float32), pytest.raises(ModelError, match="float32")),
    ],
)
def test_a_detector_takes_any_multiple_of_32(detector, images, expected):
    with expected:
        found = models.open(detector).detect(images)
        points = images.shape[1] * images.shape[2] // CELL**2
        assert found.boxes.shape == (2, points, 4)
        assert found.landmarks.shape == (2, points, 10)
        assert found.confidence.shape == (2, points)


def test_a_detector_is_self_describing_for_any_runtime(detector):
    session = onnxruntime.InferenceSession(str(detector), providers=["CPUExecutionProvider"])
    [entry] = session.get_inputs()
    assert (entry.name, entry.type, entry.shape) == ("image", "tensor(uint8)", ["n", "h", "w", 3])
    assert [(one.name, one.type, one.shape) for one in session.get_outputs()] == [
        ("boxes", "tensor(float)", ["n", "p", 4]),
        ("landmarks", "tensor(float)", ["n", "p", 10]),
        ("confidence", "tensor(float)", ["n", "p"]),
    ]
    assert models.has_card(session)
    assert models.of_session(session, detector).card.kind is Kind.DETECTOR


def test_one_photograph_or_many_show_the_same(detector):
    images = pictures(5, 64)
    model = models.open(detector)
    together = model.detect(images)
    for at in range(5):
        alone = model.detect(images[at : at + 1])[0]
        assert alone.confidence == pytest.approx(together[at].confidence, abs=1e-6)
        assert alone.boxes.tolist() == together[at].boxes.tolist()


def of_one_size(model: onnx.ModelProto) -> None:
    for side in model.graph.input[0].type.tensor_type.shape.dim[1:3]:
        side.dim_value = 96


def no_confidence(model: onnx.ModelProto) -> None:
    del model.graph.output[2]


def shift_boxes(model: onnx.ModelProto) -> None:
    [tensor] = [one for one in model.graph.initializer if one.name == "net/last"]
    values = numpy_helper.to_array(tensor) + np.float32(0.01)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize(
    ("edit", "error", "match"),
    [
        (of_one_size, ModelError, "any height"),
        (no_confidence, ModelError, "detector without the output confidence"),
        (shift_boxes, GoldenMismatch, "golden"),
    ],
)
def test_a_changed_detector_is_refused(detector, tmp_path, edit, error, match):
    changed = edited(detector, tmp_path / "changed.onnx", edit)
    with pytest.raises(error, match=match):
        models.open(changed)


def test_scores_embeddings_and_candidates_are_not_mixed_up(tiny, recogniser, detector):
    for other, method, size in (
        (tiny, "embed", 32),
        (tiny, "detect", 32),
        (recogniser, "predict", 112),
        (recogniser, "detect", 112),
        (detector, "predict", 64),
        (detector, "embed", 64),
    ):
        with pytest.raises(ModelError, match="detectors detect"):
            getattr(models.open(other), method)(pictures(1, size))


def flip_one_weight(model: onnx.ModelProto) -> None:
    """Change the sign of the largest filter weight."""
    [tensor] = [one for one in model.graph.initializer if one.name == "net/filters"]
    values = numpy_helper.to_array(tensor).copy()
    values.flat[np.abs(values).argmax()] *= -1
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize("fixture", ["tiny", "recogniser"])
def test_one_flipped_weight_is_noticed(request, tmp_path, fixture):
    good = request.getfixturevalue(fixture)
    damaged = edited(good, tmp_path / "damaged.onnx", flip_one_weight)
    with pytest.raises(GoldenMismatch, match="golden vectors"):
        models.open(damaged)
    inspected = models.open(damaged, check=False)
    assert not inspected.reproduces_golden()
    assert inspected.golden_difference() > inspected.golden_tolerance
    assert models.open(good).golden_difference() <= 1e-3


def card_with(**changes):
    """An edit that changes entries of the stored card."""

    def edit(model: onnx.ModelProto) -> None:
        [entry] = [one for one in model.metadata_props if one.key == METADATA_KEY]
        entry.value = replaced(entry.value, changes)

    return edit


def no_card(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def torn_card(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = model.metadata_props[0].value[:-20]


@pytest.mark.parametrize(
    ("edit", "error", "match"),
    [
        (no_card, ModelError, "facegauge models wrap"),
        (torn_card, ModelError, "broken"),
        (card_with(format=9), ModelError, "format"),
        (card_with(name=""), ModelError, "name"),
        (card_with(kind="recogniser"), ModelError, "calibration"),
        (card_with(kind="detector", calibration=None), ModelError, "photo"),
        (card_with(kind="recogniser", calibration=None), ModelError, "embedding"),
        (card_with(crop__size=64), ModelError, None),
        (card_with(golden__seed=1), GoldenMismatch, "golden"),
        (card_with(golden__seed=-1), ModelError, None),
        (card_with(golden__outputs=[[1.0], [2.0], [3.0]]), GoldenMismatch, "golden"),
        (card_with(golden__outputs=[[float("nan")]] * 3), ModelError, None),
        (card_with(golden__outputs=[[], [], []]), ModelError, None),
        (card_with(golden__outputs=[[1.0], [1.0, 2.0], [1.0]]), ModelError, None),
        (
            card_with(calibration__score=[0, 1, 2, 3, 4]),
            ModelError,
            None,
        ),  # not what the graph does
    ],
)
def test_a_tampered_card_is_refused(tiny, tmp_path, edit, error, match):
    changed = edited(tiny, tmp_path / "changed.onnx", edit)
    with pytest.raises(error, match=match):
        models.open(changed)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ModelError),
        (b"not a network at all", ModelError),
        (textures(32).SerializeToString()[:200], ModelError),
        (textures(32).SerializeToString(), ModelError),
    ],
)
def test_what_is_no_model_file_is_refused(tmp_path, content, error):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(error, match=r"x\.onnx"):
        models.open(path)
    with pytest.raises(error, match=r"x\.onnx"):
        models.read_card(path)


@pytest.mark.parametrize("name", ["nonesuch", "missing.onnx", "", "/", ".", "../utility"])
def test_missing_models_are_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound, match=r"\.onnx file"):
        models.open(name)


@pytest.mark.parametrize("device", ["tpu", "", "CPU"])
def test_unknown_devices_are_refused(tiny, device):
    with pytest.raises(OptionError, match="cpu"):
        models.open(tiny, device=device)


def test_a_device_that_is_not_there_is_refused(tiny, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(OptionError, match="onnxruntime-gpu"):
        models.open(tiny, device="cuda")


def test_embedded_models_are_found_by_name(tiny, tmp_path, monkeypatch):
    (tmp_path / "tiny.onnx").write_bytes(tiny.read_bytes())
    (tmp_path / "README").write_text("no model")
    monkeypatch.setattr(models, "_embedded_folder", lambda: tmp_path)
    assert [card.name for card in models.available()] == ["tiny"]
    assert models.locate("tiny") == tmp_path / "tiny.onnx"
    assert models.open("tiny").card.kind is Kind.UTILITY
    with pytest.raises(ModelNotFound, match="tiny"):
        models.open("huge")
