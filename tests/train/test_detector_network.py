"""The detector's network: what its cells answer, where they lie, and how large it is."""

import math

import pytest
import torch

from facegauge.errors import TrainingError
from facegauge.train.detector import network_of
from facegauge.train.detector_losses import cells
from facegauge.train.detector_network import (
    NUMBERS,
    STRIDES,
    DetectorNetwork,
    Exported,
    cell_centres,
    grow,
)
from facegauge.train.recipe_detector import Detector
from toy_photographs import toy_recipe


def tiny(seed=0):
    return network_of(toy_recipe(f"seed={seed}")).eval()


def answering(network, numbers):
    """The network, made to give the same 15 numbers in every cell."""
    for head in network.heads:
        torch.nn.init.zeros_(head[-1].weight)
        head[-1].bias.data = torch.tensor(numbers, dtype=torch.float32)
    return network


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (96, 160), (224, 32)])
@pytest.mark.parametrize("count", [1, 3])
def test_every_cell_of_every_stride_answers(height, width, count):
    with torch.no_grad():
        found = tiny()(torch.randn(count, 3, height, width))
    wanted = sum((height // stride) * (width // stride) for stride in STRIDES)
    assert found.logits.shape == (count, wanted)
    assert found.boxes.shape == (count, wanted, 4)
    assert found.landmarks.shape == (count, wanted, 10)
    assert (found.boxes[..., 2:] > found.boxes[..., :2]).all()


def test_cells_lie_row_by_row_between_the_pixels_that_they_cover():
    centres = cell_centres(2, 3, 8, torch.zeros(1))
    assert centres.tolist() == [[x, y] for y in (3.5, 11.5) for x in (3.5, 11.5, 19.5)]
    assert cell_centres(1, 1, 32, torch.zeros(1)).tolist() == [[15.5, 15.5]]


def test_numbers_are_decoded_in_strides_around_the_cell():
    """Distances are exponents: left, top, right, bottom; landmarks are offsets x, y."""
    reach = [1.0, 2.0, 3.0, 0.5]
    offsets = [-1.0, -0.5, 1.0, -0.5, 0.0, 0.25, -0.75, 1.0, 0.75, 1.5]
    numbers = [2.0, *map(math.log, reach), *offsets]
    assert len(numbers) == NUMBERS
    with torch.no_grad():
        found = answering(tiny(), numbers)(torch.randn(1, 3, 64, 96))
    centres, spans = cells(64, 96, torch.zeros(1))
    assert found.logits.shape == (1, len(centres))
    assert (found.logits == 2.0).all()
    for place, (centre, span) in enumerate(zip(centres, spans, strict=True)):
        x, y = centre.tolist()
        box = [x - reach[0] * span, y - reach[1] * span, x + reach[2] * span, y + reach[3] * span]
        torch.testing.assert_close(found.boxes[0, place], torch.tensor(box))
        points = torch.tensor(offsets).reshape(5, 2) * span + centre
        torch.testing.assert_close(found.landmarks[0, place].reshape(5, 2), points)


@pytest.mark.parametrize(("number", "power"), [(100.0, 5.0), (-100.0, -4.0), (0.0, 0.0)])
def test_boxes_stay_within_reason(number, power):
    with torch.no_grad():
        found = answering(tiny(), [number] * NUMBERS)(torch.randn(1, 3, 32, 32))
    sides = (found.boxes[..., 2] - found.boxes[..., 0])[0]
    wanted = 2 * math.exp(power) * cells(32, 32, sides)[1]
    torch.testing.assert_close(sides, wanted, atol=1e-4, rtol=1e-5)


def test_an_answer_moves_with_the_picture():
    network, picture = tiny(), torch.randn(1, 3, 640, 640)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    for head in network.heads:
        torch.nn.init.normal_(head[-1].weight)  # no two cells say the same
    with torch.no_grad():
        network.train()(picture)
        network.eval()
        before, after = (network(p) for p in (picture, picture.roll((32, 64), (2, 3))))
    place = 0
    for stride in STRIDES:
        side = 640 // stride
        mine, other = (
            torch.cat([each.logits[..., None], each.boxes, each.landmarks], -1)[
                0, place : place + side**2
            ].reshape(side, side, -1)
            for each in (before, after)
        )
        inner = slice(256 // stride, 320 // stride)
        moved = other.roll((-32 // stride, -64 // stride), (0, 1))[inner, inner]
        shift = torch.tensor([0.0] + [64.0, 32.0] * 7)
        torch.testing.assert_close(moved, mine[inner, inner] + shift, atol=2e-3, rtol=1e-4)
        assert mine[inner, inner].std(dim=(0, 1))[0] > 0.1
        place += side**2


def test_a_fresh_network_calls_one_cell_in_a_hundred_a_face():
    with torch.no_grad():
        found = tiny()(torch.randn(2, 3, 64, 64))
    assert found.logits.sigmoid().mean().item() == pytest.approx(0.01, rel=0.3)


def test_the_default_network_is_small():
    """Megabytes of the package and milliseconds of the user."""
    count = sum(each.numel() for each in network_of(Detector()).parameters())
    assert 100_000 < count <= 300_000


@pytest.mark.parametrize("field", ["depths", "neck", "widths", "head"])
def test_every_size_in_the_recipe_makes_the_network_larger(field):
    small = {"widths": (4, 4, 8, 8, 8), "depths": (1, 1, 1), "neck": 8, "head": 1}
    present = small[field]
    more = tuple(v + 1 for v in present) if isinstance(present, tuple) else present + 1
    counts = [
        sum(each.numel() for each in DetectorNetwork(**values).parameters())
        for values in (small, {**small, field: more})
    ]
    assert counts[1] > counts[0]


@pytest.mark.parametrize("chosen", [toy_recipe(), Detector()], ids=["toy", "default"])
def test_every_weight_is_learned(chosen):
    torch.manual_seed(0)
    network = network_of(chosen).train()
    found = network(torch.randn(2, 3, 64, 64))
    (found.logits.sum() + found.boxes.square().mean() + found.landmarks.square().mean()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


def test_what_is_exported_answers_with_confidences():
    network, planes = tiny(), torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        found, (boxes, landmarks, confidence) = network(planes), Exported(network)(planes)
    assert torch.equal(boxes, found.boxes)
    assert torch.equal(landmarks, found.landmarks)
    torch.testing.assert_close(confidence, 1 / (1 + (-found.logits).exp()))


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.9])
def test_what_is_exported_is_sure_by_half_at_the_threshold(threshold):
    """The order of confidences stays; the one that was at the threshold is at 0.5."""
    network, planes = tiny(), torch.randn(1, 3, 64, 64)
    for head in network.heads:
        torch.nn.init.normal_(head[-1].weight)
        head[-1].bias.data[0] = 0.0
    with torch.no_grad():
        before, after = (Exported(network, each)(planes)[2] for each in (0.5, threshold))
    odds = threshold / (1 - threshold)
    torch.testing.assert_close(after / (1 - after), before / (1 - before) / odds, rtol=1e-3, atol=0)
    assert ((before > threshold) == (after > 0.5)).all()
    assert torch.equal(before.argsort(), after.argsort())


def small_recipe(**sizes):
    return Detector(widths=(8, 8, 8, 8, 8), neck=8, **{"depths": (1, 2, 1), "head": 1, **sizes})


@pytest.mark.parametrize("sizes", [{}, {"head": 3}, {"depths": (2, 2, 3)}, {"head": 2}])
def test_a_grown_network_answers_nearly_as_its_origin(sizes):
    origin, grown = network_of(small_recipe(seed=1)), network_of(small_recipe(seed=2, **sizes))
    planes = torch.rand((1, 3, 64, 96), generator=torch.Generator().manual_seed(0)) - 0.5
    for _ in range(20):  # what batch normalisation counts comes along
        origin.train()(planes)
    grow(grown, origin.state_dict())
    wanted, found = origin.eval()(planes), grown.eval()(planes)
    far = (wanted.landmarks - network_of(small_recipe(seed=2)).eval()(planes).landmarks).abs()
    near = (wanted.landmarks - found.landmarks).abs()
    if not sizes:
        assert torch.equal(wanted.landmarks, found.landmarks)
    assert near.mean() < 0.2 * far.mean()


@pytest.mark.parametrize("other", [{"head": 3}, {"depths": (2, 2, 1)}])
def test_weights_of_a_larger_network_have_no_place(other):
    larger = network_of(small_recipe(**other)).state_dict()
    with pytest.raises(TrainingError, match="no more blocks"):
        grow(network_of(small_recipe()), larger)


@pytest.mark.parametrize("weights", [{}, {"stem.0.0.weight": torch.zeros(1)}])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(TrainingError, match="Start from a run whose recipe fits"):
        grow(network_of(small_recipe()), weights)
