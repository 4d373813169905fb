"""Who may come in: files in the queue, requests under way and bytes in memory, all counted.

Who does not may not wait either: the answer is 503 at once, with the time after which to ask again.
So the time that an accepted request takes is bounded by the queue in front of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem, Refused

_LONGEST = 60
"""Seconds; nobody is asked to stay away longer."""
_SHARE = 0.2
"""Weight of the latest request in the mean of how long requests take."""


class Admission:
    """What is under way; all calls come from the event loop, so nothing is locked."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.requests = 0
        self.files = 0
        self.held_bytes = 0
        self._usual = 0.0

    @contextmanager
    def request(self) -> Iterator[Part]:
        """Let a request in, until the block ends.

        Raises:
            Refused: there are too many, or the queue is full already.
        """
        if self.requests >= self._limits.requests or self.files >= self._limits.queue:
            raise self._busy()
        part = Part(self)
        self.requests += 1
        try:
            yield part
        finally:
            self.requests -= 1
            self.held_bytes -= part.held_bytes

    def hold(self, size: int) -> None:
        """Count bytes that are about to be kept, or refuse them."""
        if self.held_bytes + size > self._limits.held_bytes:
            raise self._busy()
        self.held_bytes += size

    @contextmanager
    def queued(self, files: int) -> Iterator[None]:
        """Let files into the queue, until the block ends, or refuse them together."""
        if self.files + files > self._limits.queue:
            raise self._busy()
        begun = time.monotonic()
        self.files += files
        try:
            yield
        finally:
            self.files -= files
            self._usual += _SHARE * (time.monotonic() - begun - self._usual)

    def _busy(self) -> Refused:
        """Come back when what waits now will be done: in about the time requests usually take."""
        seconds = min(_LONGEST, max(1, math.ceil(self._usual)))
        return Refused(
            Problem.BUSY,
            f"{self.files} files are waiting, {self._limits.queue} may. "
            f"Ask again in {seconds} seconds.",
            {"retry-after": str(seconds)},
        )


class Part:
    """One request's part of what is under way."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.held_bytes = 0

    def hold(self, size: int) -> None:
        """Count bytes of this request, see ``Admission.hold``."""
        self._admission.hold(size)
        self.held_bytes += size
