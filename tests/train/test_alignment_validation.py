"""What the validation says of a student, against another way to say it."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from facegauge import alignment
from facegauge.errors import TrainingError
from facegauge.evaluate.curves import compare_all
from facegauge.train.alignment_network import Distilled
from facegauge.train.alignment_validation import HeldOut, answered
from facegauge.train.alignment_visits import Expected
from facegauge.train.faces import UNKNOWN, read_faces
from facegauge.train.students import planes
from toy_faces import SIZE
from toy_techniques import toy_technique

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def faces(data):
    return read_faces(data)


@pytest.fixture(scope="module")
def targets(faces):
    rng = np.random.default_rng(0)
    labels = rng.uniform(size=(len(faces), 1)).astype(np.float32)
    labels[::5] = np.nan
    embeddings = rng.normal(size=(len(faces), 6)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    weights = rng.uniform(0.2, 1, len(faces)).astype(np.float32)
    return Expected(labels=labels, weights=weights, embeddings=(embeddings,))


class Thumbnail(nn.Module):
    """Eight numbers of a picture: means of strips."""

    def forward(self, image):
        return image.mean(dim=(1, 2)).reshape(len(image), 8, -1).mean(dim=2)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Distilled(Thumbnail(), 8, 4, [6])


def held(faces, targets, *changes):
    return HeldOut(toy_technique("ai-kd-xxs", *changes), faces, targets)


def test_losses_and_ranks_are_those_of_the_formulas(faces, targets, network):
    found = held(faces, targets, "embedding_weight=0.7", "label_beta=0.3").grade(network, CPU)
    rows = np.flatnonzero(faces.validation)
    crops = [alignment.align(faces.pixels(n), faces.points(n), SIZE) for n in rows]
    with torch.no_grad():
        raw, own = network.answers(planes(torch.from_numpy(np.stack(crops))))
        imitated = network.projections[0](own).numpy().astype(np.float64)
    wanted = targets.embeddings[0][rows]
    cosine = (imitated * wanted).sum(1) / np.linalg.norm(imitated, axis=1)
    labels, known = targets.labels[rows, 0], np.isfinite(targets.labels[rows, 0])
    off = np.abs(raw.numpy() - labels)[known]
    losses = np.where(off < 0.3, off**2 / 0.6, off - 0.15)
    label = np.average(losses, weights=targets.weights[rows][known])
    assert found["embedding_aligned"] == pytest.approx(1 - cosine.mean(), abs=1e-5)
    assert found["label_aligned"] == pytest.approx(label, abs=1e-5)
    assert found["loss_aligned"] == pytest.approx(label + 0.7 * (1 - cosine.mean()), abs=1e-5)
    rank = spearmanr(raw.numpy()[known], labels[known]).statistic
    assert found["srcc_aligned"] == pytest.approx(rank, abs=1e-6)


def test_the_pauc_is_that_of_the_named_people(faces, targets, network):
    grader = held(faces, targets)
    found = grader.grade(network, CPU)
    rows = np.flatnonzero(faces.validation & (faces.identities != UNKNOWN))
    pairs = compare_all(targets.embeddings[0][rows], faces.identities[rows], fmr=1e-3)
    raw = answered(network, grader.aligned, CPU).raw.numpy()
    named = faces.identities[faces.validation] != UNKNOWN
    assert found["pauc_aligned"] == pairs.curve(raw[named]).pauc(0.3)


def test_misaligned_faces_are_moved_and_always_alike(faces, targets, network):
    first, second = (held(faces, targets, "held_draws=2") for _ in range(2))
    assert len(first.misaligned) == 2
    for mine, others in zip(first.misaligned, second.misaligned, strict=True):
        np.testing.assert_array_equal(mine, others)
    assert not np.array_equal(first.misaligned[0], first.misaligned[1])
    assert not np.array_equal(first.misaligned[0], first.aligned)
    found = first.grade(network, CPU)
    one = held(faces, targets).grade(network, CPU)
    assert found["loss_aligned"] == one["loss_aligned"] != found["loss_misaligned"]
    raws = [answered(network, crops, CPU) for crops in first.misaligned]
    wanted = np.mean([first._label_loss(each) for each in raws])
    assert found["label_misaligned"] == pytest.approx(wanted)


def test_without_noise_both_halves_are_the_same(faces, targets, network):
    found = held(faces, targets, "held_jitter=0").grade(network, CPU)
    for key in ("loss", "label", "embedding", "srcc", "pauc"):
        assert found[f"{key}_aligned"] == found[f"{key}_misaligned"]


def test_without_labels_embeddings_alone_are_graded(faces, targets, network):
    none = Expected(
        labels=np.full_like(targets.labels, np.nan),
        weights=np.zeros_like(targets.weights),
        embeddings=targets.embeddings,
    )
    found = held(faces, none, "labels=", "chosen_by=loss").grade(network, CPU)
    assert "srcc_aligned" not in found
    assert found["label_aligned"] == 0
    assert found["loss_aligned"] == found["embedding_aligned"] > 0


def test_people_who_are_too_few_or_too_easy_cannot_choose(faces, targets, network):
    apart = np.eye(len(faces), dtype=np.float32)[np.maximum(faces.identities, 0)]
    easy = Expected(labels=targets.labels, weights=targets.weights, embeddings=(apart,))
    with pytest.raises(TrainingError, match="makes no error"):
        held(faces, easy)
    network = Distilled(Thumbnail(), 8, 4, [len(faces)])
    assert "pauc_aligned" not in held(faces, easy, "chosen_by=loss").grade(network, CPU)
