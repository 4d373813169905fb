"""What wrong answers cost, each computed once more with loops."""

import math

import numpy as np
import pytest
import torch

from facegauge.train.detector_losses import (
    CELLS,
    FOCUS,
    LANDMARK_BETA,
    NEGATIVE_WEIGHT,
    Truth,
    assign,
    generalised_iou,
    losses,
    pairwise_iou,
    varifocal,
)
from facegauge.train.detector_network import STRIDES, Answers
from toy_answers import CENTRES, COUNT, SPANS, generalised, guesses, iou, truth, within


def perfect(wanted, logit=20.0):
    """Every picture's first CELLS cells in the first face's box answer for it as they should."""
    logits = torch.full((len(wanted.boxes), COUNT), -logit)
    boxes = torch.cat([CENTRES - 1, CENTRES + 1], -1).expand(len(logits), -1, -1).clone()
    landmarks = torch.zeros(len(logits), COUNT, 10)
    for n, found in enumerate(wanted.faces):
        if found.any():
            inside = [p for p in range(COUNT) if within(CENTRES[p], wanted.boxes[n, 0])][:CELLS]
            logits[n, inside] = logit
            boxes[n, inside], landmarks[n, inside] = wanted.boxes[n, 0], wanted.landmarks[n, 0]
    return Answers(logits=logits, boxes=boxes, landmarks=landmarks)


def some_boxes(*shape, seed=0):
    corners = torch.rand(*shape, 2, 2, generator=torch.Generator().manual_seed(seed)) * 50
    low, high = corners.min(-2).values, corners.max(-2).values
    return torch.cat([low, high + 1], -1)


def test_pairwise_iou_is_that_of_loops():
    first, second = some_boxes(2, 5), some_boxes(2, 7, seed=1)
    found = pairwise_iou(first, second)
    assert found.shape == (2, 5, 7)
    for n in range(2):
        for g in range(5):
            for p in range(7):
                wanted = iou(first[n, g].tolist(), second[n, p].tolist())
                assert found[n, g, p].item() == pytest.approx(wanted, abs=1e-5)
    assert pairwise_iou(first, first).diagonal(dim1=1, dim2=2).min() > 0.9999


def test_generalised_iou_is_that_of_loops():
    first, second = some_boxes(200), some_boxes(200, seed=1)
    found = generalised_iou(first, second)
    wanted = [generalised(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert min(wanted) < -0.2


@pytest.mark.parametrize(
    ("second", "wanted"),
    [
        ((0, 0, 2, 2), 1.0),
        ((1, 0, 3, 2), 1 / 3),
        ((2, 0, 4, 2), 0.0),
        ((4, 0, 6, 2), -1 / 3),
        ((0, 0, 1, 1), 1 / 4),
        ((1e6, 0, 1e6 + 2, 2), -1.0),
    ],
)
def test_generalised_iou_falls_with_the_distance(second, wanted):
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    found = generalised_iou(first, torch.tensor([second], dtype=torch.float32))
    assert found.item() == pytest.approx(wanted, abs=1e-4)


def test_generalised_iou_pulls_boxes_that_do_not_touch():
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]], requires_grad=True)
    (1 - generalised_iou(first, torch.tensor([[8.0, 8.0, 10.0, 10.0]]))).sum().backward()
    assert (first.grad[0, 2:] < 0).all()


def test_padding_and_boxes_without_an_area_are_finite():
    nothing = torch.zeros(1, 2, 4)
    assert pairwise_iou(nothing, some_boxes(1, 3)).tolist() == [[[0, 0, 0]] * 2]
    assert torch.isfinite(generalised_iou(nothing[0], nothing[0])).all()


