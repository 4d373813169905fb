"""What all rows of a table have in common: models and measures."""

from pathlib import Path

import pytest

from facegauge.errors import OptionError
from facegauge.score_cells import Further
from facegauge.score_row import ScoreRow
from facegauge.score_run import ScoreRun

TABLE = Path("t.csv")


def row(detail: str = "", outcome: str = "scored", model: str = "m-1", **fields) -> ScoreRow:
    numbers = {"score": 1.0, "raw": 1.0} if outcome == "scored" else {}
    return ScoreRow(
        path="a", face=0, outcome=outcome, detail=detail, model=model, **numbers, **fields
    )


@pytest.mark.parametrize(
    ("explain", "given", "refused"),
    [
        (False, row(), None),
        (False, row("largest of 2 faces"), None),
        (False, row("largest of 2 faces; worst: noise 3 (grainy)"), "with --explain"),
        (False, row("worst: noise 3 (grainy)", "too_small"), "with --explain"),
        (True, row("worst: noise 3 (grainy)"), None),
        (True, row("3 pixels; worst: noise 3 (grainy)", "too_small"), None),
        (True, row("no measures: not enough memory"), None),
        (True, row("no picture", "unreadable"), None),
        (True, row(""), "without --explain"),
        (True, row("largest of 2 faces"), "without --explain"),
        (False, row(model="other-1"), "same --model"),
        (False, row(further=(Further(model="b-1"),)), "same --model"),
    ],
)
def test_a_row_of_another_run_is_refused(explain, given, refused):
    run = ScoreRun(models=("m-1",), explain=explain)
    if refused is None:
        run.check(TABLE, given)
    else:
        with pytest.raises(OptionError, match=refused):
            run.check(TABLE, given)
