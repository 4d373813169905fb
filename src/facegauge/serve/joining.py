"""One network call for all who wait: while one runs, the next one gathers.

Nobody waits for company. Alone, a request is computed at once; under load calls become larger, and
with them the throughput. What is answered does not depend on it (see scoring.Scorer.finish).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.values import Assessment

Faces = Sequence[Any]
"""What a scorer or panel prepared of faces, to be handed back to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Waiting:
    """The faces of one picture, and where to put what is said of them."""

    scorer: Scorer | Panel
    faces: Faces
    found: asyncio.Future[list[Assessment]]


class Joiner:
    """Runs networks on the faces of all pictures that wait.

    Args:
        threads: where the network runs.
        largest: faces in one call at most.
        called: told how many faces each call had.
    """

    def __init__(self, threads: Executor, largest: int, called: Callable[[int], None]) -> None:
        self._threads = threads
        self._largest = largest
        self._called = called
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def finish(self, scorer: Scorer | Panel, faces: Faces) -> list[Assessment]:
        """What ``scorer`` says of the faces of one picture, in their order."""
        loop = asyncio.get_running_loop()
        own = _Waiting(scorer=scorer, faces=faces, found=loop.create_future())
        self._waiting.append(own)
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._until_nobody_waits())
        return await own.found

    async def _until_nobody_waits(self) -> None:
        while self._waiting:
            turn = self._turn()
            try:
                self._tell(turn, await self._assessed(turn))
            except Exception as error:
                for each in turn:
                    if not each.found.done():
                        each.found.set_exception(error)

    def _turn(self) -> list[_Waiting]:
        """The first one, and who else waits for the same scorer, as far as there is room."""
        first, *rest = self._waiting
        turn, room = [first], self._largest - len(first.faces)
        later: list[_Waiting] = []
        for each in rest:
            joins = each.scorer is first.scorer and len(each.faces) <= room
            (turn if joins else later).append(each)
            room -= len(each.faces) if joins else 0
        self._waiting = later
        return turn

    async def _assessed(self, turn: Sequence[_Waiting]) -> list[Assessment]:
        faces = [face for each in turn for face in each.faces]
        loop, scorer, found = asyncio.get_running_loop(), turn[0].scorer, []
        for start in range(0, len(faces), self._largest):
            part = faces[start : start + self._largest]
            self._called(len(part))
            found += await loop.run_in_executor(self._threads, scorer.finish, part)
        return found

    def _tell(self, turn: Sequence[_Waiting], found: Sequence[Assessment]) -> None:
        start = 0
        for each in turn:
            own = list(found[start : start + len(each.faces)])
            start += len(each.faces)
            if not each.found.done():  # else its client's task was cancelled
                each.found.set_result(own)
