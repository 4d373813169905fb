from pathlib import Path

import pytest

from facegauge.errors import OptionError
from facegauge.places import below

OUT = Path("out")


@pytest.mark.parametrize(
    ("name", "place"),
    [("a.png", "a.png"), ("anna/a.png", "anna/a.png"), ("/x/a.png", "x/a.png"), ("//x", "x")],
)
def test_a_place_is_below_the_folder(name, place):
    assert below(OUT, name) == OUT / place


@pytest.mark.parametrize("name", ["../a.png", "anna/../../a.png", "..", "/../a"])
def test_no_place_is_outside_of_it(name):
    with pytest.raises(OptionError, match="outside out"):
        below(OUT, name)
