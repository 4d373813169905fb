import io

import cv2
import numpy as np
import pytest
from PIL import Image

from broken_images import READABLE, encoded, make_broken_folder
from facegauge import images, models
from facegauge.alignment import TEMPLATE, align
from facegauge.baking import wrap_recogniser
from facegauge.cards import View
from facegauge.errors import ModelNotFound, OptionError, UnreadableImage
from facegauge.measures import measure, measure_aligned
from facegauge.prepared import Prepared
from facegauge.reduction import FEWEST_EYE_PIXELS
from facegauge.scoring import Scorer
from facegauge.values import Landmarks, Outcome
from tiny_models import detector_file, quality_file, recogniser_file
from toy_detector import CONFIDENCE, EYES, scene, squares, stubborn

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


def opened(model, **options) -> Scorer:
    """A scorer that needs no embedded detector."""
    photos = options.get("input", "photo") == "photo"
    return Scorer(model, **({"detector": squares()} if photos else {}) | options)


def predicted(scorer: Scorer, crop: np.ndarray) -> float:
    return float(scorer.model.predict(crop[np.newaxis]).score[0])


def test_a_photo_is_aligned_by_its_landmarks(files, photo):
    scorer = opened(files["tiny"])
    [found] = scorer.assess(photo, [face()])
    assert found.outcome is Outcome.SCORED
    assert found.score == pytest.approx(predicted(scorer, align(photo, face(), SIZE)), abs=1e-3)
    assert found.face.landmarks == face()
    assert found.model == scorer.name == "tiny-1"
    assert 0 < found.score < 100


def test_the_model_says_how_crops_are_resampled(files, photo):
    scorer = opened(files["plain"])
    [found] = scorer.assess(photo, [face()])
    crop = align(photo, face(), SIZE, "reference")
    assert found.score == pytest.approx(predicted(scorer, crop), abs=1e-3)
    [smooth] = opened(files["tiny"]).assess(photo, [face()])
    assert abs(found.score - smooth.score) > 0.5


def test_a_crop_is_shown_by_its_centre(files, photo):
    scorer = opened(files["tiny"], input="crop")
    side = round(480 * 0.8)
    centre = photo[48 : 48 + side, 128 : 128 + side]
    expected = cv2.resize(centre, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    [found] = scorer.assess(photo)
    assert found.score == pytest.approx(predicted(scorer, expected), abs=1e-3)
    assert found.face is None


@pytest.mark.parametrize("side", [SIZE, 96])
def test_an_aligned_face_is_only_resized(files, photo, side):
    scorer = opened(files["tiny"], input="aligned")
    crop = np.ascontiguousarray(photo[:side, :side])
    expected = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    [found] = scorer.assess(crop)
    assert found.score == pytest.approx(predicted(scorer, expected), abs=1e-3)


@pytest.mark.parametrize(("model", "resample"), [("whole", None), ("pillow", Image.BILINEAR)])
def test_a_whole_view_is_resized_as_its_card_says(files, photo, model, resample):
    scorer = opened(files[model], input="crop")
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
    scorer = opened(files[model], input="crop")
    assert scorer.assess(photo, [face()]) == scorer.assess(photo)


def test_a_picture_may_be_a_path_bytes_or_an_array(files, photo, tmp_path):
    content = encoded(Image.fromarray(photo), "PNG")
    (tmp_path / "a.png").write_bytes(content)
    scorer = opened(files["tiny"])
    forms = [photo, content, tmp_path / "a.png", str(tmp_path / "a.png")]
    assert len({scorer.assess(form, [face()])[0].score for form in forms}) == 1


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"input": "video"}, OptionError, "photo, crop, aligned"),
        ({"faces": "some"}, OptionError, "largest, all, single"),
        ({"device": "tpu"}, OptionError, "cpu"),
        ({"model": "nonesuch"}, ModelNotFound, "nonesuch"),
        ({"detector": "nonesuch"}, ModelNotFound, "nonesuch"),
        ({"input": "crop", "detector": "nonesuch"}, ModelNotFound, "nonesuch"),
        ({"input": "aligned", "detector": squares()}, OptionError, "Leave the detector out"),
    ],
)
def test_wrong_options_are_refused(files, options, error, match):
    model = options.get("model", "tiny")
    with pytest.raises(error, match=match):
        Scorer(**options | {"model": files.get(model, model)})


