"""Distillation: what the student learns from, and how near it comes to those who taught it.

The student of Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709) learns from the labelled pictures,
from A with the labels of the teacher and from B with those of the self-trained teacher.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegauge.evaluate.correlation import MEASURES, Correlation
from facegauge.evaluate.report_parts import csv_text, markdown, write_files
from facegauge.train.ratings import Ratings
from facegauge.train.runs import Run, write_json
from facegauge.train.self_training import with_pseudo
from facegauge.train.teacher import agreement, answers

HEAD = ("network", "SRCC", "PLCC", "KRCC", "RMSE", "(SRCC+PLCC)/2", "images")
RESAMPLES = 1000


def lessons(ratings: Ratings, data: Path, by_teacher: Path, by_plus: Path) -> Ratings:
    """All that the student learns from: labels, A labelled by the teacher, B by teacher+."""
    return with_pseudo(ratings, data, by_teacher, by_plus)


def compare(
    taught: Mapping[str, Run], ratings: Ratings, out: Path, device: str = "cpu"
) -> dict[str, Any]:
    """How well each network agrees with the held-out labels: ``table.md``, ``.csv``, ``.json``.

    Intervals are 95 %, over resamples of the pictures, the same for all networks. The best weights
    of each were chosen on these pictures, so that the figures are somewhat too good.
    """
    held = ratings.held_out()
    found = {
        name: agreement(answers(run, held.paths, device), held.labels, RESAMPLES)
        for name, run in taught.items()
    }
    rows = [[name, *_cells(each)] for name, each in found.items()]
    records = {name: _record(each) for name, each in found.items()}
    write_files(out, {"table.md": f"{markdown(HEAD, rows)}\n", "table.csv": csv_text(HEAD, rows)})
    write_json(out / "results.json", records)
    return records


def _cells(found: Correlation | None) -> list[str]:
    if found is None:
        return ["–"] * (len(HEAD) - 1)
    shown = [
        f"{getattr(found, name):.4f} [{getattr(found, f'{name}_low'):.4f}, "
        f"{getattr(found, f'{name}_high'):.4f}]"
        for name in MEASURES
    ]
    return [*shown, f"{(found.srcc + found.plcc) / 2:.4f}", str(found.count)]


def _record(found: Correlation | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {**found.to_dict(), "score": (found.srcc + found.plcc) / 2}
