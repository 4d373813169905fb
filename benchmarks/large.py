"""Many rows: does memory stay, and does a killed run end with every row once?

    python benchmarks/large.py --images DATA/celeba_crops [--rows 200000] [--few 5000] [--flat]

Makes a tree of ``--rows`` pictures out of ``--distinct`` ones, by hard links under new names (1,000
a folder, or all in one with ``--flat``), and scores it as aligned crops: ``--few`` of them, then
all of them twice. The second run is killed (SIGKILL) in the middle and continued with ``--resume``.
What counts: peak memory (maximum resident set size, counted by the kernel) of many rows as a
multiple of that of few, and whether the table that was killed has each picture once and is the
same, byte for byte, as the one that was not. Exit code 1 when not, or when memory grew by more than
a tenth. ``--model`` takes a smaller model's file where only memory and rows matter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from facegauge import models
from facegauge.score_table import read_scores
from processes import FACEGAUGE
from throughput import measured

MOST = 1.10
"""Peak memory of many rows, at most, as a multiple of that of few."""
_FOLDER = 1000


def main() -> None:
    """Print the table in markdown and the verdict."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        room = Path(folder)
        sources = _sources(options.images, room / "distinct", options.distinct)
        side = options.rows if options.flat else _FOLDER
        few = linked(sources, room / "few", options.few, side)
        many = linked(sources, room / "many", options.rows, side)
        print("| run | rows | seconds | rows/s | peak memory MB |\n|---|---|---|---|---|")
        flags = ["--input", "aligned", "--model", options.model]
        least = _scored("few", few, room / f"few{options.suffix}", flags)
        most = _scored("many", many, room / f"many{options.suffix}", flags)
        killed = room / f"killed{options.suffix}"
        at = kill_in_the_middle(many, killed, flags, options.rows // 2)
        resumed = _scored("killed and resumed", many, killed, [*flags, "--resume"])
        same = killed.read_bytes() == (room / f"many{options.suffix}").read_bytes()
        distinct = len({row.path for row in read_scores(killed)})
    growth = max(most, resumed) / least
    print(f"\nkilled after {at} rows; {distinct} distinct rows, the same table: {same}")
    print(f"peak memory of many rows: {growth:.3f} times that of few (at most {MOST})")
    if not same or distinct != options.rows or growth > MOST:
        sys.exit(1)


def linked(sources: list[Path], folder: Path, count: int, side: int) -> Path:
    """``count`` pictures, each a hard link to one of the sources, ``side`` in a folder."""
    for number in range(count):
        place = folder / f"{number // side:04}"
        if number % side == 0:
            place.mkdir(parents=True)
        os.link(sources[number % len(sources)], place / f"{number:07}.jpg")
    return folder


def kill_in_the_middle(images: Path, out: Path, flags: list[str], rows: int) -> int:
    """Score in a process that is killed when the table has so many rows; how many it has then."""
    grown = out.with_name(f"{out.name}.partial.jsonl") if out.suffix == ".parquet" else out
    child = os.posix_spawn(sys.executable, [*_command(images, out), *flags], os.environ)
    while _lines(grown) < rows:
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("facegauge score ended before it could be killed")
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _lines(grown)


def _scored(run: str, images: Path, out: Path, flags: list[str]) -> float:
    """Print a line for one run; its peak memory in MB."""
    cost = measured(images, flags, out)
    rate = cost.images / cost.seconds
    line = f"| {run} | {cost.images} | {cost.seconds:.1f} | {rate:.0f} | {cost.megabytes:.1f} |"
    print(line, flush=True)
    return cost.megabytes


def _command(images: Path, out: Path) -> list[str]:
    return [sys.executable, *FACEGAUGE, "score", str(images), "--out", str(out)]


def _lines(table: Path) -> int:
    return table.read_bytes().count(b"\n") if table.exists() else 0


def _sources(images: Path, folder: Path, count: int) -> list[Path]:
    """Copies of the first pictures, on the disk where links to them will be."""
    folder.mkdir()
    return [
        Path(shutil.copyfile(path, folder / path.name)) for path in sorted(images.iterdir())[:count]
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--few", type=int, default=5000)
    parser.add_argument(
        "--distinct", type=int, default=500, help="Each is linked up to 65,000 times."
    )
    parser.add_argument("--model", default=models.DEFAULT)
    parser.add_argument("--flat", action="store_true", help="All pictures in one folder.")
    parser.add_argument("--suffix", choices=(".csv", ".jsonl", ".parquet"), default=".csv")
    parser.add_argument("--work", type=Path, help="Where to work; default: the temporary folder.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