def test_only_quality_models_give_scores(tmp_path):
    wrap_recogniser(recogniser_file(tmp_path / "net.onnx"), "arcface", tmp_path / "r.onnx")
    with pytest.raises(OptionError, match="recogniser"):
        Scorer(tmp_path / "r.onnx")
    with pytest.raises(OptionError, match="detector"):
        Scorer(detector_file(tmp_path / "d.onnx"))


def test_a_photo_that_the_table_does_not_know_is_not_searched(files):
    [none] = opened(files["tiny"]).assess(scene((100, 100, 200)), [])
    assert (none.outcome, none.score) == (Outcome.NO_FACE, None)
    assert none.detail == "no landmarks given for this image"


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
    [found] = opened(files["tiny"]).assess(photo, [face(x, y)])
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
    [found] = opened(files["tiny"], input=how).assess(blank, points)
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
        [found] = opened(files["tiny"], input=how).assess(source, points)
        assert (found.outcome, found.score) == (Outcome.UNREADABLE, None)
        assert reason in found.detail


def test_points_that_are_no_face_do_not_stop_a_batch(files, photo):
    line = Landmarks.from_array([[100, 100], [100, 100], [100, 100], [100, 100], [100, 300]])
    swapped = Landmarks.from_array((TEMPLATE - TEMPLATE.mean(0)) * [-2, 2] + [320, 240])
    for points in (line, swapped):
        [found] = opened(files["tiny"]).assess(photo, [points])
        assert found.outcome in (Outcome.SCORED, Outcome.NO_FACE, Outcome.TOO_SMALL)


@pytest.mark.parametrize("factor", [1.0, 2.5, 3.9, 6.0])
@pytest.mark.parametrize("model", ["tiny", "plain"])
def test_reduced_decoding_hardly_changes_a_score(files, photo, model, factor):
    big = cv2.resize(photo, (2003, 1501), interpolation=cv2.INTER_CUBIC)
    content = encoded(Image.fromarray(big), "JPEG", quality=95)
    decoded = np.asarray(Image.open(io.BytesIO(content)))
    scorer = opened(files[model])
    points = [face(1000, 750, factor)]
    [reduced], [full] = scorer.assess(content, points), scorer.assess(decoded, points)
    assert reduced.score == pytest.approx(full.score, abs=2.0)  # of a model that sees texture only
    assert reduced.face == full.face


def test_the_largest_face_or_all(files, photo):
    faces = [face(150, 120, 1.0), face(400, 260, 2.2), face(150, 360, 1.4), face(2000, 2000, 1.1)]
    [largest] = opened(files["tiny"]).assess(photo, faces)
    assert largest.face.landmarks == faces[1]
    every = opened(files["tiny"], faces="all").assess(photo, faces)
    assert [one.face.landmarks for one in every] == faces
    assert [str(one.outcome) for one in every] == ["scored"] * 3 + ["cut_off"]
    alone = [opened(files["tiny"]).assess(photo, [one])[0] for one in faces]
    assert [one.outcome for one in alone] == [one.outcome for one in every]
    for one, other in zip(alone[:3], every[:3], strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)
    assert every[1].score == pytest.approx(largest.score, abs=1e-3)


@pytest.mark.parametrize("threads", [1, 2])
def test_company_and_order_do_not_change_a_score(files, photo, threads):
    scorer = opened(files["tiny"], threads=threads)
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
    scorer = opened(files[model], input="crop")
    for name, expected in outcomes.items():
        [found] = scorer.assess(tmp_path / name)
        assert (found.outcome is not Outcome.UNREADABLE) == (expected == READABLE), name


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30), (0, 90, 255)])
def test_a_picture_of_one_colour_has_no_score(files, colour):
    blank = np.full((200, 200, 3), colour, dtype=np.uint8)
    for kind in ("crop", "aligned"):
        [found] = opened(files["tiny"], input=kind).assess(blank)
        assert (found.outcome, found.score) == (Outcome.NO_FACE, None)


@pytest.mark.parametrize(("side", "outcome"), [(1, "too_small"), (12, "too_small"), (64, "scored")])
def test_a_picture_of_a_few_pixels_has_no_score(files, side, outcome):
    pixels = np.random.default_rng(0).integers(0, 256, (side, 500, 3)).astype(np.uint8)
    [found] = opened(files["tiny"], input="crop").assess(pixels)
    assert found.outcome == outcome


