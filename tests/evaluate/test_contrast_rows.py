import numpy as np

from facegauge.evaluate import contrast_rows
from facegauge.evaluate.contrast import contrast
from facegauge.evaluate.spread import Spread


def spread(name, scores, **outcomes) -> Spread:
    return Spread(
        name=name,
        scores=np.array(scores, dtype=float),
        outcomes={"scored": len(scores)} | outcomes,
        models=("m-1",),
    )


A = spread("a", [10, 20, 30, 40], no_face=1)
B = spread("b", [20, 40, 60, 80], unreadable=4)


def test_each_row_has_a_cell_for_each_column():
    pairs = [
        (contrast_rows.contrast_head(), contrast_rows.contrast_rows([contrast(B, A)])),
        (contrast_rows.spread_head(), contrast_rows.spread_rows([A, B])),
        (contrast_rows.threshold_head([A, B]), contrast_rows.threshold_rows([A, B], [10, 50.0])),
        (contrast_rows.outcome_head([A, B]), contrast_rows.outcome_rows([A, B])),
    ]
    for head, rows in pairs:
        assert {len(row) for row in rows} == {len(head)}


def test_cells():
    [row] = contrast_rows.contrast_rows([contrast(B, A, resamples=0)])
    assert row[:2] == ["b", "not told apart"]
    assert row[2].startswith("0.812 [")
    assert row[3:5] == ["+0.625", "+25.00"]
    assert row[5].startswith("0.500 [0.000, 1.000] at ")
    assert contrast_rows.spread_rows([A])[0][:6] == ["a", "m-1", "4", "25.00", "11.50", "17.50"]
    assert contrast_rows.threshold_rows([A, B], [30.0]) == [["30", "60.0%", "62.5%"]]
    assert contrast_rows.outcome_head([A, B]) == ["Set", "Rows", "scored", "no_face", "unreadable"]
    assert contrast_rows.outcome_rows([A, B])[1] == ["b", "8", "4", "0", "4"]
