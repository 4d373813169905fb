"""Several models on the same faces: found once, each score its own, the first one decides."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from facegauge import detection, measures
from facegauge.baking import bake_quality
from facegauge.batch import score_images
from facegauge.cards import Kind, View
from facegauge.conventions import CONVENTIONS
from facegauge.errors import FacegaugeError, InputError, OptionError
from facegauge.panel import Panel
from facegauge.score_cells import DISAGREEMENT, Further
from facegauge.score_row import SCORE_COLUMNS, ScoreRow, columns_for
from facegauge.score_table import read_scores
from facegauge.scoring import Scorer
from facegauge.values import Outcome
from tiny_models import quality_card, quality_file, textures


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A perceptual model of the whole face."""
    path = tmp_path_factory.mktemp("models") / "whole.onnx"
    card = quality_card(48, view=View.WHOLE, name="whole", resampling="area", short_side=48)
    card = replace(card, kind=Kind.PERCEPTUAL)
    bake_quality(textures(48, seed=9), CONVENTIONS["imagenet"], card, path)
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return quality_file(tmp_path_factory.mktemp("models") / "tiny.onnx", size=64)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    portrait = data.astronaut()
    Image.fromarray(portrait).save(folder / "a.png")
    Image.fromarray(portrait[:200, 100:340]).save(folder / "b.png")
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(folder / "c.png")
    (folder / "d.png").write_bytes(b"none")
    return folder


def test_each_model_says_what_it_says_alone(tiny, whole, photos):
    panel = Panel([tiny, whole])
    for name in ("a.png", "b.png"):
        [both] = panel.assess(photos / name)
        [first], [second] = (Scorer(each).assess(photos / name) for each in (tiny, whole))
        assert both.outcome is Outcome.SCORED
        assert (both.score, both.raw, both.face) == (first.score, first.raw, first.face)
        [other] = both.further
        assert (other.score, other.raw, other.model) == (second.score, second.raw, "whole-1")
        assert both.to_dict()["further"] == [other.to_dict()]


def test_a_photo_is_looked_at_once(tiny, whole, photos, monkeypatch):
    looks = []
    find = detection.Detector.find
    monkeypatch.setattr(detection.Detector, "find", lambda *words: looks.append(1) or find(*words))
    Panel([tiny, whole]).assess(photos / "a.png")
    assert len(looks) == 1


def test_a_face_is_measured_once_for_all_models(tiny, whole, photos, monkeypatch):
    calls, take = [], measures.measure
    monkeypatch.setattr(measures, "measure", lambda *words: calls.append(1) or take(*words))
    [both] = Panel([tiny, whole], explain=True).assess(photos / "a.png")
    [plain] = Panel([tiny, whole]).assess(photos / "a.png")
    assert len(calls) == 1
    [first] = Scorer(tiny, explain=True).assess(photos / "a.png")
    assert both.measures == first.measures != ()
    assert both.further == plain.further
    assert replace(both, measures=()) == plain
    assert len(both.to_dict()["measures"]) == len(both.measures)


def test_without_a_score_there_is_none_beside_it(tiny, whole, photos):
    panel = Panel([tiny, whole])
    for name, outcome in (("c.png", Outcome.NO_FACE), ("d.png", Outcome.UNREADABLE)):
        [found] = panel.assess(photos / name)
        assert found.outcome is outcome
        assert [each.score for each in found.further] == [None]
        assert [each.model for each in found.further] == ["whole-1"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_table_has_columns_for_both_and_resumes(tiny, whole, photos, tmp_path, suffix):
    out, panel = tmp_path / f"t.{suffix}", Panel([tiny, whole])
    score_images([photos], scorer=panel, out=out)
    rows = list(read_scores(out))
    assert [row.models for row in rows] == [("tiny-1", "whole-1")] * 4
    for row in rows[:2]:
        [further] = row.further
        assert row.disagreement == (abs(row.score - further.score) >= DISAGREEMENT)
    assert [row.disagreement for row in rows[2:]] == [None, None]
    before = out.read_bytes()
    if suffix != "parquet":
        out.write_bytes(before[: len(before) * 2 // 3])
    score_images([photos], scorer=panel, out=out, resume=True)
    assert out.read_bytes() == before
    with pytest.raises(FacegaugeError, match=r"same ones|first line"):
        score_images([photos], scorer=Scorer(tiny), out=out, resume=True)


def test_a_table_of_one_model_has_no_column_more(tiny, photos, tmp_path):
    score_images([photos], scorer=Scorer(tiny), out=tmp_path / "t.csv")
    head = (tmp_path / "t.csv").read_text().splitlines()[0]
    assert head == ",".join(SCORE_COLUMNS) == ",".join(columns_for(1))


def test_the_command_line_takes_several_models(tiny, whole, photos, console):
    done = console("score", photos, "--model", f"{tiny},{whole}")
    assert done.code == 0, done.err
    head, first, *_ = done.out.splitlines()
    assert head == ",".join(SCORE_COLUMNS) + ",score_2,raw_2,model_2,disagreement"
    assert first.split(",")[-2:-1] == ["whole-1"]
    assert first.split(",")[-1] in ("0", "1")


def test_crops_and_landmarks_are_scored_by_each_as_alone(tiny, whole, photos):
    panel = Panel([tiny, whole], input="crop")
    [both] = panel.assess(photos / "b.png")
    for model, score in ((tiny, both.score), (whole, both.further[0].score)):
        assert Scorer(model, input="crop").assess(photos / "b.png")[0].score == score
    [face] = detection.open().find(data.astronaut(), "largest")
    [given] = Panel([tiny, whole]).assess(photos / "a.png", [face.landmarks])
    assert given.further[0].outcome is Outcome.SCORED


@pytest.mark.parametrize("models", [[], ["tiny"], ["tiny", "tiny"]])
def test_a_panel_has_two_different_models(tiny, models):
    with pytest.raises(OptionError, match="two or more different models"):
        Panel([tiny for _ in models])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(80, 39.9, True), (80, 40.0, True), (80, 40.1, False), (10, 50, True), (50, 50, False)],
)
def test_models_disagree_from_forty_points_on(first, second, expected):
    row = ScoreRow(
        path="a",
        face=0,
        outcome=Outcome.SCORED,
        score=first,
        raw=0,
        further=(Further(model="b", score=second, raw=0),),
    )
    assert row.disagreement is expected
    assert row.to_dict()["disagreement"] == int(expected)


def test_a_further_score_needs_a_first_one():
    with pytest.raises(InputError, match="further model"):
        ScoreRow(
            path="a",
            face=0,
            outcome=Outcome.NO_FACE,
            further=(Further(model="b", score=1, raw=1),),
        )
    with pytest.raises(InputError, match="score and raw or neither"):
        Further(model="b", score=1)
