import math

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.scored import Scored, subgroups


def scored(scores, groups=(), paths=None) -> Scored:
    names = tuple(f"{i}.jpg" for i in range(len(scores))) if paths is None else paths
    return Scored(method="m", set_name="s", paths=names, scores=tuple(scores), groups=tuple(groups))


def test_lowest_and_highest_leave_out_images_without_a_score():
    found = scored([5.0, None, 1.0, 9.0, 1.0])
    assert found.lowest(3) == (("2.jpg", 1.0), ("4.jpg", 1.0), ("0.jpg", 5.0))
    assert found.highest(2) == (("3.jpg", 9.0), ("0.jpg", 5.0))
    assert len(found.lowest(99)) == 4
    tied = scored([7.0, 7.0, 7.0], paths=("c", "a", "b"))
    assert (
        [path for path, _ in tied.lowest(3)] == [path for path, _ in tied.highest(3)] == list("abc")
    )
    assert found.missing == 1
    assert found.known.tolist() == [5.0, 1.0, 9.0, 1.0]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_about_the_share_lies_below_its_threshold(share):
    values = np.random.default_rng(0).normal(size=400)
    threshold = scored([*values.tolist(), None]).threshold(share)
    assert np.mean(values < threshold) == pytest.approx(share, abs=1 / 400)


def test_subgroups_equal_a_count_by_hand():
    found = scored([10.0, 20.0, None, 40.0, 50.0, None], ["b", "a", "a", "a", "b", "c"])
    a, b, c = subgroups(found, 20.5)
    assert (a.group, a.count, a.missing, a.mean, a.discarded) == ("a", 3, 1, 30.0, 2 / 3)
    assert (b.group, b.count, b.missing, b.mean, b.discarded) == ("b", 2, 0, 30.0, 0.5)
    assert (c.count, c.missing, c.mean, c.discarded) == (1, 1, None, 1.0)
    assert (a.method, a.set_name, a.threshold, a.errors) == ("m", "s", 20.5, None)


def test_a_score_equal_to_the_threshold_stays():
    (group,) = subgroups(scored([1.0, 2.0], "xx"), 2.0)
    assert group.discarded == 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([],), "got 0 paths, 0 scores and 0 groups"),
        (([1.0, 2.0], ["a"]), "2 paths, 2 scores and 1 groups"),
        (([1.0, 2.0], (), ("only.jpg",)), "1 paths, 2 scores"),
        (([1.0, math.nan],), "must be finite, got nan. Give None"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        scored(*arguments)


def test_questions_without_an_answer_are_refused():
    with pytest.raises(OptionError, match="in 0..1, got 1.5"):
        scored([1.0]).threshold(1.5)
    with pytest.raises(InputError, match="1 images of 's' without any"):
        scored([None]).threshold(0.5)
    with pytest.raises(InputError, match="got 0 groups and threshold 3.0"):
        subgroups(scored([1.0]), 3.0)
    with pytest.raises(InputError, match="threshold nan"):
        subgroups(scored([1.0], "a"), math.nan)
