"""The recipes ``cr-fiqa`` and ``magface``: who is learned, what is graded, what losses are."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from facegauge.errors import TrainingError
from facegauge.train import embedding
from facegauge.train.embedding import CrFiqaLearner, Held, MagFaceLearner, graded
from facegauge.train.faces import read_faces
from facegauge.train.portraits import Sight
from facegauge.train.runs import begin
from same_run import Killed, dying
from toy_faces import SIZE, change_table
from toy_techniques import toy_technique

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def held(data):
    return Held(read_faces(data), Sight(size=SIZE, seed=0))


class Oracle(torch.nn.Module):
    """Answers with given embeddings and qualities, in the order of the crops."""

    def __init__(self, embeddings, raw):
        super().__init__()
        self.left = list(zip(embeddings, raw, strict=True))

    def answers(self, image):
        part, self.left = self.left[: len(image)], self.left[len(image) :]
        return torch.stack([e for e, _ in part]), torch.stack([r for _, r in part])


def test_only_named_training_people_are_told_apart(data, technique_runs, monkeypatch, tmp_path):
    shown = {}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(embedding, "Portraits", lambda *words: shown.update(words=words) or dying())
        embedding.train(toy_technique("cr-fiqa"), data, tmp_path, workers=0)
    faces, learned, _, known = shown["words"]
    assert {faces.paths[face].name[:7] for face in learned} == {"trained"}
    names = [faces.paths[face].name.split("_")[0] for face in learned]
    assert [f"trained{code}" for code in known["people"]] == names
    assert load_file(technique_runs("cr-fiqa").weights)["centres"].shape == (4, 8)


def test_a_perfect_network_separates_and_a_constant_one_does_not(held):
    own = functional.one_hot(torch.unique(torch.tensor(held.people), return_inverse=True)[1])
    noise = 0.3 * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))
    vectors = own + noise
    near = functional.normalize(vectors.float(), dim=1)
    centres = {int(p): near[held.people == p].mean(0) for p in np.unique(held.people)}
    own_centres = torch.stack([centres[int(person)] for person in held.people])
    raw = functional.cosine_similarity(near, own_centres)
    good = held.grade(Oracle(vectors.float(), raw), CPU)
    assert good["auc"] > 0.95
    assert good["tmr"] > 0.5
    assert good["srcc_centre"] > 0.9
    flat = held.grade(Oracle(torch.ones(len(raw), 3), torch.ones(len(raw))), CPU)
    assert (flat["auc"], flat["tmr"], flat["srcc_centre"]) == (0.5, 0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "kind"), [("cr-fiqa", CrFiqaLearner), ("magface", MagFaceLearner)]
)
def test_the_loss_is_that_of_the_paper(name, kind, held, tmp_path):
    """Computed once more from the formulas, one face and one person at a time."""
    chosen = toy_technique(name)
    learner = kind(chosen, graded(chosen, people=4), begin(tmp_path / "r", chosen, False), held)
    people = torch.tensor([0, 3, 3, 1, 2, 0])
    batch = {"pixels": torch.from_numpy(held.crops[:6]), "people": people}
    learner.train()
    total = float(learner.total(learner.training_losses(batch)).detach())
    embeddings, raw = learner.network.answers(embedding.planes(batch["pixels"]))
    vectors, qualities = embeddings.detach().numpy().astype(float), raw.detach().numpy()
    centres = learner.network.centres.detach().numpy().astype(float)
    terms = [
        slow_term(name, vector, float(quality), centres, int(person))
        for vector, quality, person in zip(vectors, qualities, people, strict=True)
    ]
    assert total == pytest.approx(np.mean(terms), rel=1e-4)


def slow_term(name, vector, quality, centres, person):
    length = np.sqrt(sum(vector**2))
    cosine = [float(c @ vector) / np.sqrt(sum(c**2)) / length for c in centres]
    clipped = min(max(length, 10), 110)
    margin = 0.5 if name == "cr-fiqa" else 0.45 + 0.35 * (clipped - 10) / 100
    logits = [64 * each for each in cosine]
    if name == "cr-fiqa" or cosine[person] > 0:
        logits[person] = 64 * np.cos(np.arccos(cosine[person]) + margin)
    most = max(logits)
    entropy = most + np.log(sum(np.exp(np.array(logits) - most))) - logits[person]
    if name == "magface":
        assert quality == pytest.approx(length, rel=1e-5)
        return entropy + 35 * (1 / clipped + clipped / 110**2)
    ratio = cosine[person] / (max(c for p, c in enumerate(cosine) if p != person) + 1)
    gap = abs(quality - ratio)
    return entropy + 10 * (gap**2 if gap < 0.5 else gap - 0.25)


def test_the_best_weights_separate_best(technique_runs):
    facts = technique_runs("cr-fiqa").facts()
    assert facts["best"]["auc"] == max(entry["auc"] for entry in facts["history"])


def test_the_best_average_is_kept_with_its_numbers(technique_runs, held):
    for name in ("cr-fiqa", "magface"):
        run = technique_runs(name)
        found = held.grade(embedding.load_graded(run), CPU)
        assert {key: run.facts()["best"][key] for key in found} == pytest.approx(found)


def test_nobody_named_is_told(own, tmp_path):
    change_table(own / "known.csv", lambda row: {**row, "identity": ""})
    with pytest.raises(TrainingError, match="two or more named people for training.*got 0"):
        embedding.train(toy_technique("cr-fiqa"), own, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nobody_to_compare_is_told(own, tmp_path):
    change_table(
        own / "known.csv",
        lambda row: {**row, "identity": "" if row["split"] == "validation" else row["identity"]},
    )
    with pytest.raises(TrainingError, match="named people for validation.*got 0 people with 0"):
        embedding.train(toy_technique("magface"), own, tmp_path / "run")


def test_a_run_of_another_kind_is_told(finished):
    with pytest.raises(TrainingError, match="a run of the recipe first"):
        embedding.load_graded(finished)
