"""What Prometheus is told: how much passes and how long it takes, never whose and no score."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from facegauge.serve.admission import Admission
from facegauge.values import Assessment

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_FACES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self, admission: Admission) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "facegauge_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "facegauge_request_seconds",
            "Seconds from a request's headers to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._outcomes = Counter(
            "facegauge_faces", "Assessments made.", ["outcome"], registry=self._registry
        )
        self._calls = Histogram(
            "facegauge_batch_faces",
            "Faces in a network call.",
            buckets=_FACES,
            registry=self._registry,
        )
        self._watch(admission)
        ProcessCollector(registry=self._registry)

    def _watch(self, admission: Admission) -> None:
        files, held = (
            Gauge("facegauge_queue_files", "Files waiting or worked on.", registry=self._registry),
            Gauge("facegauge_held_bytes", "Uploads in memory.", registry=self._registry),
        )
        files.set_function(lambda: admission.files)
        held.set_function(lambda: admission.held_bytes)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has its answer; ``route`` is the pattern, not the address."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def assessed(self, found: Iterable[Assessment]) -> None:
        """Assessments were made."""
        for each in found:
            self._outcomes.labels(str(each.outcome)).inc()

    def called(self, faces: int) -> None:
        """A network ran on so many faces."""
        self._calls.observe(faces)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