@pytest.mark.parametrize(("size", "need"), [(SIZE, 3.43), (112, 12.0), (224, 24.0)])
def test_a_face_needs_pixels_between_the_eyes(tmp_path, size, need):
    scorer = opened(quality_file(tmp_path / "m.onnx", size))
    assert FEWEST_EYE_PIXELS * size / 112 == pytest.approx(need, abs=0.01)
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    for share, outcome in ((0.94, Outcome.TOO_SMALL), (1.01, Outcome.SCORED)):
        points = face(100, 100, share * need / np.hypot(*(TEMPLATE[1] - TEMPLATE[0])))
        [found] = scorer.assess(pixels, [points])
        assert (found.outcome, found.face.landmarks) == (outcome, points)
        if outcome is Outcome.TOO_SMALL:
            eyes = int(10 * share * need) / 10
            assert found.detail == f"{eyes} pixels between the eyes, {need:g} are needed"


def test_crops_handed_in_together_are_one_network_call(files, monkeypatch):
    scorer = opened(files["tiny"], input="aligned")
    sizes, predict = [], scorer.model.predict
    monkeypatch.setattr(
        scorer.model, "predict", lambda crops: sizes.append(len(crops)) or predict(crops)
    )
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    assert len(scorer.finish([Prepared(crop=pixels)] * 70)) == 70
    assert scorer.finish([]) == []
    assert sizes == [70]


LARGE, MIDDLE, SMALL = (40, 40, 240), (340, 60, 90), (500, 300, 60)
"""Faces (left, top, side); the small one's eyes are a quarter of the large one's apart."""


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("faces", "shown", "said"),
    [
        ("largest", [LARGE], ["scored "]),
        ("largest", [SMALL, LARGE, MIDDLE], ["scored largest of 3 faces"]),
        ("all", [LARGE, MIDDLE, SMALL], ["scored "] * 3),
        ("single", [LARGE], ["scored "]),
        ("single", [SMALL, LARGE], ["scored largest of 2 faces"]),
        ("single", [LARGE, MIDDLE], ["several_faces 2 faces; one is expected"]),
        ("single", [LARGE, MIDDLE, SMALL], ["several_faces 2 faces; one is expected"]),
        ("single", [MIDDLE, SMALL], ["several_faces 2 faces; one is expected"]),
    ],
)
def test_faces_are_chosen_found_or_given(files, faces, shown, said, known):
    scorer = opened(files["tiny"], faces=faces, detector=squares(size=320))
    given = [square_landmarks(*each) for each in shown] if known else None
    found = scorer.assess(scene(*shown), given)
    assert [f"{each.outcome} {each.detail}" for each in found] == said
    expected = shown if faces == "all" else [max(shown, key=lambda each: each[2])]
    for each, (left, top, side) in zip(found, expected, strict=True):
        assert each.face.inter_eye_distance == pytest.approx(EYES * side, rel=0.05)
        if not known:
            box = each.face.box
            corners = [left - 0.5, top - 0.5, left + side - 0.5, top + side - 0.5]
            assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx(corners, abs=2)
            assert each.face.confidence == pytest.approx(CONFIDENCE)


def square_landmarks(left: float, top: float, side: float) -> Landmarks:
    return Landmarks.from_array((TEMPLATE + 0.5) * side / 112 + [left - 0.5, top - 0.5])


def test_a_found_face_is_scored_as_if_its_landmarks_were_given(files):
    photo = scene(LARGE)
    scorer = opened(files["tiny"])
    [found] = scorer.assess(photo)
    crop = align(photo, found.face.landmarks, SIZE)
    assert found.score == pytest.approx(predicted(scorer, crop), abs=1e-3)
    [given] = scorer.assess(photo, [found.face.landmarks])
    assert given.score == pytest.approx(found.score, abs=1e-3)


@pytest.mark.parametrize(
    ("detector", "outcome", "detail"),
    [
        (squares(), "no_face", "no face found by squares-1 (confidence >= 0.5)"),
        (squares(confidence=0.95), "no_face", "no face found by squares-1 (confidence >= 0.95)"),
        (stubborn((100, 100, 10)), "too_small", "3.1 pixels between the eyes, 3.43 are needed"),
        (stubborn((-60, 100, 100)), "cut_off", "3 of 5 landmarks lie outside the picture"),
        (stubborn((100, 100, 100)), "scored", ""),
    ],
)
def test_what_a_found_face_lacks_is_told(files, detector, outcome, detail):
    [found] = opened(files["tiny"], detector=detector).assess(scene())
    assert (str(found.outcome), found.detail) == (outcome, detail)
    assert (found.face is None) == (outcome == "no_face")


