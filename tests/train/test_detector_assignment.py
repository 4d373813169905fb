"""Which cells answer for which face, computed once more with loops."""

import math

import numpy as np
import pytest
import torch

from facegauge.train.detector_losses import CELLS, FIT_POWER, SURE_POWER, assign
from toy_answers import CENTRES, COUNT, SPANS, guesses, iou, truth


def may_answer(p, box):
    """Inside the box, or within 0.6 cells of its middle."""
    return all(
        abs(CENTRES[p, i].item() - (box[i] + box[i + 2]) / 2)
        < max((box[i + 2] - box[i]) / 2, 0.6 * SPANS[p].item())
        for i in (0, 1)
    )


def naive_assignment(answers, wanted, n):
    """Target and face of each cell of one picture."""
    picked = {}
    alignment, fit = {}, {}
    for g in range(wanted.boxes.shape[1]):
        if not wanted.faces[n, g]:
            continue
        box, allowed = wanted.boxes[n, g].tolist(), []
        for p in range(COUNT):
            if may_answer(p, box):
                sure = 1 / (1 + math.exp(-answers.logits[n, p].item()))
                fit[g, p] = iou(box, answers.boxes[n, p].tolist())
                alignment[g, p] = sure**SURE_POWER * fit[g, p] ** FIT_POWER
                allowed.append(p)
        for p in sorted(allowed, key=lambda p: -alignment[g, p])[:CELLS]:
            if p not in picked or fit[g, p] > fit[picked[p], p]:
                picked[p] = g
    target = {}
    for p, g in picked.items():
        own = [q for q, other in picked.items() if other == g]
        widest = max(fit[g, q] for q in own)
        target[p] = alignment[g, p] / max(alignment[g, q] for q in own) * math.sqrt(widest)
    return target, picked


@pytest.mark.parametrize("seed", range(6))
def test_the_assignment_is_that_of_loops(seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 40, (2, 4, 2))
    faces = np.concatenate([corners, corners + rng.uniform(6, 30, (2, 4, 2))], 2).tolist()
    wanted, answers = truth(faces[0], faces[1][:2], doubtful=[(0, 3)]), guesses(2, seed)
    found = assign(answers, wanted, CENTRES, SPANS)
    assert found.face.shape == found.target.shape == (2, COUNT)
    for n in range(2):
        target, picked = naive_assignment(answers, wanted, n)
        dense = [target.get(p, 0.0) for p in range(COUNT)]
        np.testing.assert_allclose(found.target[n], dense, atol=1e-4)
        for p, g in picked.items():
            if target[p] > 1e-3:
                assert found.face[n, p] == g


def test_the_perfect_cell_gets_the_highest_target():
    box = (8.0, 8.0, 40.0, 44.0)
    wanted, answers = truth([box]), guesses(1)
    answers.boxes[0, 20] = torch.tensor(box)
    assert may_answer(20, box)
    found = assign(answers, wanted, CENTRES, SPANS)
    assert found.target[0].argmax() == 20
    assert found.target[0, 20].item() == pytest.approx(1.0, abs=1e-5)
    assert (found.target[0] > 0.99).sum() == 1
    assert (found.target[0] > 0).sum() <= CELLS


def test_no_cell_answers_for_two_faces_and_each_of_them_keeps_its_own():
    boxes = [(4.0, 4.0, 40.0, 40.0), (12.0, 12.0, 48.0, 48.0)]
    wanted, answers = truth(boxes), guesses(1, seed=3)
    for p in range(COUNT):
        nearer = int(CENTRES[p].sum() > 52)
        answers.boxes[0, p] = torch.tensor(boxes[nearer])
    found = assign(answers, wanted, CENTRES, SPANS)
    on = found.target[0] > 0
    assert {found.face[0, p].item() for p in on.nonzero()[:, 0]} == {0, 1}
    for p in on.nonzero()[:, 0]:
        assert found.face[0, p] == int(CENTRES[p].sum() > 52)


@pytest.mark.parametrize("seed", range(4))
def test_a_small_face_takes_no_cell_from_a_large_one_behind_it(seed):
    """It has fewer cells than it may have, and everywhere fits better than the large one."""
    wanted, answers = truth([(24.0, 24.0, 31.0, 31.0), (0.0, 0.0, 64.0, 64.0)]), guesses(1, seed)
    answers.boxes[:] = torch.tensor([23.0, 23.0, 32.0, 32.0])
    found = assign(answers, wanted, CENTRES, SPANS)
    target, picked = naive_assignment(answers, wanted, 0)
    on = (found.target[0] > 0).nonzero()[:, 0].tolist()
    assert list(picked.values()).count(0) == 3
    assert sorted(on) == sorted(target)
    assert [found.face[0, p].item() for p in on] == [picked[p] for p in on]


@pytest.mark.parametrize("box", [(20.0, 20.0, 44.0, 44.0), (30.0, 30.0, 33.0, 33.0)])
def test_no_cell_far_away_answers_however_well_it_fits(box):
    wanted, answers = truth([box]), guesses(1)
    answers.boxes[:] = torch.tensor(box)
    answers.logits[:] = 5.0
    found = assign(answers, wanted, CENTRES, SPANS)
    on = (found.target[0] > 0).nonzero()[:, 0].tolist()
    assert 0 < len(on) <= CELLS
    assert all(may_answer(p, box) for p in on)


def test_even_the_smallest_face_has_a_cell():
    """Wherever it lies: some cell of stride 8 is within 0.6 cells of its middle."""
    for x in np.linspace(1, 60, 30):
        box = (x, 31.0 - x / 3, x + 2, 33.0 - x / 3)
        found = assign(guesses(1), truth([box]), CENTRES, SPANS)
        assert (found.target > 0).any()
