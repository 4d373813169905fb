"""What one client may send and how much may be under way: the bounds of the service."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from facegauge.errors import OptionError


def _bound(default: float, what: str) -> Any:
    return field(default=default, metadata={"help": what})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the service; every one is at least 1. Bytes, pixels and seconds as they say.

    Memory at its worst is ``held_bytes``, and for each worker 20 bytes for each of ``pixels``.

    Raises:
        OptionError: a bound below 1, or one that another makes impossible.
    """

    file_bytes: int = _bound(20_000_000, "Largest file.")
    request_bytes: int = _bound(100_000_000, "Largest request, all its files together.")
    files: int = _bound(32, "Most files in a request.")
    pixels: int = _bound(50_000_000, "Largest picture; a larger one is unreadable.")
    queue: int = _bound(64, "Files that may wait or be worked on; then 503 with Retry-After.")
    requests: int = _bound(128, "Requests under way, those that are still arriving included.")
    held_bytes: int = _bound(500_000_000, "Uploads in memory at once, of all requests together.")
    upload_seconds: float = _bound(60.0, "How long a request may take to arrive.")
    grace_seconds: float = _bound(30.0, "How long a stop waits for what was accepted.")
    batch_size: int = _bound(32, "Faces per network call.")

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) >= 1:
                raise OptionError(
                    f"{flag(each)} needs at least 1, got {getattr(self, each.name)}. Correct it."
                )
        self._ordered("file_bytes", "request_bytes")
        self._ordered("request_bytes", "held_bytes")
        self._ordered("files", "queue")

    def _ordered(self, smaller: str, larger: str) -> None:
        """Of two bounds the second holds the first, or some requests could never be accepted."""
        low, high = getattr(self, smaller), getattr(self, larger)
        if low > high:
            raise OptionError(
                f"A {larger} of {high} never admits what a {smaller} of {low} allows. "
                f"Raise {larger} or lower {smaller}."
            )


def flag(bound: Field[Any]) -> str:
    """The option of the command line that sets a bound: ``--file-bytes``."""
    return f"--{bound.name.replace('_', '-')}"


def explained(name: str) -> str:
    """What a bound is, in a line."""
    return next(str(each.metadata["help"]) for each in fields(Limits) if each.name == name)
