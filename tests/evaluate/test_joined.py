import pytest

from facegauge.errors import InputError
from facegauge.evaluate.joined import join


def test_paths_are_sorted_and_counted():
    joined = join(
        {"b.jpg": 2.0, "./a/1.jpg": 1.0, "only.jpg": 9.0},
        {"a\\1.jpg": 0.1, "b.jpg": 0.2, "c.jpg": 0.3, "d.jpg": 0.4},
    )
    assert joined.paths == ("a/1.jpg", "b.jpg")
    assert joined.scores.tolist() == [1.0, 2.0]
    assert joined.labels.tolist() == [0.1, 0.2]
    assert (joined.without_label, joined.without_score) == (1, 2)
    assert str(joined) == ("2 images have a score and a label; 1 have no label, 2 have no score")


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        ({"x/a": 1}, {"a": 1}, "no path in common: 'x/a' have scores, 'a' have labels"),
        ({}, {"a": 1, "b": 2, "c": 3}, "none have scores, 'a', 'b' and others have labels"),
        ({"a": 1, "./a": 2}, {"a": 1}, "one score for 'a', got 1 and 2"),
        ({"a": 1}, {"a": 1, "./a": 2}, "one label for 'a', got 1 and 2"),
    ],
)
def test_what_cannot_be_joined_is_refused(scores, labels, words):
    with pytest.raises(InputError, match=words):
        join(scores, labels)


def test_the_same_value_twice_is_fine():
    assert join({"a": 1, "./a": 1}, {"a": 2}).paths == ("a",)
