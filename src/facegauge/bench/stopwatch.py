"""Where the time of a piece of work goes: its calls by stage, on whatever threads they run."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


class Stopwatch:
    """Seconds by stage. A stage inside of another is counted once, as its own.

    Example:
        >>> watch = Stopwatch()
        >>> watch.timed("adding", sum)([1, 2])
        3
        >>> list(watch.seconds)
        ['adding']
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._clock = clock
        self._inner = threading.local()

    def timed(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, its time counted for a stage."""

        @wraps(call)
        def counted(*args: Any, **options: Any) -> Any:
            outer, start = getattr(self._inner, "seconds", 0.0), self._clock()
            self._inner.seconds = 0.0
            try:
                return call(*args, **options)
            finally:
                taken = self._clock() - start
                self.seconds[stage] += taken - self._inner.seconds
                self._inner.seconds = outer + taken

        return counted

    @contextmanager
    def over(self, owner: Any, name: str, stage: str) -> Iterator[None]:
        """Count all calls of ``owner.name`` for a stage while the block lasts."""
        own = vars(owner).get(name)
        setattr(owner, name, self.timed(stage, getattr(owner, name)))
        try:
            yield
        finally:
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)
