"""Worker threads: work begun in order, handed on in order, a little of it under way at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from facegauge.errors import OptionError

_Item = TypeVar("_Item")


def count(workers: int | None) -> int:
    """How many threads were asked for: one per core where nothing was said.

    Raises:
        OptionError: fewer than one.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise OptionError(f"Reading needs at least 1 worker, got {workers}. Correct --workers.")
    return workers


@contextmanager
def pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end with the block; what was not begun by then is dropped."""
    threads = ThreadPoolExecutor(workers, thread_name_prefix="facegauge-read")
    try:
        yield threads
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


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
