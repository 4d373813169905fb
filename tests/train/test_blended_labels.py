"""Several tables of labels become one label and one weight, counted out in another way."""

import numpy as np
import pytest
from scipy.stats import rankdata

from facegauge.errors import TableError, TrainingError
from facegauge.train.blended_labels import believed, blended, by_range, by_rank, taught
from facegauge.train.faces import read_faces
from toy_faces import read_table, write_table
from toy_techniques import toy_technique

NAN = np.nan


def slow_blend(labels, trust, agreement):
    """One face after the other."""
    found, weights = [], []
    for column, own in zip(labels.T, trust.T, strict=True):
        pairs = [(v, t) for v, t in zip(column, own, strict=True) if np.isfinite(v)]
        if not pairs or not sum(t for _, t in pairs):
            found.append(NAN)
            weights.append(0.0)
            continue
        mean = sum(v * t for v, t in pairs) / sum(t for _, t in pairs)
        spread = (sum((v - mean) ** 2 for v, _ in pairs) / len(pairs)) ** 0.5
        weight = sum(t for _, t in pairs) / len(pairs)
        found.append(mean)
        weights.append(weight / (1 + (spread / agreement) ** 2) if agreement else weight)
    return np.array(found), np.array(weights)


@pytest.mark.parametrize("agreement", [0.0, 0.1])
def test_blends_are_those_of_one_face_after_the_other(agreement):
    rng = np.random.default_rng(0)
    labels = rng.uniform(size=(3, 40)).astype(np.float32)
    labels[rng.uniform(size=labels.shape) < 0.4] = NAN
    trust = rng.uniform(size=labels.shape).astype(np.float32)
    found = blended(labels, trust, agreement)
    wanted, weights = slow_blend(labels, trust, agreement)
    np.testing.assert_allclose(found.labels, wanted, rtol=1e-5)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-5)


def test_one_table_without_doubts_stays_as_it_is():
    labels = np.array([[0.0, 0.3, NAN, 1.0]], dtype=np.float32)
    found = blended(labels, np.ones_like(labels), 0.1)
    np.testing.assert_allclose(found.labels, labels[0])
    np.testing.assert_allclose(found.weights, [1, 1, 0, 1])


def test_at_the_stated_doubt_a_label_counts_half():
    np.testing.assert_allclose(believed(np.array([0, 0.2, 0.4]), 0.2), [1, 0.5, 0.2])
    np.testing.assert_allclose(believed(np.array([0, 9.0]), 0.0), [1, 1])


def test_scales_are_those_of_the_training_faces():
    labels = np.array([2.0, 4.0, NAN, 6.0, 10.0, -2.0], dtype=np.float32)
    training = np.array([True, True, True, True, False, False])
    np.testing.assert_allclose(by_range(labels, training), [0, 0.5, NAN, 1, 2, -1])
    np.testing.assert_allclose(by_rank(labels, training), [1 / 6, 0.5, NAN, 5 / 6, 1, 0])


def test_ranks_of_training_faces_are_midranks():
    labels = np.random.default_rng(0).integers(0, 9, 50).astype(np.float32)
    everyone = np.ones(50, dtype=bool)
    np.testing.assert_allclose(by_rank(labels, everyone), (rankdata(labels) - 0.5) / 50, rtol=1e-6)


@pytest.fixture
def doubted(labelled, tmp_path):
    """A folder with two tables of labels, the second one with doubts."""
    import shutil

    folder = shutil.copytree(labelled, tmp_path / "data")
    rows = read_table(folder / "labels.csv")
    write_table(
        folder / "more.csv",
        [{**row, "label": -float(row["label"]), "doubt": n % 3} for n, row in enumerate(rows)],
    )
    return folder


def test_tables_of_a_folder_are_blended(doubted):
    faces = read_faces(doubted)
    changes = ("labels=labels.csv,more.csv", "scale=range", "agreement=0.2", "doubted=0.1")
    found = taught(faces, doubted, toy_technique("ai-kd-xxs", *changes))
    known = np.isfinite(found.labels)
    assert 0 < known.sum() < len(faces)
    assert not found.weights[~known].any()
    assert found.weights[known].max() <= 1
    assert found.labels[known].min() >= -0.5
    plain = taught(faces, doubted, toy_technique("ai-kd-xxs", "labels=labels.csv", "scale=range"))
    training = ~faces.validation & known
    assert plain.labels[training].min() == 0
    assert plain.labels[training].max() == 1
    assert not np.allclose(plain.labels[known], found.labels[known])


def test_doubts_are_a_share_of_the_range_of_their_table(doubted):
    faces = read_faces(doubted)
    changes = ("labels=more.csv", "scale=range", "doubted=0.1")
    found = taught(faces, doubted, toy_technique("ai-kd", *changes))
    span = np.ptp([float(r["label"]) for r in read_table(doubted / "more.csv")])  # nearly: training
    weights = np.unique(found.weights[np.isfinite(found.labels)])
    np.testing.assert_allclose(
        weights, sorted(1 / (1 + (doubt / span / 0.1) ** 2) for doubt in (0, 1, 2)), rtol=0.1
    )


def test_without_a_table_nobody_has_a_label(doubted):
    faces = read_faces(doubted)
    found = taught(faces, doubted, toy_technique("ai-kd", "labels="))
    assert np.isnan(found.labels).all()
    assert not found.weights.any()


def test_what_is_wrong_with_a_table_is_told(doubted):
    faces = read_faces(doubted)
    with pytest.raises(TrainingError, match="found no file"):
        taught(faces, doubted, toy_technique("ai-kd", "labels=labels.csv,absent.csv"))
    rows = read_table(doubted / "more.csv")
    write_table(doubted / "more.csv", [{**row, "doubt": -1} for row in rows])
    with pytest.raises(TableError, match="a doubt of 0 or more"):
        taught(faces, doubted, toy_technique("ai-kd", "labels=more.csv"))
