"""From an upload to its assessments: threads that read and crop, and a network that is shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from facegauge import images, threads
from facegauge.errors import UnreadableImage
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve.joining import Faces, Joiner
from facegauge.serve.limits import Limits
from facegauge.serve.scans import MOST_SCANS, too_many_scans
from facegauge.serve.uploads import Upload
from facegauge.values import Assessment, Outcome


class Desk:
    """Assesses uploads; one network call serves all that wait.

    Args:
        limits: pixels of a picture, and faces of a network call.
        workers: threads that decode, find faces and crop; None takes one per core.
        called: told how many faces each network call had.
    """

    def __init__(
        self, limits: Limits, *, workers: int | None, called: Callable[[int], None]
    ) -> None:
        self._pixels = limits.pixels
        self._readers = ThreadPoolExecutor(threads.count(workers), "facegauge-read")
        self._network = ThreadPoolExecutor(1, "facegauge-network")
        self._joiner = Joiner(self._network, limits.batch_size, called)

    async def assess(self, upload: Upload, scorer: Scorer | Panel) -> list[Assessment]:
        """What a scorer says of a file: never an error for what is in it."""
        loop = asyncio.get_running_loop()
        try:
            faces = await loop.run_in_executor(self._readers, self._read, upload.content, scorer)
        except UnreadableImage as error:
            return [unreadable(scorer, str(error))]
        return await self._joiner.finish(scorer, faces)

    def _read(self, content: bytes, scorer: Scorer | Panel) -> Faces:
        images.check(content, max_pixels=self._pixels)
        if too_many_scans(content):
            raise UnreadableImage(f"too many scans in a JPEG, limit {MOST_SCANS}")
        return scorer.prepare(content)

    def close(self) -> None:
        """End the threads when they are done with what they have."""
        self._readers.shutdown(wait=False)
        self._network.shutdown(wait=False)


def unreadable(scorer: Scorer | Panel, reason: str) -> Assessment:
    """What is said of a file that was not shown to the scorer."""
    silent = Outcome.UNREADABLE
    others = tuple(Assessment(outcome=silent, model=name) for name in scorer.further)
    return Assessment(outcome=silent, model=scorer.name, detail=reason, further=others)
