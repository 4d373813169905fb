import random
import tracemalloc

import pytest

from facegauge import name_order
from facegauge.name_order import BLOCK, in_order


@pytest.mark.parametrize("count", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_names_are_sorted_as_strings_are(count):
    letters = random.Random(count)
    alphabet = ["a", "B", "é", "日", "😀", "\udce9", "\uffff", "0", ".", "\n"]
    names = [f"{''.join(letters.choices(alphabet, k=5))}{number}" for number in range(count)]
    assert list(in_order(names)) == sorted(names)


def test_all_are_drawn_at_once(monkeypatch):
    monkeypatch.setattr(name_order, "BLOCK", 2)
    source = iter("badc")
    found = in_order(source)
    assert list(source) == []  # the folder may be closed
    assert list(found) == list("abcd")


def test_many_names_take_little_more_than_their_letters():
    tracemalloc.start()
    found = in_order(f"{number * 7919 % 100_003:08}.jpg" for number in range(100_000))
    first = next(found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert first == "00000000.jpg"
    assert peak < 100_000 * 13 + 2_000_000  # as strings they are 6.9 MB, and a list of them more
