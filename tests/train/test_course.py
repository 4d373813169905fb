"""Schedule, moving average, weight decay and what is kept of each leg, counted out by hand."""

import itertools

import lightning
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from facegauge.train import course
from facegauge.train.course import Course, averaging_from, fit, sine_rate, warming_average
from facegauge.train.course import rate as rate_at
from facegauge.train.muon import is_matrix
from facegauge.train.recipe import Recipe
from facegauge.train.runs import Run


class Line(Course):
    """One weight and one bias that learn y = 2 x + 1; the grades are given."""

    LOSSES = ("square",)

    def __init__(self, chosen, run, grades=()):
        torch.manual_seed(chosen.seed)
        super().__init__(chosen, nn.Linear(1, 1), run)
        self.grades, self.draws = list(grades), []

    def training_losses(self, batch):
        self.draws.append(torch.rand(1).item())
        return {"square": (self.network(batch["x"]) - 2 * batch["x"] - 1).square().mean()}

    def total(self, losses):
        return losses["square"]

    def grade(self, network):
        self.graded = {name: value.clone() for name, value in network.state_dict().items()}
        return {"error": self.grades[len(self.history)]}

    def merit(self, grades):
        return grades["error"]


class Numbers(lightning.LightningDataModule):
    """Other numbers for every leg; remembers which legs were handed out."""

    def __init__(self):
        super().__init__()
        self.legs = []

    def train_dataloader(self):
        self.legs.append(self.trainer.current_epoch)
        x = torch.tensor([[-1.0], [0.5], [2.0]]) * (1 + self.legs[-1])
        return DataLoader([{"x": x}] * 4, batch_size=None)


def small(**changes):
    values = {"legs": 3, "steps": 4, "precision": "32-true", "learning_rate": 0.1}
    return Recipe(**{**values, **changes})


@pytest.fixture
def run(tmp_path):
    return Run(folder=tmp_path)


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (55, 0.5), (40, 0.75), (70, 0.25), (100, 0.0)],
)
def test_the_rate_rises_linearly_and_falls_as_a_cosine(step, rate):
    assert rate_at(step, 100, 0.1) == pytest.approx(rate)


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("total", [1, 2, 40, 1000])
def test_the_rate_is_positive_at_every_step_and_reaches_its_peak(total, warmup):
    rates = [rate_at(step, total, warmup) for step in range(total)]
    assert min(rates) > 0
    assert max(rates) == 1.0


def test_vectors_and_scalars_do_not_decay(run):
    chosen = small(weight_decay=0.3, learning_rate=0.01, legs=10, steps=10, warmup=0.05)
    learner = Line(chosen, run)
    optimiser = learner.configure_optimizers()["optimizer"]
    decayed, free = optimiser.param_groups
    assert decayed["weight_decay"] == 0.3
    assert free["weight_decay"] == 0.0
    assert {p.ndim for p in free["params"]} == {1}
    assert min(p.ndim for p in decayed["params"]) == 2
    learned = {id(p) for group in (decayed, free) for p in group["params"]}
    assert learned == {id(p) for p in learner.network.parameters()}
    assert optimiser.param_groups[0]["initial_lr"] == 0.01
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.01 / 5)  # 5 steps of warm-up


def test_muon_takes_the_matrices_and_nothing_else(run):
    learner = Line(small(optimiser="muon", weight_decay=0.3), run)
    learner.network = nn.Sequential(nn.Linear(3, 4), nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4))
    groups = learner.configure_optimizers()["optimizer"].param_groups
    for group in groups:
        assert all(is_matrix(p) == group["matrices"] for p in group["params"])
        assert all((p.ndim > 1) == (group["weight_decay"] == 0.3) for p in group["params"])
    learned = [id(p) for group in groups for p in group["params"]]
    assert sorted(learned) == sorted(id(p) for p in learner.network.parameters())
    assert sum(len(group["params"]) for group in groups if group["matrices"]) > 0


@pytest.mark.parametrize(("count", "kept"), [(1, 2 / 11), (8, 0.5), (90, 0.9), (10**6, 0.9)])
def test_the_average_keeps_little_at_first_and_then_what_the_recipe_says(count, kept):
    averages = [torch.tensor([1.0, 0.0]), torch.tensor(3)]
    warming_average(0.9)(averages, [torch.tensor([0.0, 1.0]), torch.tensor(count)], count)
    torch.testing.assert_close(averages[0], torch.tensor([kept, 1 - kept]))
    assert averages[1].item() == count  # a counter is copied


@pytest.mark.parametrize("start", [0, 3, 20])
def test_averaging_from_a_step_is_the_mean_of_all_that_come(start):
    values = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    update, average = averaging_from(start), [torch.zeros(4), torch.tensor(0)]
    for count, value in enumerate(values):
        update(average, [value, torch.tensor(count)], torch.tensor(count))
        wanted = values[start : count + 1].mean(dim=0) if count >= start else value
        torch.testing.assert_close(average[0], wanted)
        assert average[1].item() == count  # a counter is copied