def test_cells_cover_the_picture_once_for_every_stride():
    assert len(SPANS) == COUNT == sum((64 // s) ** 2 for s in STRIDES)
    for stride in STRIDES:
        own = CENTRES[stride == SPANS]
        covered = torch.zeros(64, 64)
        for x, y in own.tolist():
            left, top = (round(value - (stride - 1) / 2) for value in (x, y))
            covered[top : top + stride, left : left + stride] += 1
        assert (covered == 1).all()


def test_varifocal_is_its_formula():
    rng = np.random.default_rng(0)
    logits, target = rng.normal(0, 3, 300), rng.uniform(0, 1, 300) * (rng.random(300) < 0.3)
    p = 1 / (1 + np.exp(-logits))
    on = -target * (target * np.log(p) + (1 - target) * np.log(1 - p))
    off = -NEGATIVE_WEIGHT * p**FOCUS * np.log(1 - p)
    wanted = np.where(target > 0, on, off)
    np.testing.assert_allclose(varifocal(torch.tensor(logits), torch.tensor(target)), wanted)


def test_the_losses_are_their_formulas():
    wanted = truth([(4, 6, 30, 36), (34, 30, 60, 62)], [(10, 10, 50, 58)], doubtful=[(0, 1)])
    answers = guesses(2, seed=1)
    chosen = assign(answers, wanted, CENTRES, SPANS)
    total = max(1.0, chosen.target.sum().item())
    confidence = box = landmark = 0.0
    costs = varifocal(answers.logits, chosen.target)
    for n in range(2):
        for p in range(COUNT):
            weight, g = chosen.target[n, p].item(), chosen.face[n, p]
            if weight == 0:
                open_ = n == 0 and within(CENTRES[p], wanted.boxes[0, 1])
                confidence += 0.0 if open_ else costs[n, p].item()
                continue
            confidence += costs[n, p].item()
            truly = wanted.boxes[n, g].tolist()
            box += weight * (1 - generalised(answers.boxes[n, p].tolist(), truly))
            size = math.sqrt((truly[2] - truly[0]) * (truly[3] - truly[1]))
            apart = (answers.landmarks[n, p] - wanted.landmarks[n, g]).abs().numpy() / size
            beta = LANDMARK_BETA
            each = np.where(apart < beta, apart**2 / 2 / beta, apart - beta / 2)
            landmark += weight * each.mean()
    found = losses(answers, wanted, CENTRES, SPANS)
    assert found.confidence.item() == pytest.approx(confidence / total, rel=1e-4)
    assert found.box.item() == pytest.approx(box / total, rel=1e-4)
    assert found.landmark.item() == pytest.approx(landmark / total, rel=1e-4)


def test_perfect_answers_cost_next_to_nothing():
    wanted = truth([(4, 6, 50, 60)], [], [(20, 4, 60, 52)])
    found = losses(perfect(wanted), wanted, CENTRES, SPANS)
    for each in (found.confidence, found.box, found.landmark):
        assert 0 <= each.item() < 1e-5
    worse = losses(guesses(3), wanted, CENTRES, SPANS)
    for each in (worse.confidence, worse.box, worse.landmark):
        assert each.item() > 0.05


def test_cells_on_a_doubtful_face_cost_nothing():
    box = (16.0, 16.0, 48.0, 48.0)
    answers = guesses(1, needs_grad=True)
    found = losses(answers, truth([box], doubtful=[(0, 0)]), CENTRES, SPANS)
    found.confidence.backward()
    on = torch.tensor([within(centre, torch.tensor(box)) for centre in CENTRES])
    assert (answers.logits.grad[0, on] == 0).all()
    assert (answers.logits.grad[0, ~on] > 0).all()
    assert found.box.item() == found.landmark.item() == 0


def test_a_sure_face_is_learned_inside_a_doubtful_one():
    boxes = [(0.0, 0.0, 64.0, 64.0), (16.0, 16.0, 48.0, 48.0)]
    answers, wanted = guesses(1, needs_grad=True), truth(boxes, doubtful=[(0, 0)])
    chosen = assign(answers, wanted, CENTRES, SPANS)
    losses(answers, wanted, CENTRES, SPANS).confidence.backward()
    assert ((answers.logits.grad != 0) == (chosen.target > 0)).all()


@pytest.mark.parametrize("pictures", [([],), ([], [])])
def test_without_faces_losses_and_gradients_are_finite(pictures):
    answers = guesses(len(pictures), needs_grad=True)
    found = losses(answers, truth(*pictures), CENTRES, SPANS)
    assert found.box.item() == found.landmark.item() == 0
    (found.confidence + found.box + found.landmark).backward()
    assert found.confidence.item() > 0
    assert (answers.logits.grad > 0).all()
    for values in (answers.boxes, answers.landmarks):
        assert (values.grad == 0).all()


def test_padding_changes_nothing():
    faces = [(4.0, 6.0, 50.0, 60.0)]
    answers, tight = guesses(1), truth(faces)
    padded = truth(faces, [(0.0, 0.0, 9.0, 9.0)] * 3)
    loose = Truth(
        boxes=padded.boxes[:1],
        landmarks=padded.landmarks[:1],
        faces=padded.faces[:1],
        doubtful=padded.doubtful[:1],
    )
    assert loose.boxes.shape == (1, 3, 4)
    found, wanted = (losses(answers, each, CENTRES, SPANS) for each in (loose, tight))
    assert found == wanted
