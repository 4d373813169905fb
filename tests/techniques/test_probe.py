"""The linear probe against loops over people and a least-squares solver."""

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.techniques.last_layer import halves
from facegauge.techniques.probe import Probe, ProbeLabels
from facegauge.techniques.technique import Measured
from toy_measured import people, shuffled
from toy_recognisers import FEATURES, crops

WIDTH = 6
HOW = Probe(penalty=0.2, folds=3, least=3)


def measured_people(counts=(8, 6, 7, 5, 4, 2)) -> tuple[Measured, dict[str, str]]:
    """Embeddings, lengths and four features, of which one never changes."""
    found, who = people(counts, WIDTH)
    rng = np.random.default_rng(5)
    mixed = found.values[:, :WIDTH] @ rng.normal(0, 1, (WIDTH, 3))
    features = np.column_stack([np.exp(mixed), np.full(len(mixed), 2.0)]).astype(np.float32)
    return Measured(paths=found.paths, values=np.hstack([found.values, features])), who


def labelled(measured, who, how=HOW) -> dict[str, float]:
    technique = ProbeLabels(halves=None, width=WIDTH, constants=how)
    labels = technique.labels(measured, who)
    return dict(zip(labels.paths, labels.values.tolist(), strict=True))


def slow_ridge(rows, target, penalty, asked) -> np.ndarray:
    """Ridge regression as least squares with a row for each weight."""
    mean, spread = rows.mean(0), rows.std(0)
    spread[spread == 0] = 1
    a = (rows - mean) / spread
    extra = np.sqrt(penalty * len(a)) * np.eye(a.shape[1])
    wanted = np.concatenate([target - target.mean(), np.zeros(a.shape[1])])
    weights = np.linalg.lstsq(np.vstack([a, extra]), wanted, rcond=None)[0]
    return (asked - mean) / spread @ weights + target.mean()


def slow(measured, who, how) -> dict[str, float]:
    values = measured.values.astype(np.float64)
    features = values[:, WIDTH + 1 :]
    seen = np.column_stack(
        [features, np.log(np.linalg.norm(features, axis=1)), np.log(values[:, WIDTH])]
    )
    owner = [who.get(path) for path in measured.paths]
    near = {}
    for at, person in enumerate(owner):
        others = [i for i, each in enumerate(owner) if each == person and i != at]
        if person is not None and len(others) + 1 >= how.least:
            centre = values[others, :WIDTH].sum(0)
            near[at] = values[at, :WIDTH] @ centre / np.linalg.norm(centre)
    learned = sorted({owner[at] for at in near})
    found = {}
    for at, path in enumerate(measured.paths):
        fold = learned.index(owner[at]) % how.folds if owner[at] in learned else None
        rows = [i for i in near if fold is None or learned.index(owner[i]) % how.folds != fold]
        target = np.array([near[i] for i in rows])
        found[path] = float(slow_ridge(seen[rows], target, how.penalty, seen[at]))
    return found


@pytest.mark.parametrize("how", [HOW, Probe(penalty=3.0, folds=2, least=2)])
def test_against_loops(how):
    measured, who = measured_people()
    who = {path: person for path, person in who.items() if not path.startswith("00")}
    found = labelled(measured, who, how)
    assert found == pytest.approx(slow(measured, who, how), rel=1e-6)
    assert len(found) == len(measured.paths)


def test_what_is_measured_is_what_the_recogniser_answers(gemm):
    technique = ProbeLabels.of(gemm, halves(gemm.path), HOW)
    pixels = crops(3)
    rows, answer = technique.measure(["a", "b", "c"], pixels), gemm.embed(pixels)
    assert rows.shape == (3, technique.width + 1 + FEATURES)
    np.testing.assert_allclose(rows[:, : technique.width], answer.embedding, atol=1e-6)
    np.testing.assert_allclose(rows[:, technique.width], answer.norm, rtol=1e-5)


def test_order_changes_nothing():
    measured, who = measured_people()
    assert labelled(shuffled(measured), who) == pytest.approx(labelled(measured, who))


def test_the_label_of_a_known_picture_does_not_come_from_its_person():
    """A person whose embeddings are spoiled changes the labels of the others alone."""
    measured, who = measured_people()
    before = labelled(measured, who)
    values = measured.values.copy()
    own = np.array([who[path] == "person 0" for path in measured.paths])
    values[own, :WIDTH] = np.roll(values[own, :WIDTH], 1, axis=0)[:, ::-1]
    after = labelled(Measured(paths=measured.paths, values=values), who)
    changed = {path for path in before if abs(before[path] - after[path]) > 1e-9}
    same = {path for path, each in zip(measured.paths, own, strict=True) if each}
    assert same.isdisjoint(changed)
    assert changed


def test_too_few_people_are_told():
    measured, who = measured_people((9, 9, 2, 2))
    with pytest.raises(InputError, match=r"Expected 3 or more known people .* got 2\."):
        labelled(measured, who)


@pytest.mark.parametrize("wrong", [{"penalty": 0.0}, {"folds": 1}, {"least": 1}])
def test_constants_that_make_no_sense(wrong):
    with pytest.raises(OptionError, match="Correct --set"):
        Probe(**wrong)