@pytest.mark.parametrize("rise", [0, 1, 2, 15])
def test_the_sine_rises_to_the_peak_and_stays(rise):
    rates = [sine_rate(step, rise) for step in range(20)]
    assert rates[0] > 0
    assert all(after > before for before, after in itertools.pairwise(rates[:rise]))
    assert rates[max(0, rise - 1) :] == [1.0] * (20 - max(0, rise - 1))


def test_the_average_needs_no_gradient(run):
    learner = Line(small(), run)
    assert not any(each.requires_grad for each in learner.average.parameters())
    assert all(each.requires_grad for each in learner.network.parameters())


def test_the_average_of_a_course_starts_with_the_first_weights_it_sees(run):
    learner = Line(small(), run)
    seen = []
    for value in (2.0, 5.0, 11.0):
        learner.network.bias.data.fill_(value)
        learner.on_train_batch_end()
        seen.append(learner.average.module.bias[0].item())
    second = 2 + (5 - 2) * (1 - 2 / 11)
    assert seen == pytest.approx([2, second, second + (11 - second) * (1 - 3 / 12)])


def test_every_leg_is_written_down_with_its_grades(run):
    learner, numbers = Line(small(), run, [3.0, 1.0, 2.0]), Numbers()
    run.write_facts({"revision": "abc"})
    fit(learner, numbers, "cpu")
    facts = run.facts()
    assert facts["revision"] == "abc"
    assert facts["legs"] == 3
    assert facts["history"] == learner.history
    assert [entry["step"] for entry in facts["history"]] == [4, 8, 12]
    assert [entry["error"] for entry in facts["history"]] == [3.0, 1.0, 2.0]
    assert all(0 < entry["square"] < 100 for entry in facts["history"])
    assert learner.best() == facts["history"][1]
    assert numbers.legs == [0, 1, 2]
    assert not list(run.folder.glob("*.draft"))


@pytest.mark.parametrize(
    ("grades", "kept"),
    [((3.0, 2.0, 1.0), 2), ((1.0, 2.0, 3.0), 0), ((2.0, 1.0, 1.0), 1), ((2.0, 2.0, 2.0), 0)],
)
def test_the_best_average_is_kept_and_the_first_of_equal_ones(run, monkeypatch, grades, kept):
    learner, seen = Line(small(), run, grades), []
    grade = Line.grade
    monkeypatch.setattr(Line, "grade", lambda s, n: (grade(s, n), seen.append(s.graded))[0])
    fit(learner, Numbers(), "cpu")
    found = load_file(run.weights)
    assert found.keys() == {"weight", "bias"}
    for leg, weights in enumerate(seen):
        assert torch.equal(weights["bias"], found["bias"]) == (leg == kept)
    assert learner.best()["step"] == 4 * (kept + 1)
    assert run.weights.stat().st_mode & 0o777 == 0o644


def test_a_run_goes_on_where_its_state_stands(run, tmp_path_factory):
    """The second leg of a run that stopped after the first is that of a run that did not stop."""
    whole = Line(small(legs=2), Run(folder=tmp_path_factory.mktemp("whole")), [2.0, 1.0])
    fit(whole, Numbers(), "cpu")
    stopped = Line(small(legs=2), run, [2.0])
    with pytest.raises(IndexError):
        fit(stopped, Numbers(), "cpu")  # there is no second grade
    assert run.facts()["legs"] == 1
    resumed, numbers = Line(small(legs=2), run, [2.0, 1.0]), Numbers()
    fit(resumed, numbers, "cpu")
    assert numbers.legs[-1] == 1
    assert resumed.history == whole.history
    assert resumed.draws == whole.draws[4:]
    for name, value in resumed.average.module.state_dict().items():
        assert torch.equal(value, whole.average.module.state_dict()[name])


def test_the_losses_of_a_leg_are_the_mean_over_its_steps(run, monkeypatch):
    losses, original = [], Line.training_losses

    def noting(self, batch):
        found = original(self, batch)
        losses.append(found["square"].item())
        return found

    monkeypatch.setattr(Line, "training_losses", noting)
    learner = Line(small(legs=2), run, [2.0, 1.0])
    fit(learner, Numbers(), "cpu")
    for leg, entry in enumerate(learner.history):
        assert entry["square"] == pytest.approx(sum(losses[4 * leg : 4 * leg + 4]) / 4)


def test_a_step_has_its_own_chance(run):
    learner = Line(small(legs=1), run, [1.0])
    fit(learner, Numbers(), "cpu")
    assert len(set(learner.draws)) == 4
    torch.manual_seed(3)
    assert learner.draws[3] == torch.rand(1).item()


def test_lightning_keeps_its_notes_to_itself(run, capfd, recwarn):
    fit(Line(small(legs=1), run, [1.0]), Numbers(), "cpu")
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert course.logging.getLogger("lightning.pytorch").level != course.logging.WARNING
