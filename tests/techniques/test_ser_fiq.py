"""SER-FIQ against passes through the toy networks written out in numpy, one at a time."""

import itertools
import math

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from facegauge.techniques.last_layer import halves
from facegauge.techniques.ser_fiq import SerFiq, SerFiqLabels, robustness, spread
from facegauge.techniques.technique import Measured, source_of_chance
from toy_recognisers import crops, gemm_recogniser

CONSTANTS = SerFiq(passes=12, rate=0.4, slope=20, centre=0.6)


def weights(path) -> dict[str, np.ndarray]:
    graph = onnx.load(str(path)).graph
    return {
        each.name.removeprefix("net/"): numpy_helper.to_array(each) for each in graph.initializer
    }


def slow_gemm(features: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """Flatten is before the cut: features F."""
    mixed = known["mix"].astype(float) @ features + known["bias"]
    return (mixed - known["mean"]) / np.sqrt(known["variance"] + 2e-5) + known["beta"]


def slow_conv(features: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    return known["point"][:, :, 0, 0].astype(float) @ features[:, 0, 0] + known["point_bias"]


def slow_robustness(features: np.ndarray, name: str, seed: int, last) -> float:
    """Pass by pass, pair by pair."""
    rng, rate = source_of_chance(seed, name), CONSTANTS.rate
    drawn = rng.random((CONSTANTS.passes, *features.shape), dtype=np.float32)
    passes = []
    for number in range(CONSTANTS.passes):
        silenced = np.where(drawn[number] < rate, 0.0, features / (1 - rate))
        embedding = last(silenced)
        passes.append(embedding / math.sqrt((embedding**2).sum()))
    distances = [math.dist(a, b) for a, b in itertools.combinations(passes, 2)]
    return 2 / (1 + math.exp(sum(distances) / len(distances)))


@pytest.mark.parametrize(("name", "last"), [("gemm", slow_gemm), ("conv", slow_conv)])
def test_against_passes_one_by_one(name, last, request):
    recogniser, pictures = request.getfixturevalue(name), crops(3)
    cut, known = halves(recogniser.path, threads=1), weights(recogniser.path)
    technique = SerFiqLabels.of(cut, CONSTANTS, seed=5)
    rows = technique.measure(["a", "b", "c"], pictures)
    features = cut.features(pictures)
    expected = [
        slow_robustness(features[at].astype(float), each, 5, lambda x: last(x, known))
        for at, each in enumerate("abc")
    ]
    assert rows[:, 0] == pytest.approx(expected, abs=1e-5)
    assert np.ptp(expected) > 1e-3
    labels = technique.labels(Measured(paths=("a", "b", "c"), values=rows), {})
    q = [1 / (1 + math.exp(-20 * (s - 0.6))) for s in expected]
    assert labels.values == pytest.approx(q, abs=1e-4)


def test_the_halves_are_the_whole(recogniser):
    pictures, cut = crops(4), halves(recogniser.path, threads=1)
    found = cut.embeddings(cut.features(pictures))
    assert found == pytest.approx(recogniser.embed(pictures).embedding, abs=1e-6)


def test_batches_order_and_seed(recogniser):
    pictures, names = crops(6), list("abcdef")
    technique = SerFiqLabels.of(halves(recogniser.path, threads=1), CONSTANTS, seed=1)
    together = technique.measure(names, pictures)
    alone = [technique.measure([n], pictures[i : i + 1])[0] for i, n in enumerate(names)]
    assert together == pytest.approx(np.array(alone), abs=1e-5)
    backwards = technique.measure(names[::-1], pictures[::-1])[::-1]
    assert together == pytest.approx(backwards, abs=1e-5)
    other = SerFiqLabels.of(halves(recogniser.path, threads=1), CONSTANTS, seed=2)
    assert np.abs(other.measure(names, pictures) - together).max() > 1e-4


def test_the_rate_is_settled(gemm, tmp_path):
    assert SerFiqLabels.of(halves(gemm.path), SerFiq()).constants.rate == 0.5
    own = halves(gemm_recogniser(tmp_path / "own.onnx", dropout=0.4))
    assert SerFiqLabels.of(own, SerFiq()).constants.rate == pytest.approx(0.4)
    assert SerFiqLabels.of(own, SerFiq(rate=0.3)).constants.rate == 0.3


def test_extremes():
    same = np.tile(np.float32([0.6, 0.8]), (5, 1))
    assert robustness(same) == 1.0
    opposite = np.float32([[1, 0], [-1, 0]])
    assert robustness(opposite) == pytest.approx(2 / (1 + math.e**2))
    assert spread(np.array([0.88]), SerFiq()).tolist() == [0.5]
    assert spread(np.array([0.90]), SerFiq()) == pytest.approx([1 / (1 + math.exp(-2.6))])


def test_zeros_are_not_robust(gemm):
    class Silent:
        rate = 0.5

        def features(self, pictures):
            return np.ones((len(pictures), 4), dtype=np.float32)

        def embeddings(self, features):
            return np.zeros((len(features), 3), dtype=np.float32)

    rows = SerFiqLabels.of(Silent(), CONSTANTS).measure(["a"], crops(1))
    assert np.isnan(rows).all()


def test_bunched_labels_are_told(gemm, caplog):
    technique = SerFiqLabels.of(halves(gemm.path), SerFiq())
    rows = np.float32([[0.60], [0.61], [0.59]])
    technique.labels(Measured(paths=tuple("abc"), values=rows), {})
    assert "--set centre=0.600" in caplog.text
