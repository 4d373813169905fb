"""What a command takes as a process of its own, and folders of links for it to work on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FACEGAUGE = ("-c", "from facegauge.cli import main; main()")
"""What Python is told to be ``facegauge``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds by the clock and of processors, and MB at its most, by the kernel's count."""

    clock: float
    processor: float
    megabytes: float


def spent(words: Sequence[str], *, what: str, quiet: bool = False) -> Spent:
    """Run Python with these words to its end; ``quiet`` shows nothing of what it prints."""
    told = [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_WRONLY, 0) for at in (1, 2) if quiet]
    start = time.perf_counter()
    command = [sys.executable, *words]
    child = os.posix_spawn(sys.executable, command, os.environ, file_actions=told)
    _, status, usage = os.wait4(child, 0)
    clock = time.perf_counter() - start
    if status:
        sys.exit(f"{what} ended with status {status}")
    return Spent(
        clock=clock,
        processor=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss / 1024,
    )


def linked(paths: Iterable[Path], folder: Path) -> Path:
    """A new folder of links to pictures."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return folder
