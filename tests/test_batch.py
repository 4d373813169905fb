"""Batches with a fake scorer. Run as a program, this file scores slowly, to be killed."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from facegauge.batch import Summary, score_images
from facegauge.errors import OptionError, SourceGone, TableError, UnwritablePlace
from facegauge.score_table import read_scores
from facegauge.tables import LANDMARK_COLUMNS, read_landmarks
from facegauge.values import Assessment, Box, Face, Outcome

SUFFIXES = (".csv", ".jsonl", ".parquet")


@dataclass
class FakePrepared:
    crop: np.ndarray | None = None
    face: Face | None = None
    assessment: Assessment | None = None


class FakeScorer:
    """0 to 3 faces by file name; raw depends, as little as in truth, on who shares the call."""

    name = "fake-1.0"
    further = ()
    explain = False

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.calls: list[int] = []
        self.prepared: Counter[str] = Counter()
        self.threads: set[str] = set()
        self.landmarks: dict[str, int | None] = {}

    def prepare(self, source, landmarks=None):
        name = Path(source).name
        seed = hashlib.sha256(os.fsencode(name)).digest()
        self.prepared[name] += 1
        self.landmarks[name] = None if landmarks is None else len(landmarks)
        self.threads.add(threading.current_thread().name)
        if self.pause:
            time.sleep(self.pause * seed[1] / 255)
        if seed[0] % 4 == 0:
            nothing = Assessment(outcome=Outcome.NO_FACE, detail=f"no face in {name}")
            return [FakePrepared(assessment=nothing)]
        box = Face(box=Box(x0=0, y0=1.005, x1=9, y1=9), confidence=seed[2] / 255)
        return [
            FakePrepared(crop=np.full((8, 8, 3), seed[3 + face], np.uint8), face=box)
            for face in range(seed[0] % 4)
        ]

    def finish(self, prepared):
        crops = [each.crop for each in prepared if each.crop is not None]
        self.calls.append(len(crops))
        time.sleep(self.pause)
        shift = 4e-6 * sum(int(crop[0, 0, 0]) for crop in crops)
        return [self.assess(each, shift) for each in prepared]

    def assess(self, each, shift):
        if each.assessment is not None:
            return each.assessment
        raw = int(each.crop[0, 0, 0]) / 255 + shift
        score = min(100.0, 90 * raw)
        return Assessment(
            outcome=Outcome.SCORED, score=score, raw=raw, face=each.face, model="another name"
        )


def photos(folder: Path, count: int = 40) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04}.jpg").touch()
    return folder


def run(folder: Path, out: Path, scorer: FakeScorer | None = None, **options) -> Summary:
    options = {"batch_size": 4, "workers": 2, **options}
    return score_images([folder], scorer=scorer or FakeScorer(), out=out, **options)


def readers() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("facegauge")]


def test_the_table_has_a_row_a_face_in_the_order_of_the_images(tmp_path):
    summary = run(photos(tmp_path / "in"), tmp_path / "t.csv")
    rows = list(read_scores(tmp_path / "t.csv"))
    images = list(dict.fromkeys(row.path for row in rows))
    assert images == [f"{number:04}.jpg" for number in range(40)]
    assert [row.path for row in rows] == sorted(row.path for row in rows)
    assert all(b.face == (a.face + 1 if a.path == b.path else 0) for a, b in pairwise(rows))
    assert {row.model for row in rows} == {"fake-1.0"}
    assert summary.images == 40
    assert summary.skipped == summary.passed_over == 0
    assert summary.landmarks_matched is None
    assert summary.outcomes == Counter(row.outcome for row in rows)
    assert summary.scored == summary.outcomes[Outcome.SCORED] > 30
    assert summary.outcomes[Outcome.NO_FACE] > 3
    assert {row.face for row in rows} == {0, 1, 2}


def test_workers_do_not_change_the_table(tmp_path):
    photos(tmp_path / "in")
    tables = []
    for workers in (1, 2, 9):
        run(tmp_path / "in", tmp_path / f"{workers}.csv", FakeScorer(0.002), workers=workers)
        tables.append((tmp_path / f"{workers}.csv").read_bytes())
    assert tables[0] == tables[1] == tables[2]


def test_a_network_call_has_at_most_batch_size_faces(tmp_path):
    scorer = FakeScorer()
    run(photos(tmp_path / "in"), tmp_path / "t.csv", scorer, batch_size=8)
    assert max(scorer.calls) <= 8
    assert sum(scorer.calls) > 30
    assert all(name.startswith("facegauge") for name in scorer.threads)


def test_rows_go_to_emit_without_a_table(tmp_path):
    photos(tmp_path / "in")
    rows, steps = [], []
    summary = score_images(
        [tmp_path / "in"],
        scorer=FakeScorer(),
        out=None,
        emit=rows.append,
        progress=steps.append,
        batch_size=16,
    )
    run(tmp_path / "in", tmp_path / "t.csv", batch_size=16)
    assert rows == list(read_scores(tmp_path / "t.csv"))
    assert steps == [16, 16, 8]
    assert summary.images == 40


def test_odd_files_are_rows_and_others_are_counted(tmp_path, monkeypatch):
    folder = photos(tmp_path / "in", 3)
    (folder / "notes.txt").touch()
    for name in (b"caf\xe9.jpg", b"two\nlines.jpg", b'a,"b".jpg'):
        os.close(os.open(os.fsencode(folder) + b"/" + name, os.O_CREAT))
    (folder / "shut").mkdir()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    for suffix in SUFFIXES:
        summary = run(folder, tmp_path / f"t{suffix}")
        rows = list(read_scores(tmp_path / f"t{suffix}"))
        assert {row.path for row in rows} == {path.name for path in folder.iterdir()} - {
            "notes.txt"
        }
        (shut,) = (row for row in rows if row.path == "shut")
        assert (shut.outcome, shut.face) == (Outcome.UNREADABLE, 0)
        assert shut.detail == "folder cannot be listed: Permission denied"
        assert summary.passed_over == 1


def landmarks_of(folder: Path, *paths: str):
    table = folder / "landmarks.csv"
    lines = [f"{path},30,40,70,40,50,60,35,80,65,80" for path in paths]
    table.write_text("\n".join([",".join(LANDMARK_COLUMNS), *lines]))
    return read_landmarks(table)


def test_landmarks_reach_the_scorer_by_name(tmp_path):
    scorer = FakeScorer()
    points = landmarks_of(tmp_path, "0001.jpg", "0002.jpg", "0002.jpg", "away.jpg")
    summary = run(photos(tmp_path / "in", 5), tmp_path / "t.csv", scorer, landmarks=points)
    assert scorer.landmarks == {f"000{number}.jpg": (0, 1, 2, 0, 0)[number] for number in range(5)}
    assert summary.landmarks_matched == 2
    run(tmp_path / "in", tmp_path / "u.csv", scorer)
    assert set(scorer.landmarks.values()) == {None}  # unknown: the scorer finds the faces


def test_landmarks_that_fit_no_image_are_seen_in_the_summary(tmp_path):
    points = landmarks_of(tmp_path, "in/0001.jpg")
    assert (
        run(photos(tmp_path / "in", 5), tmp_path / "t.csv", landmarks=points).landmarks_matched == 0
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_finished_table_is_not_computed_again(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    run(photos(tmp_path / "in"), out)
    before, scorer, steps = out.read_bytes(), FakeScorer(), []
    summary = run(tmp_path / "in", out, scorer, resume=True, progress=steps.append)
    assert out.read_bytes() == before
    assert not scorer.prepared
    assert not scorer.calls
    assert (summary.images, summary.skipped, summary.scored) == (40, 40, 0)
    assert sum(steps) == 40


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_new_images_are_added_to_a_finished_table(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    run(photos(tmp_path / "in"), out)
    (tmp_path / "in" / "0020b.jpg").touch()
    before = list(read_scores(out))
    summary = run(tmp_path / "in", out, resume=True)
    rows = list(read_scores(out))
    assert rows[: len(before)] == before
    assert {row.path for row in rows[len(before) :]} == {"0020b.jpg"}
    assert (summary.images, summary.skipped) == (41, 40)


def test_cut_at_every_byte_and_resumed_the_table_is_the_same(tmp_path):
    folder, out = photos(tmp_path / "in", 7), tmp_path / "t.csv"
    run(folder, out)
    whole = out.read_bytes()
    assert sum(row.face > 0 for row in read_scores(out)) > 3
    for length in range(len(whole)):
        out.write_bytes(whole[:length])
        run(folder, out, resume=True, workers=1)
        assert out.read_bytes() == whole, length


def test_the_scores_do_depend_on_the_grid(tmp_path):
    folder = photos(tmp_path / "in", 14)
    for size in (4, 5):
        run(folder, tmp_path / f"{size}.csv", batch_size=size)
    assert (tmp_path / "4.csv").read_bytes() != (tmp_path / "5.csv").read_bytes()


class FailingScorer(FakeScorer):
    def __init__(self, error: BaseException, after: int) -> None:
        super().__init__(0.001)
        self.error, self.after = error, after

    def finish(self, prepared):
        if len(self.calls) == self.after:
            raise self.error
        return super().finish(prepared)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_what_is_done_before_an_error_stays_and_is_continued(tmp_path, suffix, error):
    folder, out = photos(tmp_path / "in"), tmp_path / f"t{suffix}"
    run(folder, tmp_path / f"whole{suffix}")
    with pytest.raises(type(error)):
        run(folder, out, FailingScorer(error, 5), workers=1)
    assert not readers()
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    assert {row.path for row in read_scores(grown)} >= {f"{n:04}.jpg" for n in range(5)}
    summary = run(folder, out, resume=True)
    assert summary.skipped >= 5
    assert out.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


def test_an_error_while_reading_is_raised_and_leaves_no_thread(tmp_path):
    class Broken(FakeScorer):
        def prepare(self, source, landmarks=None):
            if Path(source).name == "0020.jpg":
                raise RuntimeError("a bug")
            return super().prepare(source, landmarks)

    scorer = Broken(0.001)
    with pytest.raises(RuntimeError, match="a bug"):
        run(photos(tmp_path / "in", 400), tmp_path / "t.csv", scorer, batch_size=100)
    assert not readers()
    assert sum(scorer.prepared.values()) < 100  # what was not begun is not read any more


def test_as_many_network_calls_run_side_by_side_as_there_are_workers(tmp_path):
    class Meeting(FakeScorer):
        def finish(self, prepared):
            together.wait(timeout=5)  # raises unless three calls are here at once
            return super().finish(prepared)

    together = threading.Barrier(3)
    folder = photos(tmp_path / "in", 12)
    scorer = Meeting()
    scorer.prepare = lambda source, landmarks=None: [
        FakePrepared(crop=np.ones((8, 8, 3), np.uint8))
    ]
    run(folder, tmp_path / "t.csv", scorer, workers=3, batch_size=2)
    assert scorer.calls == [2] * 6


def test_a_scorer_that_loses_a_face_is_found_out(tmp_path):
    class Losing(FakeScorer):
        def finish(self, prepared):
            return super().finish(prepared)[1:]

    with pytest.raises(ValueError, match="4 faces need as many results, got 3"):
        run(photos(tmp_path / "in"), tmp_path / "t.csv", Losing())


def test_no_thread_outlives_a_batch(tmp_path):
    run(photos(tmp_path / "in"), tmp_path / "t.csv", workers=5)
    assert not readers()


@pytest.mark.parametrize(
    ("options", "error", "expected"),
    [
        ({"workers": 0}, OptionError, "at least 1 worker, got 0"),
        ({"batch_size": 0}, OptionError, "at least 1.*got 0"),
        ({"batch_size": -3}, OptionError, "--batch-size"),
        ({"out": None, "resume": True}, OptionError, "pass --out"),
        ({"out": "t.txt"}, OptionError, r"\.csv, \.jsonl or \.parquet"),
        ({"out": "old.csv"}, OptionError, "pass --resume"),
        ({"out": "old.csv", "resume": True}, TableError, "another --out"),
    ],
)
def test_wrong_options_are_refused_before_any_work(tmp_path, monkeypatch, options, error, expected):
    monkeypatch.chdir(tmp_path)
    Path("old.csv").write_text("precious\n")
    scorer = FakeScorer()
    with pytest.raises(error, match=expected):
        run(photos(tmp_path / "in"), **{"out": "t.csv", "scorer": scorer, **options})
    assert not scorer.prepared
    assert Path("old.csv").read_text() == "precious\n"
    assert not Path("t.csv").exists()


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    class Heavy(FakeScorer):
        def prepare(self, source, landmarks=None):
            return [FakePrepared(crop=np.zeros((64, 64, 3), np.uint8))]

    peaks = []
    for count in (200, 5000):
        for start in range(0, count, 100):
            folder = tmp_path / f"{count}" / f"{start:04}"
            folder.parent.mkdir(exist_ok=True)
            photos(folder, 100)
        tracemalloc.start()
        run(tmp_path / f"{count}", tmp_path / f"{count}.csv", Heavy(), workers=2, batch_size=16)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3 * 16 * 64 * 64 * 3  # three batches; 4800 crops would be 59 MB


def test_every_image_is_seen_before_its_rows_are_written(tmp_path):
    out, seen, threads = tmp_path / "t.csv", {}, set()

    def see(found, assessments):
        assert found.name not in {row.path for row in read_scores(out)}
        seen[found.name] = assessments
        threads.add(threading.current_thread().name)

    folder = photos(tmp_path / "in", 23)
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere")
    run(folder, out, seen=see)
    rows = list(read_scores(out))
    assert set(seen) == {row.path for row in rows}
    for row in rows:
        assessment = seen[row.path][row.face]
        assert (assessment.outcome, assessment.model) == (row.outcome, "fake-1.0")
        assert assessment.score is None or abs(assessment.score - row.score) < 1e-4
    assert len(rows) == sum(map(len, seen.values()))
    assert all(name.startswith("facegauge") for name in threads)


def test_only_new_images_are_seen(tmp_path):
    folder, out, seen = photos(tmp_path / "in", 10), tmp_path / "t.csv", []
    run(folder, out)
    (folder / "0003b.jpg").touch()
    run(folder, out, resume=True, seen=lambda found, _: seen.append(found.name))
    assert seen == ["0003b.jpg"]
    seen.clear()
    out.write_bytes(b"".join(out.read_bytes().splitlines(keepends=True)[:5]))
    kept = run(folder, out, resume=True, seen=lambda found, _: seen.append(found.name)).skipped
    assert 0 < kept < 5
    assert sorted(seen) == sorted(path.name for path in folder.iterdir())[kept:]


def test_an_error_while_seeing_stops_the_batch(tmp_path):
    def see(found, assessments):
        if found.name == "0009.jpg":
            raise OptionError("no room")

    with pytest.raises(OptionError, match="no room"):
        run(photos(tmp_path / "in"), tmp_path / "t.csv", seen=see)
    assert not readers()
    written = {row.path for row in read_scores(tmp_path / "t.csv")}
    assert written == {f"000{number}.jpg" for number in range(9)}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_that_disappears_stops_the_batch_and_says_nothing_of_it(tmp_path, suffix):
    folder, away, out = photos(tmp_path / "in"), tmp_path / "away", tmp_path / f"t{suffix}"
    run(folder, tmp_path / f"whole{suffix}")

    class Leaving(FakeScorer):
        def prepare(self, source, landmarks=None):
            if Path(source).name == "0020.jpg":
                folder.rename(away)
            if not Path(source).exists():
                gone = Assessment(outcome=Outcome.UNREADABLE, detail="no such file")
                return [FakePrepared(assessment=gone)]
            return super().prepare(source, landmarks)

    with pytest.raises(SourceGone, match="Bring it back"):
        run(folder, out, Leaving(), workers=1)
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    rows = list(read_scores(grown))
    assert 0 < len({row.path for row in rows}) <= 20
    assert Outcome.UNREADABLE not in {row.outcome for row in rows}
    assert not readers()
    away.rename(folder)
    run(folder, out, resume=True)
    assert out.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


def test_a_picture_that_disappears_is_a_row(tmp_path):
    folder = photos(tmp_path / "in", 12)

    class Losing(FakeScorer):
        def prepare(self, source, landmarks=None):
            if Path(source).name == "0004.jpg":
                (folder / "0009.jpg").unlink()
            if not Path(source).exists():
                gone = Assessment(outcome=Outcome.UNREADABLE, detail="no such file")
                return [FakePrepared(assessment=gone)]
            return super().prepare(source, landmarks)

    run(folder, tmp_path / "t.csv", Losing(), workers=1)
    rows = {row.path: row.outcome for row in read_scores(tmp_path / "t.csv")}
    assert rows["0009.jpg"] is Outcome.UNREADABLE
    assert len(rows) == 12


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_on_a_full_disk_a_batch_stops_and_is_continued(tmp_path, suffix, small_disk):
    folder, out = photos(tmp_path / "in", 200), small_disk.folder / f"t{suffix}"
    run(folder, tmp_path / f"whole{suffix}")
    with pytest.raises(UnwritablePlace, match="No space left on device"):
        run(folder, out)
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    assert len(list(read_scores(grown))) > 10
    assert not readers()
    small_disk.grow()
    assert run(folder, out, resume=True).skipped > 5
    assert out.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


@dataclass
class SmallDisk:
    folder: Path

    def grow(self) -> None:
        subprocess.run(["mount", "-o", "remount,size=4M", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two pages, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_killed_at_any_moment_and_resumed_the_table_is_the_same(tmp_path, suffix):
    folder, out = photos(tmp_path / "in", 60), tmp_path / f"t{suffix}"
    run(folder, tmp_path / f"whole{suffix}")
    whole = (tmp_path / f"whole{suffix}").read_bytes()
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    moments = random.Random(suffix)
    sizes = [killed_while_it_grows(folder, out, grown, moments) for _ in range(3)]
    assert 0 < sizes[0] < sizes[-1]
    assert subprocess.run(command(folder, out), env=environment(), timeout=60).returncode == 0
    assert out.read_bytes() == whole
    assert not list(tmp_path.glob("*partial*"))


def command(folder: Path, out: Path) -> list[str]:
    return [sys.executable, "-W", "error", __file__, str(folder), str(out)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def killed_while_it_grows(folder: Path, out: Path, grown: Path, moments: random.Random) -> int:
    before = grown.stat().st_size if grown.exists() else 0
    goal = before + moments.randrange(200, 1200)
    process = subprocess.Popen(command(folder, out), env=environment())
    deadline = time.monotonic() + 60
    while not (grown.exists() and grown.stat().st_size > goal):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(moments.random() * 0.004)
    process.kill()
    assert process.wait() == -9
    return grown.stat().st_size


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), FakeScorer(0.01), resume=True)
