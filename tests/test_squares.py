"""Squares around boxes: where they lie, and what they show."""

import numpy as np
import pytest

from facegauge.squares import around, shown


@pytest.mark.parametrize("filled", [0.5, 0.65, 1.0])
@pytest.mark.parametrize("box", [(10, 20, 70, 60), (-20.4, 20.3, 39.9, 79.2), (5, 5, 6, 90)])
def test_the_box_lies_in_the_middle_and_fills_its_share(box, filled):
    square = around(*box, filled)
    x0, y0, x1, y1 = box
    assert max(x1 - x0, y1 - y0) == pytest.approx(filled * square.side, abs=0.51 * filled)
    assert square.left + (square.side - 1) / 2 == pytest.approx((x0 + x1) / 2, abs=0.51)
    assert square.top + (square.side - 1) / 2 == pytest.approx((y0 + y1) / 2, abs=0.51)


def test_beyond_the_picture_is_black():
    picture = np.full((100, 100, 3), 200, np.uint8)
    picture[:, :20] = 90
    square = around(-20, 20, 40, 80, 0.65)
    row = shown(picture, square, 64)[32, :, 0]
    unit = 64 / square.side
    assert row[0] == 0
    assert abs(int((row == 0).sum()) - -square.left * unit) < 2
    assert abs(int((row > 180).sum()) - (square.left + square.side - 20) * unit) < 2
    assert row[-1] == 200


@pytest.mark.parametrize("box", [(-90, 10, -50, 40), (130, 10, 170, 40), (10, -90, 40, -50)])
def test_outside_the_picture_all_is_black(box):
    assert not shown(np.full((100, 100, 3), 200, np.uint8), around(*box, 0.65), 64).any()


def test_a_square_of_the_right_size_is_shown_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    square = around(10, 10, 42, 42, 0.5)
    assert square.side == 64
    inside = shown(picture, square, 64)[-square.top :, -square.left :]
    rows, columns = 64 + square.top, 64 + square.left
    np.testing.assert_array_equal(inside, picture[:rows, :columns])
