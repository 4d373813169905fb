"""The same batch on a Ray cluster: parts of it on many machines, one file each, whoever dies.

The walk is cut into parts (see parts) by this process, in order; any worker may score any part, and
one that dies is replaced: Ray gives its part to another, which writes the same file. What a part's
rows are depends on the part alone, so the folder is the same however often and wherever they ran.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ray

from facegauge import panel, parts, remote, threads
from facegauge.archives.archive import is_archive, require
from facegauge.batch import BATCH, Summary
from facegauge.choices import FaceChoice, Input
from facegauge.errors import FacegaugeError, InputError, OptionError
from facegauge.panel import Panel
from facegauge.parts import Counted, Part, PartFolder
from facegauge.remote import RemoteWalk
from facegauge.score_parquet import load_pyarrow
from facegauge.scoring import Scorer
from facegauge.tables import LandmarkTable, read_landmarks
from facegauge.techniques.label_table import sha256
from facegauge.values import Outcome
from facegauge.walk import Archived, ImageWalk, find_images

RETRIES = 10
"""How often a part is begun again whose worker died; then it is probably the part's fault."""
_AHEAD = 2
_STORE = 256 << 20
_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How pictures are scored, as every worker opens it: see ``Scorer`` and ``panel.open``."""

    model: str
    input: Input = Input.PHOTO
    faces: FaceChoice = FaceChoice.LARGEST
    detector: str | None = None
    device: str = "cpu"
    explain: bool = False
    batch_size: int = BATCH

    def scorer(self) -> Scorer | Panel:
        """The scorer or panel, the network of each running in one thread."""
        options = asdict(self)
        del options["batch_size"]
        return panel.open(options.pop("model"), threads=1, **options)

    def absolute(self) -> Asked:
        """The same with the whole paths of files: workers may run in another folder."""
        models = [self.model] if Path(self.model).is_file() else self.model.split(",")
        detector = self.detector and _absolute(self.detector)
        return replace(self, model=",".join(map(_absolute, models)), detector=detector)


def _absolute(name: str) -> str:
    return str(Path(name).absolute()) if Path(name).is_file() else name


def score_on_ray(
    paths: Sequence[str],
    *,
    asked: Asked,
    out: Path,
    landmarks: Path | None = None,
    resume: bool = False,
    address: str | None = None,
    workers: int | None = None,
    batches: int = parts.BATCHES,
    progress: Callable[[int], None] = lambda count: None,
) -> Summary:
    """Score every image under ``paths`` into a folder of parquet files.

    Args:
        paths: files, folders and archives that all machines see, or URLs, also with ``*``.
        asked: how they are scored.
        out: the folder, which all machines see; new or, with ``resume``, of the same run.
        landmarks: a table of them; it is in the memory of every worker.
        resume: parts that are there are not computed again.
        address: of a Ray cluster; without one (and without RAY_ADDRESS) this machine is one.
        workers: processes on this machine, one per core unless told; a cluster has its own.
        batches: network calls of a part.
        progress: is told how many more images are finished.

    Raises:
        OptionError: no cluster at the address, or options that are wrong (see ``PartFolder``).
        InputError: a part that kills every worker, or an archive that changes meanwhile.
        SourceGone: a folder of pictures disappeared; no part has rows about that.
        ModelError, TableError, MissingExtra: as ``Scorer`` and ``read_landmarks``.
    """
    load_pyarrow("facegauge score --engine ray")
    if asked.batch_size < 1 or batches < 1 or (workers is not None and workers < 1):
        raise OptionError(
            "Scoring needs a batch size, workers and batches of at least 1, got "
            f"{asked.batch_size}, {workers} and {batches}. Correct them."
        )
    places, table = _places(paths), None if landmarks is None else read_landmarks(landmarks)
    settings = _settings(places, asked, landmarks, batches)
    folder = PartFolder(out, settings, resume=resume)
    with _cluster(address, workers):
        job = _Job(asked=asked.absolute(), folder=folder, table=table, needed=_folders(places))
        run = _Run(job, progress)
        return run.finished(places, batches * asked.batch_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What every worker is told once; ``needed`` are the folders of pictures that were given."""

    asked: Asked
    folder: PartFolder
    table: LandmarkTable | None
    needed: Sequence[Path]