def test_a_photo_that_cannot_be_read_is_told(files):
    for faces in ("largest", "all", "single"):
        for points in (None, [], [face(), face(factor=1.9)]):
            [found] = opened(files["tiny"], faces=faces).assess(b"no picture", points)
            assert found.outcome is Outcome.UNREADABLE


@pytest.fixture(scope="module")
def large_photo():
    """A JPEG of 2400×1800 that holds a large face and a small one."""
    pixels = scene((200, 100, 900), (1500, 700, 150), width=2400, height=1800)
    return encoded(Image.fromarray(pixels), "JPEG", quality=95, subsampling=0)


@pytest.mark.parametrize(
    ("model", "faces", "read"),
    [("tiny", "largest", [8]), ("tiny", "all", [1]), ("plain", "largest", [1])],
)
def test_a_large_face_is_read_once_and_reduced(files, large_photo, monkeypatch, model, faces, read):
    reduced = noted_reductions(monkeypatch)
    opened(files[model], faces=faces, detector=squares(size=100)).assess(large_photo)
    assert reduced == read


def test_a_face_too_small_for_a_reduced_picture_is_read_again(files, monkeypatch):
    pixels = scene((1500, 700, 150), width=2400, height=1800)
    content = encoded(Image.fromarray(pixels), "JPEG", quality=95, subsampling=0)
    decoded = np.asarray(Image.open(io.BytesIO(content)))
    scorer = opened(files["tiny"], detector=squares(size=100))
    reduced = noted_reductions(monkeypatch)
    [prepared] = scorer.prepare(content)
    assert reduced == [8, 2]
    points = prepared.face.landmarks
    in_full = align(decoded, points, SIZE).astype(float)
    coarse = align(images.read(content, short_side=200).pixels, points.scaled(1 / 8, 1 / 8), SIZE)
    assert np.abs(prepared.crop - in_full).mean() < 3
    assert np.abs(coarse - in_full).mean() > 9
    [found], [full] = scorer.assess(content), scorer.assess(decoded)
    assert found.score == pytest.approx(full.score, abs=2.0)
    middle = (found.face.box.x0 + found.face.box.x1) / 2
    assert middle == pytest.approx(1500 + 75, abs=15)


def noted_reductions(monkeypatch) -> list[int]:
    reduced, read = [], images.read

    def noted(*source, **limits):
        picture = read(*source, **limits)
        reduced.append(picture.reduction)
        return picture

    monkeypatch.setattr(images, "read", noted)
    return reduced


def test_a_detector_may_be_a_file_or_the_embedded_one(files, tmp_path, monkeypatch):
    path = detector_file(tmp_path / "detector.onnx")
    assert opened(files["tiny"], detector=path).detector.name == "cells-1"
    monkeypatch.setattr(models, "_embedded_folder", lambda: tmp_path)
    scorer = Scorer(files["tiny"])
    assert scorer.detector.name == "cells-1"
    pixels = scene(width=64, height=64) // 4
    pixels[8:16, 24:32] = 255
    [found] = scorer.assess(pixels)
    box = found.face.box
    assert (found.outcome, found.face.confidence) == (Outcome.SCORED, 1.0)
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx([23.5, 7.5, 31.5, 15.5], abs=0.01)


@pytest.mark.parametrize(("model", "how"), [("tiny", "aligned"), ("whole", "crop")])
def test_no_detector_is_opened_where_none_is_needed(files, monkeypatch, model, how):
    monkeypatch.setattr("facegauge.detection.open", None)
    assert Scorer(files[model], input=how).detector is None


def test_the_face_in_a_loose_crop_is_found_or_its_middle_is_scored(files, large_photo):
    options = {"input": "crop", "detector": squares(size=100)}
    [photo] = opened(files["tiny"], detector=squares(size=100)).assess(large_photo)
    [crop] = opened(files["tiny"], **options).assess(large_photo)
    assert (crop.score, crop.face, crop.detail) == (photo.score, photo.face, photo.detail)
    [empty] = opened(files["tiny"], **options).assess(scene())
    assert (empty.outcome, empty.face) == (Outcome.SCORED, None)
    assert empty.detail == "no face found: the middle of the crop was scored"
    [whole] = opened(files["whole"], **options).assess(large_photo)
    assert whole.score == opened(files["whole"], input="crop").assess(large_photo)[0].score


