import numpy as np
import pytest
from PIL import Image

from facegauge import alignment
from facegauge.alignment import TEMPLATE, TEMPLATE_EYE_DISTANCE
from facegauge.errors import InputError, OptionError
from facegauge.evaluate.misalignment import Jitter, Misaligned, score_misaligned
from facegauge.scoring import Scorer
from facegauge.tables import LANDMARK_COLUMNS, read_landmarks
from facegauge.values import Landmarks
from tiny_models import quality_file

POINTS = Landmarks.from_array(TEMPLATE * 2 + 10)
SMALL = Landmarks.from_array(TEMPLATE / 2 + 100)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "unknown.png"):
        pixels = rng.integers(0, 256, (250, 250, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def table(tmp_path):
    rows = [("a.png", SMALL), ("a.png", POINTS), ("b.png", POINTS), ("broken.png", POINTS)]
    lines = [f"{name},{','.join(map(str, five.array().ravel()))}" for name, five in rows]
    (tmp_path / "l.csv").write_text("\n".join([",".join(LANDMARK_COLUMNS), *lines]) + "\n")
    return read_landmarks(tmp_path / "l.csv")


@pytest.mark.parametrize("relative", [False, True])
def test_noise_is_within_bounds_and_comes_from_seed_and_name(relative):
    jitter = Jitter(pixels=3.0, relative=relative, repeats=400)
    moved = np.stack([each.array() for each in jitter.moved(POINTS, "a")]) - POINTS.array()
    bound = 3.0 * POINTS.inter_eye_distance / TEMPLATE_EYE_DISTANCE if relative else 3.0
    assert 0.98 * bound < np.abs(moved).max() <= bound
    assert moved.mean() == pytest.approx(0.0, abs=0.1 * bound)
    again = Jitter(pixels=3.0, relative=relative, repeats=2).moved(POINTS, "a")
    np.testing.assert_array_equal(again[1].array() - POINTS.array(), moved[1])
    other = Jitter(pixels=3.0, relative=relative, repeats=2, seed=1).moved(POINTS, "a")
    for different in (other, jitter.moved(POINTS, "b")):
        assert (different[0].array() != again[0].array()).all()


def test_scores_are_those_of_each_alignment(photos, table, tiny):
    scorer, jitter, done = Scorer(tiny, input="crop"), Jitter(repeats=3), []
    found = score_misaligned([photos], table, scorer, jitter, progress=done.append)
    assert found.paths == ("a.png", "b.png", "broken.png")
    assert sum(done) == 4
    for row, name in enumerate(("a.png", "b.png")):
        pixels = np.asarray(Image.open(photos / name))
        for points, score in zip(
            (POINTS, *jitter.moved(POINTS, name)),
            (found.clean[row], *found.jittered[row]),
            strict=True,
        ):
            crop = alignment.align(pixels, points, 32)
            expected = float(scorer.model.predict(crop[None]).score[0])
            assert score == pytest.approx(expected, abs=1e-3)
    assert np.isnan(found.clean[2])
    assert np.isnan(found.jittered[2]).all()


def test_spread_and_shift():
    found = Misaligned(
        model="m",
        jitter=Jitter(repeats=3),
        paths=("a", "b"),
        clean=np.array([50.0, 40.0]),
        jittered=np.array([[50.0, 52.0, 54.0], [40.0, np.nan, 40.0]]),
    )
    np.testing.assert_allclose(found.spread, [2.0, np.nan])
    np.testing.assert_allclose(found.shift, [2.0, np.nan])
    clean, jittered = found.score_files()
    assert (clean.method, jittered.method) == ("m clean", "m jittered")
    assert clean.scores == {"a": 50.0, "b": 40.0}
    assert jittered.scores == {"a": 50.0, "b": 40.0}


@pytest.mark.parametrize(
    "wrong", [{"pixels": 0.0}, {"pixels": float("nan")}, {"repeats": 1}, {"seed": -1}]
)
def test_jitter_that_gives_no_spread(wrong):
    with pytest.raises(OptionError, match="3, 10 and 0 are usual"):
        Jitter(**wrong)


def test_what_cannot_be_misaligned(photos, table, tiny, tmp_path):
    with pytest.raises(OptionError, match="input 'aligned'"):
        score_misaligned([photos], table, Scorer(tiny, input="aligned"), Jitter())
    whole = quality_file(tmp_path / "whole.onnx", view="whole", resampling="area", short_side=32)
    with pytest.raises(OptionError, match="Choose another model"):
        score_misaligned([photos], table, Scorer(whole, input="crop"), Jitter())
    with pytest.raises(InputError, match=r"the 3 rows.*got none.*relative"):
        score_misaligned([photos / "unknown.png"], table, Scorer(tiny, input="crop"), Jitter())
