"""Grades of networks whose grades are known."""

import numpy as np
import pytest
import torch

from facegauge.errors import TrainingError
from facegauge.train.faces import UNKNOWN, read_faces
from facegauge.train.targets import Targets, find_recognisers, make_targets
from facegauge.train.validation import Validation, raw_scores
from facegauge.train.views import Views
from toy_faces import VALIDATION, toy_recipe

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def views(data):
    return Views(faces=read_faces(data), recipe=toy_recipe())


@pytest.fixture(scope="module")
def targets(views, data, tmp_path_factory):
    found = find_recognisers(data, toy_recipe().recognisers)
    return make_targets(views.faces, toy_recipe(), found, tmp_path_factory.mktemp("targets"))


@pytest.fixture(scope="module")
def validation(views, targets):
    return Validation(views, targets)


class Oracle(torch.nn.Module):
    """Answers with given values, one crop after the other, and begins anew after the last."""

    def __init__(self, values):
        super().__init__()
        self.values, self.place = torch.as_tensor(np.asarray(values, np.float32)), 0

    def forward(self, image):
        found = self.values[self.place : self.place + len(image)]
        self.place = (self.place + len(image)) % len(self.values)
        return found


def slow_pauc(similarity, people, quality, limit=0.3):
    """EDC by the definition: discard k % of the mated pairs, the worst first, count errors."""
    pairs = [(i, j) for i in range(len(people)) for j in range(i)]
    nonmated = sorted((similarity[i, j] for i, j in pairs if people[i] != people[j]), reverse=True)
    threshold = nonmated[int(len(nonmated) * 1e-3)]
    mated = [(i, j) for i, j in pairs if people[i] == people[j]]
    worth = np.array([min(quality[i], quality[j]) for i, j in mated])
    wrong = np.array([similarity[i, j] <= threshold for i, j in mated])
    order = np.argsort(worth)
    count = len(mated)
    # pairs of equal worth leave together: hold the error until the last of them is gone
    error, area = wrong.mean(), 0.0
    for k in range(count):
        left = worth[order][k]
        if k and left != worth[order][k - 1]:
            error = wrong[order][k:].mean()
        area += error * max(0.0, min((k + 1) / count, limit) - min(k / count, limit))
    return area / (wrong.mean() * limit)


def test_validation_looks_at_the_held_out_faces_aligned_and_jittered(views, validation):
    held = np.flatnonzero(views.faces.validation)
    assert len(validation.aligned) == len(validation.jittered) == len(held) == VALIDATION + 2
    np.testing.assert_array_equal(validation.aligned[3], views.aligned(int(held[3]), 0))
    np.testing.assert_array_equal(validation.jittered[3], views.jittered(int(held[3])))
    assert len(validation.named) == VALIDATION


def test_the_label_is_the_mean_of_what_is_known(views, targets, validation):
    held = np.flatnonzero(views.faces.validation)
    for place, face in enumerate(held):
        known = [value for value in targets.labels[face, 0] if not np.isnan(value)]
        assert len(known) == (1 if views.faces.identities[face] == UNKNOWN else 2)
        assert validation.labels[place] == pytest.approx(np.mean(known), abs=1e-6)


def test_rank_correlation_is_one_for_the_label_and_minus_one_for_its_opposite(validation):
    assert validation.grade(Oracle(validation.labels), CPU)["srcc"] == pytest.approx(1)
    assert validation.grade(Oracle(-validation.labels), CPU)["srcc"] == pytest.approx(-1)
    stretched = np.exp(3 * validation.labels)
    assert validation.grade(Oracle(stretched), CPU)["srcc"] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_the_area_is_that_of_the_definition(views, targets, validation, seed):
    held = np.flatnonzero(views.faces.validation)
    named = held[views.faces.identities[held] != UNKNOWN]
    embeddings = targets.embeddings[0][named]
    quality = np.random.default_rng(seed).normal(size=len(held)).astype(np.float32)
    wanted = slow_pauc(
        embeddings @ embeddings.T, views.faces.identities[named], quality[validation.named]
    )
    grades = validation.grade(Oracle(quality), CPU)
    assert grades["pauc_aligned"] == pytest.approx(wanted, abs=1e-9)
    assert grades["pauc_jittered"] == grades["pauc_aligned"]


def test_a_network_that_says_nothing_gains_nothing(validation):
    grades = validation.grade(Oracle(np.zeros(len(validation.labels))), CPU)
    assert grades["pauc_jittered"] == pytest.approx(1)
    assert grades["srcc"] == 0.0


def test_several_recognisers_count_alike(views, targets, validation):
    other = np.random.default_rng(0).normal(size=targets.embeddings[0].shape).astype(np.float32)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    quality = np.random.default_rng(1).normal(size=len(validation.labels))
    found = [
        Validation(views, Targets(labels=targets.labels, embeddings=each)).grade(
            Oracle(quality), CPU
        )["pauc_aligned"]
        for each in [targets.embeddings, (other,), (*targets.embeddings, other)]
    ]
    assert found[2] == pytest.approx((found[0] + found[1]) / 2)


def test_without_a_name_nothing_can_be_validated(data, targets):
    faces = read_faces(data, ("strangers",))
    few = Targets(
        labels=targets.labels[-len(faces) :],
        embeddings=tuple(each[-len(faces) :] for each in targets.embeddings),
    )
    with pytest.raises(TrainingError, match="1000 non-mated pairs, got 0"):
        Validation(Views(faces=faces, recipe=toy_recipe()), few)


def test_a_recogniser_that_makes_no_error_is_told_before_training(views, targets):
    codes = views.faces.identities
    perfect = np.eye(64, dtype=np.float32)[np.where(codes == UNKNOWN, 63, codes)]
    with pytest.raises(TrainingError):
        Validation(views, Targets(labels=targets.labels, embeddings=(perfect,)))


def test_raw_scores_come_in_order_whatever_the_number_of_crops():
    class Mean(torch.nn.Module):
        def forward(self, image):
            assert not torch.is_grad_enabled()
            assert not self.training
            return image.mean(dim=(1, 2, 3))

    pixels = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 3)).astype(np.uint8)
    wanted = (pixels.mean(axis=(1, 2, 3)) - 127.5) / 127.5
    for count in (1, 64, 65, 150):
        found = raw_scores(Mean().train(), pixels[:count], CPU)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted[:count], atol=1e-6)
