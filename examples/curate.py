"""Two visits to a gate: the best shot of each, pictures that differ, and which camera is better.

    python examples/curate.py FOLDER

Needs scikit-image for its portrait of the astronaut Eileen Collins (NASA, public domain). FOLDER
receives the pictures of two visits, their score tables, and a report that compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter
from skimage import data

from facegauge import Scorer, score_images
from facegauge.curation.members import read_members
from facegauge.curation.rules import Per, Rules
from facegauge.curation.selection import select_faces
from facegauge.evaluate.contrast_report import compare_sets
from facegauge.evaluate.spread import read_spreads
from facegauge.score_table import read_scores

VISITS = {"morning": 1.0, "evening": 0.15}
"""How much light there is."""


def main(folder: Path) -> None:
    """Score both visits, print the best shot of each, and compare them."""
    photos, tracks = folder / "photos", folder / "tracks.csv"
    with tracks.open("x") as table:
        table.write("path,track\n")
        for visit, name in frames(photos):
            table.write(f"{visit}/{name},{visit}\n")
    score_images([photos], scorer=Scorer(), out=folder / "scores.csv")
    choice = select_faces(
        folder / "scores.csv",
        folder / "shots.csv",
        Rules(per=Per.TRACK, keep=1),
        members=read_members(tracks, Per.TRACK),
        reasons=folder / "why.csv",
    )
    print(choice)
    for row in read_scores(folder / "shots.csv"):
        print(f"{row.score:5.1f}  {row.path}")
    for visit in VISITS:
        score_images([photos / visit], scorer=Scorer(), out=folder / f"{visit}.csv")
    report = compare_sets(read_spreads([folder / f"{visit}.csv" for visit in VISITS]))
    report.write(folder / "report")
    print(f"evening scores are {report.contrasts[0].verdict}: see {folder / 'report'}/report.html")


def frames(photos: Path) -> Iterator[tuple[str, str]]:
    """Write eight frames of each visit, sharper and sharper, and say what they are called."""
    portrait = Image.fromarray(data.astronaut()).crop((100, 0, 360, 260))
    for visit, light in VISITS.items():
        (photos / visit).mkdir(parents=True)
        for number in range(8):
            frame = portrait.filter(ImageFilter.GaussianBlur(7 - number))
            ImageEnhance.Brightness(frame).enhance(light).save(photos / visit / f"{number}.png")
            yield visit, f"{number}.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
