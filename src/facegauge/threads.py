"""Worker threads: work begun in order, handed on in order, a little of it under way at a time.

Each worker keeps one core busy: within a pool OpenCV starts no threads of its own, and networks
that workers run are opened with one thread. Threads of two libraries beside the workers would take
turns on the same cores.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import cv2

from facegauge.errors import OptionError

_Item = TypeVar("_Item")


def count(workers: int | None) -> int:
    """How many threads were asked for: one per core this process may use where nothing was said.

    Raises:
        OptionError: fewer than one.
    """
    workers = cores() if workers is None else workers
    if workers < 1:
        raise OptionError(f"Reading needs at least 1 worker, got {workers}. Correct --workers.")
    return workers


def cores() -> int:
    """How many cores this process may use (fewer than there are under ``taskset``, say)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end with the block; what was not begun by then is dropped."""
    threads = ThreadPoolExecutor(workers, thread_name_prefix="facegauge-work")
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield threads
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        cv2.setNumThreads(before)


def under_way(items: Iterator[_Item], ahead: int) -> Iterator[_Item]:
    """The same items, each drawn from its source ``ahead`` items before it is handed on.

    Drawing one begins its work, so this is how far the threads may run ahead.
    """
    waiting: deque[_Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > ahead:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()
