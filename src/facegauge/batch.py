"""Many images become one table: parallel, resumable, constant memory.

Worker threads read, align and run the network, each call on the thread that makes it; the caller's
thread writes rows in the order of the images. So many workers keep so many cores busy and no more
(open the scorer with ``threads=1``), and nobody waits for anybody. A few chunks of images are under
way at a time, so memory does not grow with their number.

An image's score may move by less than 1e-6 with the images it shares a network call with. So the
calls are cut along a fixed grid: ``batch_size`` images at a time, in order, done or not. A resumed
run computes the chunk in which it was interrupted anew and writes the rows that are missing: the
table is the same, byte for byte, as without the interruption.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegauge import threads
from facegauge.errors import OptionError
from facegauge.score_row import ScoreRow
from facegauge.score_table import ScoreTable, open_scores
from facegauge.tables import LandmarkTable
from facegauge.values import Assessment, Outcome
from facegauge.walk import Found, find_images

if TYPE_CHECKING:
    from facegauge.panel import Panel
    from facegauge.scoring import Scorer

BATCH = 8
"""Images per network call unless told: on a CPU 4 to 16 are soonest, as their numbers stay in the
processor's cache; 32 took an eighth more time for each. A GPU wants more."""

Faces = list[Any]
"""What the scorer or panel prepared of faces, to be handed back to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a batch.

    ``images`` were found; of these ``skipped`` were in the table already. ``outcomes`` counts the
    rows written now; ``passed_over`` the files left out for their suffix, ``archives`` those left
    out because an archive is entered only where it is given by name; ``landmarks_matched`` the
    images found in the landmark table (None without one): 0 means that the paths in it do not fit.
    """

    images: int = 0
    skipped: int = 0
    passed_over: int = 0
    archives: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    landmarks_matched: int | None = None

    @property
    def scored(self) -> int:
        """Rows with a score written now."""
        return self.outcomes.get(Outcome.SCORED, 0)


