"""The judge's network: what it says of a square, and what it takes over from a detector."""

import pytest
import torch

from facegauge.errors import TrainingError
from facegauge.judging import FILLED, SIDE
from facegauge.train import detector, judge
from facegauge.train.judge_network import NUMBERS, USUAL, ExportedJudge, begin
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_judge import Judge
from toy_photographs import toy_judge, toy_recipe


def test_each_square_has_one_verdict():
    with torch.no_grad():
        said = judge.network_of(toy_judge()).eval()(torch.randn(3, 3, SIDE, SIDE))
    assert said.logits.shape == (3,)
    assert said.boxes.shape == (3, 4)
    assert said.landmarks.shape == (3, 10)


def test_numbers_are_offsets_from_the_middle_in_units_of_the_box():
    network = judge.network_of(toy_judge()).eval()
    torch.nn.init.zeros_(network.last.weight)
    numbers = [1.5, -0.5, -0.25, 0.5, 0.25, *(x for point in USUAL for x in point)]
    assert len(numbers) == NUMBERS
    network.last.bias.data = torch.tensor(numbers)
    with torch.no_grad():
        said = network(torch.randn(1, 3, SIDE, SIDE))
    middle, unit = (SIDE - 1) / 2, SIDE * FILLED
    assert said.logits.tolist() == [1.5]
    low, high = middle - unit / 2, middle + unit / 2
    expected = [low, middle - unit / 4, high, middle + unit / 4]
    torch.testing.assert_close(said.boxes, torch.tensor([expected]))
    torch.testing.assert_close(said.landmarks[0, 4:6], middle + unit * torch.tensor(USUAL[2]))


def test_a_fresh_judge_expects_a_usual_face():
    with torch.no_grad():
        said = judge.network_of(Judge()).eval()(torch.zeros(1, 3, SIDE, SIDE))
    usual = (SIDE - 1) / 2 + SIDE * FILLED * torch.tensor(USUAL).flatten()
    assert (said.landmarks[0] - usual).abs().max() < 0.1 * SIDE


def test_detector_and_judge_together_stay_below_300_thousand_weights():
    networks = (detector.network_of(Detector()), judge.network_of(Judge()))
    assert sum(p.numel() for each in networks for p in each.parameters()) < 300_000


def test_it_begins_with_the_first_layers_of_a_detector():
    weights = detector.network_of(toy_recipe("depths=2,1,1")).state_dict()
    network = judge.network_of(toy_judge())
    fresh = network.last.weight.clone()
    begin(network, weights)
    own = network.state_dict()
    assert torch.equal(own["stem.0.0.weight"], weights["stem.0.0.weight"])
    assert torch.equal(own["stages.1.0.along.0.weight"], weights["stages.1.0.along.0.weight"])
    assert torch.equal(own["last.weight"], fresh)


@pytest.mark.parametrize("change", ["widths=6,4,8,8,8", "widths=4,4,8,6,8"])
def test_weights_of_another_shape_are_refused(change):
    weights = detector.network_of(toy_recipe(change)).state_dict()
    with pytest.raises(TrainingError, match="the judge's widths"):
        begin(judge.network_of(toy_judge()), weights)


def test_a_judge_deeper_than_the_detector_is_refused():
    weights = detector.network_of(toy_recipe()).state_dict()
    with pytest.raises(TrainingError, match=r"stages\.0\.1"):
        begin(judge.network_of(toy_judge("depths=2,1")), weights)


def test_the_threshold_becomes_one_half():
    network = judge.network_of(toy_judge()).eval()
    torch.nn.init.normal_(network.last.weight)
    squares = torch.randn(40, 3, SIDE, SIDE)
    with torch.no_grad():
        plain, shifted = ExportedJudge(network)(squares), ExportedJudge(network, 2.0, 0.3)(squares)
    odds = (plain / (1 - plain)) ** 2 / (0.3 / 0.7)
    torch.testing.assert_close(shifted, odds / (1 + odds), atol=1e-5, rtol=1e-3)
