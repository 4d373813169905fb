"""Time by stage, with a clock that is moved by hand."""

import pytest

from facegauge.bench.stopwatch import Stopwatch


class Road:
    def __init__(self) -> None:
        self.now = 0.0

    def outer(self, seconds: float) -> float:
        self.now += seconds
        self.inner(2.0)
        self.now += seconds
        return seconds

    def inner(self, seconds: float) -> None:
        self.now += seconds

    def fails(self) -> None:
        self.now += 5.0
        raise KeyError("x")


def test_what_is_timed_inside_is_counted_once():
    road = Road()
    watch = Stopwatch(clock=lambda: road.now)
    with watch.over(road, "outer", "outside"), watch.over(road, "inner", "inside"):
        assert road.outer(3.0) == 3.0
        road.inner(1.0)
    road.outer(100.0)  # no longer watched
    assert dict(watch.seconds) == {"outside": 6.0, "inside": 3.0}


def test_what_is_watched_is_left_as_it_was():
    road, watch = Road(), Stopwatch()
    before, function = dict(vars(Road)), Road.inner
    with watch.over(road, "inner", "a"), watch.over(Road, "inner", "b"):
        assert Road.inner is not function
    assert "inner" not in vars(road)
    assert dict(vars(Road)) == before


def test_a_call_that_fails_counts_too():
    road = Road()
    watch = Stopwatch(clock=lambda: road.now)
    with pytest.raises(KeyError):
        watch.timed("broken", road.fails)()
    watch.timed("next", road.inner)(1.0)
    assert dict(watch.seconds) == {"broken": 5.0, "next": 1.0}