def score_images(
    paths: Sequence[Path | str],
    *,
    scorer: Scorer | Panel,
    out: Path | str | None = None,
    landmarks: LandmarkTable | None = None,
    resume: bool = False,
    workers: int | None = None,
    batch_size: int = BATCH,
    progress: Callable[[int], None] | None = None,
    emit: Callable[[ScoreRow], None] | None = None,
    seen: Callable[[Found, Sequence[Assessment]], None] | None = None,
) -> Summary:
    """Score every image under ``paths`` into the table ``out``, or hand the rows to ``emit``.

    ``workers`` threads read, find faces, align and run the network, several calls side by side (one
    thread per core unless told); ``progress`` is told how many more images are finished. ``seen``
    is called once for each image scored now, by those threads and before its rows are written: a
    run killed in between calls it again when resumed. Without ``landmarks`` the scorer finds the
    faces itself. An exception, KeyboardInterrupt too, leaves what is done in the table and no
    thread behind.

    Raises:
        OptionError: workers or batch_size below 1, resume without a table, or a table that exists
            or cannot be continued (see ``score_table.open_scores``).
        TableError: the table to resume is none.
        UnwritablePlace: the table cannot grow any more; what it has is complete.
        SourceGone: a folder of pictures disappeared; the table has no rows about that.
    """
    workers = threads.count(workers)
    if batch_size < 1 or (resume and out is None):
        raise OptionError(
            "Scoring needs a batch size of at least 1, and a table to resume, got "
            f"{batch_size} and {out}. Correct --batch-size, or pass --out."
        )
    walk = find_images(paths)
    target = (
        nullcontext()
        if out is None
        else open_scores(
            out,
            model=scorer.name,
            further=scorer.further,
            explain=scorer.explain,
            resume=resume,
        )
    )
    with target as table, threads.pool(workers) as pool:
        run = _Run(
            scorer=scorer,
            walk=walk,
            missing=walk.require_there,
            pool=pool,
            table=table,
            landmarks=landmarks,
            emit=emit,
            seen=seen,
            size=batch_size,
        )
        ahead = 1 + -(-2 * workers // batch_size)
        read = threads.under_way(run.chunks(), ahead)
        for chunk in threads.under_way(run.judged(read), workers):
            run.finish(chunk)
            if progress is not None:
                progress(len(chunk.jobs))
    return run.summary(walk.passed_over, walk.archives)


def score_found(
    found: Iterable[Found],
    *,
    scorer: Scorer | Panel,
    landmarks: LandmarkTable | None,
    batch_size: int,
    emit: Callable[[ScoreRow], None],
    missing: Callable[[], None] = lambda: None,
) -> Summary:
    """Score a stretch of a walk as ``score_images`` scores all of it, in one thread.

    The rows are the same where the stretch begins at a multiple of ``batch_size`` in the walk.
    ``missing`` is called when a picture is not there, and raises when that ends the run.
    """
    with threads.pool(1) as pool:
        run = _Run(
            scorer=scorer,
            walk=iter(found),
            missing=missing,
            pool=pool,
            table=None,
            landmarks=landmarks,
            emit=emit,
            seen=None,
            size=batch_size,
        )
        read = threads.under_way(run.chunks(), 1)
        for chunk in threads.under_way(run.judged(read), 1):
            run.finish(chunk)
    return run.summary(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One image under way; ``done`` when its rows are in the table already."""

    found: Found
    done: bool
    faces: Future[Faces] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Images that share network calls, which have begun unless all images are done."""

    jobs: Sequence[_Job]
    assessed: Future[list[list[Assessment]]] | None = None


@dataclass(slots=True, kw_only=True)
class _Run:
    """One batch on its way: chunks of images in, rows out, and the counts."""

    scorer: Scorer | Panel
    walk: Iterator[Found]
    missing: Callable[[], None]
    pool: ThreadPoolExecutor
    table: ScoreTable | None
    landmarks: LandmarkTable | None
    emit: Callable[[ScoreRow], None] | None
    seen: Callable[[Found, Sequence[Assessment]], None] | None
    size: int
    images: int = 0
    skipped: int = 0
    matched: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    def chunks(self) -> Iterator[list[_Job]]:
        """Chunks of ``size`` images; reading begins unless a whole chunk is done."""
        while chunk := [self._job(found) for found in islice(self.walk, self.size)]:
            if not all(job.done for job in chunk):
                chunk = [self._begun(job) for job in chunk]
            yield chunk

    def _job(self, found: Found) -> _Job:
        done = self.table is not None and self.table.done(found.name)
        self.images += 1
        self.skipped += done
        self.matched += self.landmarks is not None and found.name in self.landmarks
        return _Job(found=found, done=done)

    def _begun(self, job: _Job) -> _Job:
        return replace(job, faces=self.pool.submit(self._read, job.found))

    def _read(self, found: Found) -> Faces:
        faces = [] if found.problem else self._prepared(found)
        if found.problem or not os.path.lexists(found.path):  # asked last: it may go meanwhile
            self.missing()
        return faces

    def _prepared(self, found: Found) -> Faces:
        points = None if self.landmarks is None else self.landmarks.of(found.name)
        return self.scorer.prepare(found.source, points)

    def judged(self, chunks: Iterator[list[_Job]]) -> Iterator[_Chunk]:
        """The same chunks; the network begins on each as soon as all of its faces are ready."""
        for jobs in chunks:
            if all(job.done for job in jobs):
                yield _Chunk(jobs=jobs)
            else:
                faces = [[] if job.faces is None else job.faces.result() for job in jobs]
                yield _Chunk(jobs=jobs, assessed=self.pool.submit(self._assessed, faces))

    def finish(self, chunk: _Chunk) -> None:
        """Wait for what the network says of a chunk, show it, and write the rows not there yet."""
        if chunk.assessed is None:
            return
        fresh = self._fresh(chunk.jobs, chunk.assessed.result())
        shown = ((*each, self._shown(*each)) for each in fresh)
        for found, assessments, seen in threads.under_way(shown, self.size if self.seen else 0):
            if seen is not None:
                seen.result()
            self._write(found, assessments)

    def _shown(self, found: Found, assessments: Sequence[Assessment]) -> Future[None] | None:
        return None if self.seen is None else self.pool.submit(self.seen, found, assessments)

    def _fresh(
        self, jobs: Sequence[_Job], assessed: Sequence[Sequence[Assessment]]
    ) -> Iterator[tuple[Found, list[Assessment]]]:
        """The images of a chunk that have no rows yet, with what is said of them."""
        for job, assessments in zip(jobs, assessed, strict=True):
            if not job.done:
                yield job.found, self._own(job.found, assessments)

    def _own(self, found: Found, assessments: Sequence[Assessment]) -> list[Assessment]:
        """What is said of one image, under the name of this scorer."""
        nothing = Assessment(outcome=Outcome.UNREADABLE, detail=found.problem)
        silent = tuple(
            Assessment(outcome=Outcome.UNREADABLE, model=name) for name in self.scorer.further
        )
        return [
            replace(each, model=self.scorer.name, further=each.further or silent)
            for each in assessments or [nothing]
        ]

    def _assessed(self, faces: Sequence[Faces]) -> list[list[Assessment]]:
        """What the network says of the faces of several images."""
        said = self._said([face for several in faces for face in several])
        return [list(islice(said, len(several))) for several in faces]

    def _said(self, faces: Faces) -> Iterator[Assessment]:
        for start in range(0, len(faces), self.size):
            part = faces[start : start + self.size]
            assessments = self.scorer.finish(part)
            if len(assessments) != len(part):
                raise ValueError(f"{len(part)} faces need as many results, got {len(assessments)}.")
            yield from assessments

    def _write(self, found: Found, assessments: Sequence[Assessment]) -> None:
        rows = [
            ScoreRow.from_assessment(found.name, face, each)
            for face, each in enumerate(assessments)
        ]
        if self.table is not None:
            self.table.append(rows)
        for row in rows:
            self.outcomes[row.outcome] += 1
            if self.emit is not None:
                self.emit(row)

    def summary(self, passed_over: int, archives: int) -> Summary:
        """The counts, frozen."""
        return Summary(
            images=self.images,
            skipped=self.skipped,
            passed_over=passed_over,
            archives=archives,
            outcomes=dict(self.outcomes),
            landmarks_matched=None if self.landmarks is None else self.matched,
        )
