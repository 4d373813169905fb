"""Does a Ray cluster give the table of one machine, also when a worker is killed? And how fast?

    python benchmarks/ray_same.py PATH... [--model NAME] [--input photo] [--workers 2] [--batches 1]

Scores the same pictures three times: on this machine alone (``alone.parquet``), on Ray, and on Ray
with one of its workers killed (SIGKILL) while it is at a part. Says whether the three tables are
the same, row by row and number by number, whether every image has its rows once, and what it took.
Exit code 0 when all of it is so.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from facegauge import panel
from facegauge.batch import Summary, score_images
from facegauge.scale import Asked, score_on_ray
from facegauge.score_row import ScoreRow
from facegauge.score_table import read_scores


def main() -> int:
    """Score three times and compare."""
    options = parsed()
    asked = Asked(model=options.model, input=options.input, batch_size=options.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        alone = timed("one machine", lambda: score_alone(options, place / "alone.parquet"))
        rows = list(read_scores(place / "alone.parquet"))
        print(f"{alone.images} images, {len(rows)} rows, {alone.scored} with a score")
        timed("ray", lambda: on_ray(options, asked, place / "ray"))
        killed: list[int] = []
        watcher = threading.Thread(target=kill_one, args=(place / "killed", killed), daemon=True)
        watcher.start()
        timed("ray, one killed", lambda: on_ray(options, asked, place / "killed"))
        watcher.join(1)
        print(f"killed: process {killed[0]}, at a part" if killed else "killed: none, too quick")
        same = [compare(name, rows, place / name) for name in ("ray", "killed")]
        return 0 if all(same) and killed else 1


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--model", default="utility")
    parser.add_argument("--input", default="photo")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--batches", type=int, default=1)
    return parser.parse_args()


def score_alone(options: argparse.Namespace, out: Path) -> Summary:
    """One machine: threads, and one table."""
    scorer = panel.open(options.model, input=options.input, threads=1)
    return score_images(options.paths, scorer=scorer, out=out, batch_size=options.batch_size)


def on_ray(options: argparse.Namespace, asked: Asked, out: Path) -> Summary:
    """This machine as a cluster, and a folder of parts."""
    return score_on_ray(
        options.paths, asked=asked, out=out, workers=options.workers, batches=options.batches
    )


def timed(what: str, work: Callable[[], Summary]) -> Summary:
    """Do it, and print how long it took."""
    started = time.perf_counter()
    summary = work()
    print(f"{what}: {time.perf_counter() - started:.1f} s", flush=True)
    return summary


def compare(name: str, rows: list[ScoreRow], folder: Path) -> bool:
    """Whether a folder of parts has the rows of one machine, and each image once."""
    found = list(read_scores(folder))
    images = [path for path, _ in groupby(row.path for row in found)]
    once = len(images) == len(set(images)) and set(images) == {row.path for row in rows}
    parts = len(list(folder.glob("part-*.parquet")))
    print(f"{name}: {parts} parts, same rows: {found == rows}, each image once: {once}")
    return found == rows and once


def kill_one(out: Path, killed: list[int]) -> None:
    """Kill one worker that is at a part, as soon as the first part is there."""
    while not killed:
        busy = workers() if any(out.glob("part-*.parquet")) else []
        for pid in busy[:1]:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        time.sleep(0.005)


def workers() -> list[int]:
    """Processes below this one that Ray has named after scoring."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::_score") and below(int(path.parent.name)):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def below(pid: int) -> bool:
    """Whether a process descends from this one."""
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


if __name__ == "__main__":
    sys.exit(main())
