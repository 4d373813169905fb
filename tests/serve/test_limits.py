import dataclasses

import pytest

from facegauge.errors import OptionError
from facegauge.serve.limits import Limits, explained, flag


def test_the_usual_bounds_fit_together():
    limits = Limits()
    assert limits.file_bytes <= limits.request_bytes <= limits.held_bytes
    assert limits.files <= limits.queue


@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_bound_below_one_is_refused_by_its_flag(name, value):
    with pytest.raises(OptionError, match=f"--{name.replace('_', '-')} needs at least 1"):
        Limits(**{name: value})


@pytest.mark.parametrize(
    "bounds",
    [
        {"file_bytes": 200_000_000},
        {"request_bytes": 600_000_000},
        {"files": 65},
        {"queue": 8},
    ],
)
def test_bounds_that_admit_nothing_are_refused(bounds):
    with pytest.raises(OptionError, match="never admits"):
        Limits(**bounds)


def test_every_bound_is_explained():
    for each in dataclasses.fields(Limits):
        assert explained(each.name).endswith(".")
        assert flag(each).startswith("--")
