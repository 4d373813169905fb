"""The recipes ``sdd-fiqa``, ``faceqnet``, ``difiqa-r``: rates, what stays, what is graded."""

import numpy as np
import pytest
import torch

from facegauge.train.faces import read_faces
from facegauge.train.labels import labels_of
from facegauge.train.portraits import Sight
from facegauge.train.quality_heads import Predicting
from facegauge.train.regression import Labelled, RegressionLearner, load_predicting, predicting
from facegauge.train.runs import begin
from facegauge.train.validation import raw_scores
from toy_faces import SIZE
from toy_techniques import LABELS, toy_technique

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def held(labelled):
    faces = read_faces(labelled)
    return Labelled(faces, labels_of(faces, labelled, LABELS), Sight(size=SIZE, seed=0))


@pytest.fixture
def made(held, tmp_path):
    def make(name, *changes):
        chosen = toy_technique(name, *changes)
        run = begin(tmp_path / "run", chosen, resume=False)
        return RegressionLearner(chosen, predicting(chosen), run, held)

    return make


def rates(learner):
    groups = learner._optimiser().param_groups
    return {id(weight): group["lr"] for group in groups for weight in group["params"]}


def test_the_last_layer_learns_at_its_own_rate(made):
    learner = made("difiqa-r")
    found, network = rates(learner), learner.network
    assert {found[id(each)] for each in network.embedder.parameters()} == {1e-4}
    head = [found[id(each)] for each in network.linear.parameters()]
    assert head == pytest.approx([1e-3, 1e-3])


@pytest.mark.parametrize(("trained", "moving"), [(0, 12), (3, 3), (99, 12)])
def test_the_last_weights_alone_are_trained(made, trained, moving):
    learner = made("difiqa-r", f"trained={trained}")
    body = list(learner.network.embedder.parameters())
    assert len(body) == 12
    assert [each.requires_grad for each in body] == [False] * (12 - moving) + [True] * moving
    assert [id(each) in rates(learner) for each in body] == [each.requires_grad for each in body]


def test_decay_is_for_matrices_only(made):
    groups = made("faceqnet", "weight_decay=0.1")._optimiser().param_groups
    found = {(each.ndim > 1, group["weight_decay"]) for group in groups for each in group["params"]}
    assert found == {(True, 0.1), (False, 0.0)}


def test_an_oracle_has_no_loss_and_a_perfect_rank(made, held):
    class Oracle(Predicting):
        def forward(self, image):
            part, self.left = self.left[: len(image)], self.left[len(image) :]
            return part

    oracle = Oracle(torch.nn.Identity(), 1, 0.0)
    oracle.begin_at(torch.tensor([-3.0, 7.0]))
    learner = made("sdd-fiqa")
    oracle.left = torch.from_numpy(held.labels)
    assert learner.grade(oracle) == {"held_out_loss": 0.0, "srcc": pytest.approx(1)}
    oracle.left = torch.from_numpy(held.labels) + 1.0
    wanted = 0.1 - 0.01 / 2  # a tenth of the range, beyond a beta of a hundredth
    assert learner.grade(oracle)["held_out_loss"] == pytest.approx(wanted, abs=1e-5)


def test_only_labelled_faces_are_graded(held, labelled):
    faces = read_faces(labelled)
    labels = labels_of(faces, labelled, LABELS)
    assert np.isnan(labels[faces.validation]).any()
    assert len(held.crops) == len(held.labels) == np.isfinite(labels[faces.validation]).sum()


@pytest.mark.parametrize("name", ["sdd-fiqa", "faceqnet", "difiqa-r"])
def test_raw_is_in_the_unit_of_the_labels(name, technique_runs, held):
    network = load_predicting(technique_runs(name))
    assert float(network.low) < -2
    assert 8 < float(network.span) < 10
    raw = raw_scores(network, held.crops, CPU)
    assert abs(float(raw.mean()) - 2) < 2  # after four steps still near the mean of the labels


def test_the_least_loss_is_kept(technique_runs):
    facts = technique_runs("faceqnet").facts()
    assert facts["best"]["held_out_loss"] == min(e["held_out_loss"] for e in facts["history"])
