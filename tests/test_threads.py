import threading
import time

import cv2
import pytest

from facegauge import threads
from facegauge.errors import OptionError


@pytest.mark.parametrize("ahead", [0, 1, 3, 100])
def test_items_are_handed_on_in_order_and_drawn_a_little_ahead(ahead):
    drawn, most = [], 0
    for number, item in enumerate(
        threads.under_way((drawn.append(n) or n for n in range(9)), ahead)
    ):
        assert item == number
        most = max(most, len(drawn) - number - 1)
    assert most == min(ahead, 8)
    assert drawn == list(range(9))


def test_a_pool_ends_with_its_block_and_drops_what_was_not_begun():
    done = []
    with pytest.raises(KeyboardInterrupt), threads.pool(2) as pool:
        for number in range(100):
            pool.submit(lambda number=number: time.sleep(0.01) or done.append(number))
        raise KeyboardInterrupt
    assert len(done) < 10
    assert not [each for each in threading.enumerate() if each.name.startswith("facegauge")]


def test_there_is_at_least_one_worker():
    assert threads.count(None) >= 1
    assert threads.count(3) == 3
    with pytest.raises(OptionError, match="--workers"):
        threads.count(0)


def test_opencv_starts_no_threads_beside_the_workers():
    before = cv2.getNumThreads()
    with threads.pool(3):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before


def test_there_are_as_many_workers_as_cores_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    assert threads.count(None) == threads.cores() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert threads.count(None) == 1
