"""Weights of resampled people, counted by hand."""

import numpy as np
import pytest

from facegauge.evaluate.resampling import Cells, draw_people, sums_before


def test_as_many_people_are_drawn_as_there_are():
    drawn = draw_people(50, 400, 1)
    assert drawn.shape == (400, 50)
    assert (drawn.sum(axis=1) == 50).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(50), abs=0.25)
    assert (drawn == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)
    assert (draw_people(50, 400, 1) == drawn).all()
    assert (draw_people(50, 400, 2) != drawn).any()


def test_more_resamples_begin_with_the_same():
    assert (draw_people(9, 20, 3)[:5] == draw_people(9, 5, 3)).all()


def test_pairs_that_weigh_the_same_share_a_cell():
    cells = Cells.of(
        np.array([1, 0, 1, 1, 1]),
        np.array([0, 2, 1, 0, 0]),
        np.array([1, 2, 0, 0, 1]),
        np.array([[True, False, True, True, False], [True] * 5]),
    )
    assert cells.level.tolist() == [0, 1, 1]
    assert cells.a.tolist() == [2, 0, 0]
    assert cells.b.tolist() == [2, 0, 1]
    assert cells.count.tolist() == [1, 1, 3]
    assert cells.wrong.tolist() == [[0, 1, 2], [1, 1, 3]]
    drawn = np.array([[2, 3, 0], [1, 0, 2]], dtype=np.int32)
    assert cells.weights(drawn).tolist() == [[0, 2, 6], [2, 1, 0]]
    assert cells.starts(np.array([0, 1])).tolist() == [0, 1]


def test_sums_before_places_end_with_the_total():
    found = sums_before(np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([0, 2, 3]))
    assert found.tolist() == [[0, 3, 6, 6], [0, 9, 15, 15]]