class _Run:
    """One batch on its way: parts out, what became of them back."""

    def __init__(self, job: _Job, progress: Callable[[int], None]) -> None:
        self.folder = job.folder
        self.progress = progress
        self.images = self.skipped = self.parts = self.matched = 0
        self.with_table = job.table is not None
        self.outcomes: Counter[Outcome] = Counter()
        self._shared = ray.put(job)
        gpus = 1 if job.asked.device == "cuda" else 0
        self._score = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=gpus)(_score)
        self._count = ray.remote(max_retries=RETRIES, num_cpus=1)(_count)

    def finished(self, places: Sequence[str], size: int) -> Summary:
        """Score all that is not there yet, and say what there is."""
        given = _walk([place for place in places if is_archive(place)])
        archived = (each for each in given.units if isinstance(each, Archived))
        counts = dict(_results(self._count.remote(parts.absolute(each)) for each in archived))
        walk = _walk(places)
        begun = self._begun(parts.cut(walk.units, counts, size))
        for summary in _results(begun):
            self.outcomes.update(summary.outcomes)
            self.matched += summary.landmarks_matched or 0
            self.progress(summary.images)
        self.folder.finish(self.parts)
        return self._summary([*counts.values(), walk])

    def _begun(self, cut: Iterable[Part]) -> Iterator[Any]:
        for part in cut:
            self.parts += 1
            self.images += part.images
            if self.folder.done(part):
                self.skipped += part.images
                self.progress(part.images)
            else:
                yield self._score.remote(self._shared, part)

    def _summary(self, passed: Sequence[Counted | ImageWalk | RemoteWalk]) -> Summary:
        return Summary(
            images=self.images,
            skipped=self.skipped,
            passed_over=sum(each.passed_over for each in passed),
            archives=sum(each.archives for each in passed),
            outcomes=dict(self.outcomes),
            landmarks_matched=self.matched if self.with_table and not self.skipped else None,
        )


def _score(job: _Job, part: Part) -> Summary:
    """What a worker does with a part; the scorer stays open for its next one."""
    return parts.score_part(
        part,
        job.folder,
        scorer=_opened(job.asked),
        landmarks=job.table,
        batch_size=job.asked.batch_size,
        needed=job.needed,
    )


@lru_cache(maxsize=1)
def _opened(asked: Asked) -> Scorer | Panel:
    return asked.scorer()


def _count(archived: Archived) -> tuple[str, Counted]:
    return archived.name, parts.count(archived)


def _results(begun: Iterator[Any]) -> Iterator[Any]:
    """What tasks give, as they end; two for each core of the cluster are under way."""
    waiting: list[Any] = []
    for task in begun:
        waiting.append(task)
        while len(waiting) >= _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1))):
            done, waiting = ray.wait(waiting, num_returns=1)
            yield _result(done[0])
    while waiting:
        done, waiting = ray.wait(waiting, num_returns=1)
        yield _result(done[0])


def _result(task: Any) -> Any:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FacegaugeError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise InputError(
            f"Expected a worker to finish its part, got {type(error).__name__} after {RETRIES} "
            "retries: a picture may take more memory than there is. What is done is kept; go on "
            "with --resume, and with fewer --workers."
        ) from error


def _places(paths: Sequence[str]) -> list[str]:
    """The paths or URLs, each once, ``*`` in URLs expanded."""
    urls = [path for path in paths if remote.is_url(path)]
    if urls and len(urls) < len(paths):
        raise OptionError(
            f"Expected paths or URLs, got both ({urls[0]} is one). Write file:// before the paths."
        )
    if urls:
        return remote.expanded(urls)
    for path in paths:
        require(Path(path))
    return list(paths)


def _folders(places: Sequence[str]) -> list[Path]:
    """Those of the places that are folders of all machines, at their whole paths."""
    paths = [Path(place).absolute() for place in places if not remote.is_url(place)]
    return [path for path in paths if path.is_dir()]


def _walk(places: Sequence[str]) -> ImageWalk | RemoteWalk:
    remotely = bool(places) and remote.is_url(places[0])
    return RemoteWalk(places) if remotely else find_images(places)


def _settings(
    places: Sequence[str], asked: Asked, landmarks: Path | None, batches: int
) -> dict[str, object]:
    """What decides about the rows."""
    scorer = asked.scorer()
    first = scorer if isinstance(scorer, Scorer) else scorer.scorers[0]
    detector = first.detector
    known = None if landmarks is None else sha256(landmarks)
    return {
        "paths": list(places),
        "models": [scorer.name, *scorer.further],
        "input": str(asked.input),
        "faces": str(asked.faces),
        "detector": None if detector is None else detector.name,
        "landmarks": known,
        "explain": asked.explain,
        "batch_size": asked.batch_size,
        "batches": batches,
    }


@contextmanager
def _cluster(address: str | None, workers: int | None) -> Iterator[None]:
    """Ray, connected or started, and left as it was found."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    address = address or os.environ.get("RAY_ADDRESS")
    _connect(address, workers)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str | None, workers: int | None) -> None:
    alone = {
        "num_cpus": threads.count(workers),
        "object_store_memory": _STORE,
        "include_dashboard": False,
    }
    try:
        if address is None:
            ray.init(address="local", logging_level="ERROR", log_to_driver=False, **alone)
        else:
            _reach(address)
            ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    except (OSError, RuntimeError, ValueError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OptionError(
            f"Expected a Ray cluster at {address or 'this machine'}, got: {told}. Start one with "
            "ray start --head and give its HOST:PORT, and RAY_AUTH_TOKEN where it asks for one; or "
            "leave out --address."
        ) from error


def _reach(address: str) -> None:
    """Ask for a connection first: Ray waits a minute where nobody answers."""
    where = urlsplit(address if "://" in address else f"//{address}")
    if where.port is not None:
        socket.create_connection((where.hostname or "", where.port), _SECONDS).close()