@pytest.mark.parametrize("model", ["tiny", "plain", "whole"])
@pytest.mark.parametrize("known", [False, True])
def test_measures_are_of_every_pixel_and_change_no_score(files, large_photo, model, known):
    [plain] = opened(files[model], detector=squares(size=100)).assess(large_photo)
    points = [plain.face.landmarks] if known else None
    [found] = opened(files[model], detector=squares(size=100), explain=True).assess(
        large_photo, points
    )
    decoded = np.asarray(Image.open(io.BytesIO(large_photo)))
    assert found.measures == measure(decoded, plain.face.landmarks)
    assert plain.measures == ()
    if not known:
        assert (found.score, found.raw, found.face) == (plain.score, plain.raw, plain.face)


def test_a_picture_is_read_again_only_where_it_was_reduced(files, large_photo, monkeypatch):
    reduced = noted_reductions(monkeypatch)
    scorer = opened(files["tiny"], detector=squares(size=100), explain=True)
    scorer.assess(large_photo)
    assert reduced == [8, 1]
    reduced.clear()
    scorer.assess(scene((40, 40, 240)))
    assert reduced == [1]


@pytest.mark.parametrize(
    ("found", "faces", "outcome", "blamed"),
    [
        ([(100, 100, 10)], "largest", "too_small", "inter-eye distance"),
        ([(-60, 100, 100)], "largest", "cut_off", "margins"),
        ([(100, 100, 100), (300, 100, 90)], "single", "several_faces", ""),
    ],
)
def test_a_face_without_a_score_is_measured_too(files, found, faces, outcome, blamed):
    scorer = opened(files["tiny"], detector=stubborn(*found), faces=faces, explain=True)
    [told] = scorer.assess(scene())
    scores = {each.name: each.score for each in told.measures}
    assert (str(told.outcome), len(scores) >= 8) == (outcome, True)
    assert not blamed or scores[blamed] < 50
    [plain] = opened(files["tiny"], detector=stubborn(*found), faces=faces).assess(scene())
    assert (told.detail, told.face) == (plain.detail, plain.face)


def test_every_face_of_a_picture_has_its_own_measures(files):
    scorer = opened(files["tiny"], faces="all", detector=squares(size=320), explain=True)
    found = scorer.assess(scene(LARGE, MIDDLE, SMALL))
    eyes = [each.measures[0].value for each in found]
    assert eyes == pytest.approx([EYES * side for _, _, side in (LARGE, MIDDLE, SMALL)], rel=0.05)


def test_an_aligned_face_and_a_crop_with_landmarks_are_measured(files, photo):
    crop = np.ascontiguousarray(photo[:96, :96])
    [aligned] = opened(files["tiny"], input="aligned", explain=True).assess(crop)
    assert aligned.measures == measure_aligned(crop)
    for model in ("tiny", "whole"):
        [known] = opened(files[model], input="crop", explain=True).assess(photo, [face()])
        assert known.measures == measure(photo, face())
    [unknown] = opened(files["tiny"], input="crop", explain=True).assess(photo)
    assert (unknown.outcome, unknown.measures) == (Outcome.SCORED, ())
    told = "no measures: where the eyes, nose and mouth are is not known"
    assert unknown.detail == f"no face found: the middle of the crop was scored; {told}"


def test_without_a_face_nothing_is_measured(files):
    scorer = opened(files["tiny"], explain=True)
    for source, points in ((scene(), None), (scene(), []), (b"no picture", [face()])):
        [found] = scorer.assess(source, points)
        assert found.measures == ()
        assert "measures" not in found.detail


def test_a_picture_too_large_to_read_in_full_keeps_its_score(files, large_photo, monkeypatch):
    read = images.read

    def reduced_only(*source, **limits):
        if not limits:
            raise UnreadableImage("not enough memory to decode it")
        return read(*source, **limits)

    monkeypatch.setattr(images, "read", reduced_only)
    scorer = opened(files["tiny"], detector=squares(size=100), explain=True)
    [found] = scorer.assess(large_photo)
    assert found.outcome is Outcome.SCORED
    assert found.detail.endswith("no measures: not enough memory to decode it")
