import io

import cv2
import numpy as np
import pytest
from PIL import Image

from broken_images import READABLE, encoded, make_broken_folder
from facegauge.alignment import TEMPLATE, align
from facegauge.baking import wrap_recogniser
from facegauge.cards import View
from facegauge.errors import ModelNotFound, OptionError
from facegauge.scoring import Prepared, Scorer
from facegauge.values import Assessment, Landmarks, Outcome
from tiny_models import quality_file, recogniser_file

SIZE = 32


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One model file for each way of cropping."""
    folder = tmp_path_factory.mktemp("models")
    whole = {"view": View.WHOLE, "short_side": 40}
    kinds = {
        "tiny": {"frame": 0.8},
        "plain": {"resampling": "reference"},
        "whole": {**whole, "resampling": "area"},
        "pillow": {**whole, "resampling": "pillow-bilinear"},
    }
    return {
        name: quality_file(folder / f"{name}.onnx", SIZE, **crop) for name, crop in kinds.items()
    }


@pytest.fixture(scope="module")
def photo():
    """A picture with texture of every scale, 640×480."""
    rng = np.random.default_rng(0)
    layers = [
        cv2.resize(rng.normal(0, 25, (480 // step, 640 // step, 3)), (640, 480))
        for step in (2, 5, 16, 40)
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


def face(x: float = 320.0, y: float = 240.0, factor: float = 2.0) -> Landmarks:
    return Landmarks.from_array((TEMPLATE - TEMPLATE.mean(0)) * factor + [x, y])


def predicted(scorer: Scorer, crop: np.ndarray) -> float:
    return float(scorer.model.predict(crop[np.newaxis]).score[0])


def test_a_photo_is_aligned_by_its_landmarks(files, photo):
    scorer = Scorer(files["tiny"])
    [found] = scorer.assess(photo, [face()])
    assert found.outcome is Outcome.SCORED
    assert found.score == pytest.approx(predicted(scorer, align(photo, face(), SIZE)), abs=1e-3)
    assert found.face.landmarks == face()
    assert found.model == scorer.name == "tiny-1"
    assert 0 < found.score < 100


def test_the_model_says_how_crops_are_resampled(files, photo):
    scorer = Scorer(files["plain"])
    [found] = scorer.assess(photo, [face()])
    crop = align(photo, face(), SIZE, "reference")
    assert found.score == pytest.approx(predicted(scorer, crop), abs=1e-3)
    [smooth] = Scorer(files["tiny"]).assess(photo, [face()])
    assert abs(found.score - smooth.score) > 0.5


def test_a_crop_is_shown_by_its_centre(files, photo):
    scorer = Scorer(files["tiny"], input="crop")
    side = round(480 * 0.8)
    centre = photo[48 : 48 + side, 128 : 128 + side]
    expected = cv2.resize(centre, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    [found] = scorer.assess(photo)
    assert found.score == pytest.approx(predicted(scorer, expected), abs=1e-3)
    assert found.face is None


@pytest.mark.parametrize("side", [SIZE, 96])
def test_an_aligned_face_is_only_resized(files, photo, side):
    scorer = Scorer(files["tiny"], input="aligned")
    crop = np.ascontiguousarray(photo[:side, :side])
    expected = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    [found] = scorer.assess(crop)
    assert found.score == pytest.approx(predicted(scorer, expected), abs=1e-3)


@pytest.mark.parametrize(("model", "resample"), [("whole", None), ("pillow", Image.BILINEAR)])
def test_a_whole_view_is_resized_as_its_card_says(files, photo, model, resample):
    scorer = Scorer(files[model], input="crop")
    small = (round(640 * 40 / 480), 40)
    if resample is None:
        resized = cv2.resize(photo, small, interpolation=cv2.INTER_AREA)
    else:
        resized = np.asarray(Image.fromarray(photo).resize(small, resample))
    top, left = (40 - SIZE) // 2, (small[0] - SIZE) // 2
    expected = np.ascontiguousarray(resized[top : top + SIZE, left : left + SIZE])
    [found] = scorer.assess(photo)
    assert found.score == pytest.approx(predicted(scorer, expected), abs=1e-3)


@pytest.mark.parametrize("model", ["whole", "pillow"])
def test_a_whole_view_needs_no_landmarks(files, photo, model):
    scorer = Scorer(files[model], input="crop")
    assert scorer.assess(photo, [face()]) == scorer.assess(photo)


def test_a_picture_may_be_a_path_bytes_or_an_array(files, photo, tmp_path):
    content = encoded(Image.fromarray(photo), "PNG")
    (tmp_path / "a.png").write_bytes(content)
    scorer = Scorer(files["tiny"])
    forms = [photo, content, tmp_path / "a.png", str(tmp_path / "a.png")]
    assert len({scorer.assess(form, [face()])[0].score for form in forms}) == 1


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"input": "video"}, OptionError, "photo, crop, aligned"),
        ({"faces": "some"}, OptionError, "largest, all"),
        ({"device": "tpu"}, OptionError, "cpu"),
        ({"model": "nonesuch"}, ModelNotFound, "nonesuch"),
        ({"model": "whole"}, OptionError, "input='crop'"),
    ],
)
def test_wrong_options_are_refused(files, options, error, match):
    model = options.get("model", "tiny")
    with pytest.raises(error, match=match):
        Scorer(**options | {"model": files.get(model, model)})


def test_a_recogniser_gives_no_score(tmp_path):
    wrap_recogniser(recogniser_file(tmp_path / "net.onnx"), "arcface", tmp_path / "r.onnx")
    with pytest.raises(OptionError, match="recogniser"):
        Scorer(tmp_path / "r.onnx")


def test_a_photo_without_landmarks_is_refused(files, photo):
    with pytest.raises(OptionError, match="needs the landmarks"):
        Scorer(files["tiny"]).assess(photo)
    [none] = Scorer(files["tiny"]).assess(photo, [])
    assert (none.outcome, none.score) == (Outcome.NO_FACE, None)


@pytest.mark.parametrize(
    ("x", "y", "outcome"),
    [
        (320, 240, Outcome.SCORED),
        (5, 240, Outcome.CUT_OFF),
        (320, 475, Outcome.CUT_OFF),
        (5000, 240, Outcome.CUT_OFF),
        (-5000, -5000, Outcome.CUT_OFF),
        (40, 240, Outcome.SCORED),  # the crop leaves the picture, the landmarks do not
    ],
)
def test_landmarks_outside_the_picture_are_cut_off(files, photo, x, y, outcome):
    [found] = Scorer(files["tiny"]).assess(photo, [face(x, y)])
    assert found.outcome is outcome
    assert (found.score is None) == (outcome is Outcome.CUT_OFF)
    assert ("outside the picture" in found.detail) == (outcome is Outcome.CUT_OFF)
    assert found.face.landmarks == face(x, y)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("how", ["photo", "crop", "aligned"])
def test_a_blank_picture_has_no_score(files, level, how):
    blank = np.full((480, 640, 3), level, dtype=np.uint8)
    blank[::7] += np.uint8(3 if level < 250 else 0)
    points = [face()] if how == "photo" else None
    [found] = Scorer(files["tiny"], input=how).assess(blank, points)
    assert (found.outcome, found.score, found.raw) == (Outcome.NO_FACE, None, None)
    assert "blank" in found.detail


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "empty"),
        (b"not a picture", "not an image"),
        ("/nonexistent/a.jpg", "no such file"),
        (np.zeros((0, 5, 3), np.uint8), "expected"),
        (np.zeros((5, 5, 2), np.uint8), "expected"),
    ],
)
def test_what_cannot_be_read_says_why(files, source, reason):
    for how, points in (("photo", [face()]), ("crop", None), ("aligned", None)):
        [found] = Scorer(files["tiny"], input=how).assess(source, points)
        assert (found.outcome, found.score) == (Outcome.UNREADABLE, None)
        assert reason in found.detail


def test_points_that_are_no_face_do_not_stop_a_batch(files, photo):
    line = Landmarks.from_array([[100, 100], [100, 100], [100, 100], [100, 100], [100, 300]])
    swapped = Landmarks.from_array((TEMPLATE - TEMPLATE.mean(0)) * [-2, 2] + [320, 240])
    for points in (line, swapped):
        [found] = Scorer(files["tiny"]).assess(photo, [points])
        assert found.outcome in (Outcome.SCORED, Outcome.NO_FACE)


@pytest.mark.parametrize("factor", [1.0, 2.5, 3.9, 6.0])
@pytest.mark.parametrize("model", ["tiny", "plain"])
def test_reduced_decoding_hardly_changes_a_score(files, photo, model, factor):
    big = cv2.resize(photo, (2003, 1501), interpolation=cv2.INTER_CUBIC)
    content = encoded(Image.fromarray(big), "JPEG", quality=95)
    decoded = np.asarray(Image.open(io.BytesIO(content)))
    scorer = Scorer(files[model])
    points = [face(1000, 750, factor)]
    [reduced], [full] = scorer.assess(content, points), scorer.assess(decoded, points)
    assert reduced.score == pytest.approx(full.score, abs=2.0)  # of a model that sees texture only
    assert reduced.face == full.face


def test_the_largest_face_or_all(files, photo):
    faces = [face(150, 120, 1.0), face(400, 260, 2.2), face(150, 360, 1.4), face(2000, 2000, 1.1)]
    [largest] = Scorer(files["tiny"]).assess(photo, faces)
    assert largest.face.landmarks == faces[1]
    every = Scorer(files["tiny"], faces="all").assess(photo, faces)
    assert [one.face.landmarks for one in every] == faces
    assert [str(one.outcome) for one in every] == ["scored"] * 3 + ["cut_off"]
    alone = [Scorer(files["tiny"]).assess(photo, [one])[0] for one in faces]
    assert [one.outcome for one in alone] == [one.outcome for one in every]
    for one, other in zip(alone[:3], every[:3], strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)
    assert every[1].score == pytest.approx(largest.score, abs=1e-3)


@pytest.mark.parametrize("threads", [1, 2])
def test_company_and_order_do_not_change_a_score(files, photo, threads):
    scorer = Scorer(files["tiny"], threads=threads)
    places = [face(100 + 6 * step, 150 + 2 * step, 0.5 + step / 60) for step in range(70)]
    prepared = [item for points in places for item in scorer.prepare(photo, [points])]
    prepared.insert(3, scorer.prepare(b"", [face()])[0])
    together = [one.score for one in scorer.finish(prepared)]
    assert together.pop(3) is None
    alone = [scorer.assess(photo, [points])[0].score for points in places]
    backwards = [one.score for one in scorer.finish(prepared[::-1])][::-1]
    del backwards[3]
    assert together == pytest.approx(alone, abs=1e-3)
    assert backwards == pytest.approx(alone, abs=1e-3)
    assert np.ptp(alone) > 5


@pytest.mark.parametrize("model", ["tiny", "plain", "whole", "pillow"])
def test_no_odd_file_stops_the_scorer(files, tmp_path, model):
    outcomes = make_broken_folder(tmp_path)
    scorer = Scorer(files[model], input="crop")
    for name, expected in outcomes.items():
        [found] = scorer.assess(tmp_path / name)
        assert (found.outcome is not Outcome.UNREADABLE) == (expected == READABLE), name


def test_a_prepared_face_has_a_crop_or_an_assessment():
    crop = np.zeros((4, 4, 3), np.uint8)
    nothing = Assessment(outcome=Outcome.NO_FACE)
    for fields in ({}, {"crop": crop, "assessment": nothing}):
        with pytest.raises(OptionError, match="not both"):
            Prepared(**fields)
    assert Prepared(crop=crop).assessment is None


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30), (0, 90, 255)])
def test_a_picture_of_one_colour_has_no_score(files, colour):
    blank = np.full((200, 200, 3), colour, dtype=np.uint8)
    for kind in ("crop", "aligned"):
        [found] = Scorer(files["tiny"], input=kind).assess(blank)
        assert (found.outcome, found.score) == (Outcome.NO_FACE, None)


@pytest.mark.parametrize(("side", "outcome"), [(1, "too_small"), (12, "too_small"), (64, "scored")])
def test_a_picture_of_a_few_pixels_has_no_score(files, side, outcome):
    pixels = np.random.default_rng(0).integers(0, 256, (side, 500, 3)).astype(np.uint8)
    [found] = Scorer(files["tiny"], input="crop").assess(pixels)
    assert found.outcome == outcome


@pytest.mark.parametrize(("scale", "outcome"), [(0.1, "too_small"), (0.2, "scored")])
def test_a_face_of_a_few_pixels_has_no_score(files, scale, outcome):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8)
    points = Landmarks.from_array(TEMPLATE * scale + 20)
    [found] = Scorer(files["tiny"]).assess(pixels, [points])
    assert found.outcome == outcome


def test_crops_handed_in_together_are_one_network_call(files, monkeypatch):
    scorer = Scorer(files["tiny"], input="aligned")
    sizes, predict = [], scorer.model.predict
    monkeypatch.setattr(
        scorer.model, "predict", lambda crops: sizes.append(len(crops)) or predict(crops)
    )
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    assert len(scorer.finish([Prepared(crop=pixels)] * 70)) == 70
    assert scorer.finish([]) == []
    assert sizes == [70]
