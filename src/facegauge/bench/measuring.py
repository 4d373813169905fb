"""The road of scoring against the clock: by stages, with all workers, and each network alone.

The stages are timed in the road itself, by watching its calls in a run of one worker; then all
workers run the same road against the clock. A network's time for one picture on one thread is set
against what one thread multiplies here at its best (see roofline).
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facegauge import batch, costs, detection, images, models, panel, threads
from facegauge.bench import roofline
from facegauge.bench.pictures import write_pictures
from facegauge.bench.stopwatch import Stopwatch
from facegauge.choices import Input, named
from facegauge.errors import FacegaugeError, OptionError
from facegauge.models import Model
from facegauge.panel import Panel
from facegauge.score_table import ScoreTable
from facegauge.scoring import Scorer
from facegauge.walk import find_images

STAGES = ("decode", "detect", "align", "infer", "write")
"""The stages of the road, in order: file to pixels, pixels to faces, faces to crops (with all
checks), crops to scores, scores to rows on disk."""
DRAWN = 64
"""Pictures drawn where none are given."""

_WARM_UP = 8
_TURNS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Milliseconds an image takes in one stage, on one thread."""

    name: str
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTime:
    """A network alone on one thread: milliseconds for one picture of ``side``, one in a call.

    ``batched`` is the same in the calls of the road: ``batch.BATCH`` crops, or one photograph for
    the detector. ``macs`` are the multiply-adds of one
    picture (see costs) and ``share`` is what they are, at the rate of ``roofline``, of the batched
    time, 0..1; both are None where ``note`` says why.
    """

    name: str
    side: int
    milliseconds: float
    batched: float
    macs: int | None = None
    share: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What was measured. ``rate`` is images a second with ``workers``; ``peak`` memory in MB."""

    source: str
    input: str
    device: str
    workers: int
    images: int
    scored: int
    rate: float
    peak: float | None
    gigaflops: float
    stages: tuple[Stage, ...]
    networks: tuple[NetworkTime, ...]
    machine: str

    @property
    def alone(self) -> float:
        """Milliseconds an image takes in all stages, on one thread."""
        return sum(stage.milliseconds for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "milliseconds": self.alone}


def measure(
    path: Path | str | None = None,
    *,
    model: str = models.DEFAULT,
    input: str = Input.PHOTO,
    workers: int | None = None,
    device: str = "cpu",
    count: int = 500,
) -> Bench:
    """Measure the road and the networks.

    Args:
        path: a picture or a folder; None draws some.
        model: as for ``panel.open``.
        input: what the pictures show.
        workers: threads of the road (one per core unless told).
        device: see ``devices``.
        count: most pictures that are measured.

    Raises:
        OptionError: no picture there, or wrong options.
        ModelError: as ``Scorer``.
    """
    kind, workers = named(Input, input, "input"), threads.count(workers)
    if count < 1:
        raise OptionError(f"Measuring needs at least 1 picture, got {count}. Correct --count.")
    scorer = panel.open(model, input=kind, threads=1, device=device)
    with _pictures(path, kind, count) as pictures:
        _scored(pictures[:_WARM_UP], scorer, 1)
        summary, seconds = _scored(pictures, scorer, workers)
        peak = peak_megabytes()
        stages = _stages(pictures, scorer)
    best = roofline.gigaflops()
    return Bench(
        source="drawn pictures" if path is None else str(path),
        input=str(kind),
        device=device,
        workers=workers,
        images=len(pictures),
        scored=summary.scored,
        rate=len(pictures) / seconds,
        peak=peak,
        gigaflops=best,
        stages=tuple(stages),
        networks=tuple(_networks(scorer, device, best)),
        machine=f"{platform.system()} {platform.machine()}, {threads.cores()} cores",
    )


def peak_megabytes() -> float | None:
    """The most memory this process has held so far (resident), in MB; None where nobody counts."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextmanager
def _pictures(path: Path | str | None, input: Input, count: int) -> Iterator[list[Path]]:
    """Pictures of a folder, at most ``count``, or drawn ones that go when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        source = path
        if source is None:
            source = write_pictures(Path(folder) / "drawn", input, min(count, DRAWN))
        found = [each.path for each in islice(find_images([source]), count) if not each.problem]
        if not found:
            raise OptionError(f"Measuring needs pictures, and there are none in {path}.")
        yield found


def _scored(
    pictures: Sequence[Path], scorer: Scorer | Panel, workers: int
) -> tuple[batch.Summary, float]:
    """One batch into a table that is thrown away, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        out, start = Path(folder) / "scores.csv", time.perf_counter()
        summary = batch.score_images(pictures, scorer=scorer, out=out, workers=workers)
        return summary, time.perf_counter() - start


def _stages(pictures: Sequence[Path], scorer: Scorer | Panel) -> list[Stage]:
    """The road of one worker, watched."""
    scorers = scorer.scorers if isinstance(scorer, Panel) else (scorer,)
    watch, detector = Stopwatch(), scorers[0].detector
    with ExitStack() as watched:
        for owner, name, stage in (
            (images, "read", "decode"),
            *([(detector, "find", "detect")] if detector else []),
            (scorer, "prepare", "align"),
            *((each.model, "predict", "infer") for each in scorers),
            (ScoreTable, "append", "write"),
        ):
            watched.enter_context(watch.over(owner, name, stage))
        _scored(pictures, scorer, 1)
    each = 1e3 / len(pictures)
    return [Stage(name=name, milliseconds=each * watch.seconds[name]) for name in STAGES]


def _networks(scorer: Scorer | Panel, device: str, best: float) -> Iterator[NetworkTime]:
    """The quality models, in batches, and the detector, which sees one picture at a time."""
    scorers = scorer.scorers if isinstance(scorer, Panel) else (scorer,)
    for each in scorers:
        yield _network(each.model, each.model.predict, batch.BATCH, device, best)
    if scorers[0].detector is not None:
        found = models.open(detection.DEFAULT, threads=1, device=device)
        yield _network(found, found.detect, 1, device, best)


def _network(
    model: Model, run: Callable[[Any], Any], size: int, device: str, best: float
) -> NetworkTime:
    side, macs, note = model.card.crop.size, None, ""
    one = _milliseconds(run, side, 1)
    several = one if size == 1 else _milliseconds(run, side, size)
    try:
        macs = costs.measure(model.path).macs
    except FacegaugeError as error:
        note = str(error)
    known = macs is not None and device == "cpu"
    return NetworkTime(
        name=model.card.identifier,
        side=side,
        milliseconds=one,
        batched=several,
        macs=macs,
        share=2e-6 * (macs or 0) / best / several if known else None,
        note=note or ("" if known else f"one CPU thread is no measure of {device}"),
    )


def _milliseconds(run: Callable[[Any], Any], side: int, count: int) -> float:
    """Median time of a picture, ``count`` of them in a call."""
    rng, taken = np.random.default_rng(0), []
    pictures = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    for _ in range(_TURNS):
        start = time.perf_counter()
        run(pictures)
        taken.append(time.perf_counter() - start)
    return float(1e3 * np.median(taken) / count)
