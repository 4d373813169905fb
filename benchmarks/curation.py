"""Seconds and peak memory of ``facegauge select`` and ``compare`` on large tables, as processes.

    python benchmarks/curation.py [--rows 1000000]

Makes a score table with 10 rows a person on average, 5 % of them without a score, and runs each
command in a fresh process. Seconds are those of the processor; peak memory is what the kernel
counted (maximum resident set size), Python and all imports included.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from processes import FACEGAUGE, spent

COLUMNS = "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail"
COMMANDS = {
    "--version": "--version",
    "select --discard": "select --scores scores.csv --discard 0.2 --out good.csv",
    "select --min-score": "select --scores scores.csv --min-score 50 --out fine.csv",
    "select --per identity --keep 3": (
        "select --scores scores.csv --per identity --keep 3 --identities people.csv --out best.csv"
    ),
    "compare": "compare scores.csv good.csv --out report",
}


def main() -> None:
    """Print the table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"| command, {options.rows} rows | seconds | peak memory MB |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_tables(options.rows)
        for name, command in COMMANDS.items():
            cost = spent([*FACEGAUGE, *command.split()], what=f"facegauge {command}", quiet=True)
            print(f"| {name} | {cost.processor:.1f} | {cost.megabytes:.0f} |", flush=True)


def write_tables(rows: int) -> None:
    """A score table and who is in it."""
    rng = np.random.default_rng(0)
    scores = np.clip(rng.normal(55, 20, rows), 0, 100).tolist()
    people = rng.integers(0, max(rows // 10, 1), rows).tolist()
    with Path("scores.csv").open("w") as table, Path("people.csv").open("w") as identities:
        table.write(f"{COLUMNS}\n")
        identities.write("path,identity\n")
        for row, (score, person) in enumerate(zip(scores, people, strict=True)):
            path = f"people/{person:06d}/photo_{row:07d}.jpg"
            known = (
                f"0,scored,{score:.4f},{score / 40:.6f},utility-1,10.25,20.50,120.75,150.25,.912,"
            )
            table.write(f"{path},{known if row % 20 else '0,no_face,,,,,,,,,no face found'}\n")
            identities.write(f"{path},{person:06d}\n")


if __name__ == "__main__":
    main()
