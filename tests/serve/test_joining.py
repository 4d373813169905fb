import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from facegauge.serve.joining import Joiner


class Doubling:
    """A scorer that doubles; its first call waits until it is told to go on."""

    def __init__(self, held: bool = True) -> None:
        self.calls: list[list[int]] = []
        self.go_on = threading.Event()
        if not held:
            self.go_on.set()

    def finish(self, faces):
        self.calls.append(list(faces))
        assert self.go_on.wait(10)
        if 13 in faces:
            raise ValueError("thirteen")
        return [2 * face for face in faces]


def joined(scorers, requests, largest=8):
    """What many requests (scorer, faces) get that begin together, the first a moment earlier."""
    sizes: list[int] = []

    async def all_of_them():
        with ThreadPoolExecutor(1) as threads:
            joiner = Joiner(threads, largest, sizes.append)
            first, *rest = (
                asyncio.create_task(joiner.finish(scorer, faces)) for scorer, faces in requests
            )
            await asyncio.sleep(0.05)
            for scorer in scorers:
                scorer.go_on.set()
            return await asyncio.gather(first, *rest, return_exceptions=True)

    return asyncio.run(all_of_them()), sizes


def test_who_waits_shares_one_call():
    scorer = Doubling()
    requests = [(scorer, [number]) for number in range(6)]
    answers, sizes = joined([scorer], requests)
    assert answers == [[0], [2], [4], [6], [8], [10]]
    assert sum(sizes) == 6
    assert len(sizes) <= 2  # the first may have gone alone


def test_a_call_is_no_larger_than_allowed():
    scorer = Doubling()
    requests = [(scorer, [1, 2, 3]), (scorer, [4, 5, 6]), (scorer, [7]), (scorer, list(range(9)))]
    answers, sizes = joined([scorer], requests, largest=4)
    assert answers == [[2, 4, 6], [8, 10, 12], [14], [2 * each for each in range(9)]]
    assert max(sizes) <= 4
    assert sum(sizes) == 16


def test_scorers_are_not_mixed():
    one, other = Doubling(), Doubling()
    requests = [(one, [1]), (other, [2]), (one, [3]), (other, [4])]
    answers, _ = joined([one, other], requests)
    assert answers == [[2], [4], [6], [8]]
    assert sorted(face for call in one.calls for face in call) == [1, 3]


def test_a_picture_without_faces_has_an_empty_answer():
    scorer = Doubling(held=False)
    assert joined([scorer], [(scorer, [])])[0] == [[]]


def test_a_failure_is_told_to_those_in_that_call_and_work_goes_on():
    scorer = Doubling(held=False)
    answers, _ = joined([scorer], [(scorer, [13]), (scorer, [1, 2, 3])], largest=3)
    assert isinstance(answers[0], ValueError)
    assert answers[1] == [2, 4, 6]


def test_one_who_left_keeps_nobody_waiting():
    scorer = Doubling()

    async def leaving():
        with ThreadPoolExecutor(1) as threads:
            joiner = Joiner(threads, 8, lambda _: None)
            left = asyncio.create_task(joiner.finish(scorer, [1]))
            stays = asyncio.create_task(joiner.finish(scorer, [2]))
            await asyncio.sleep(0.05)
            left.cancel()
            scorer.go_on.set()
            found = await stays
            with pytest.raises(asyncio.CancelledError):
                await left
            return found

    assert asyncio.run(leaving()) == [4]
