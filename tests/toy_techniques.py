"""The recipes of published techniques, so small that two legs of two steps take a moment."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from facegauge.train.recipe import Recipe
from facegauge.train.recipes import recipe
from toy_faces import SIZE, read_table, write_table

_SHORT = ("batch=4", "legs=2", "steps=2", "precision=32-true")
_EMBEDDING = (f"size={SIZE}", "network=toy", "width=8")
_OWN = {
    "magface": (*_EMBEDDING, "width=144"),  # lengths begin at 12, where there is a margin
    "ai-kd": (*_EMBEDDING, "head_width=16", "trained=0"),
    "ai-kd-xxs": (*_EMBEDDING, "head_width=16", "degraded=0.5", "views=2", "relation_weight=1"),
    "difiqa": (f"size={SIZE // 4}", "dim=8", "multiples=1,2", "blocks=1"),
}
QUALITY = ("cr-fiqa", "magface", "sdd-fiqa", "faceqnet", "difiqa-r", "ai-kd", "ai-kd-xxs")
"""Recipes whose runs can be exported as quality models."""
TECHNIQUES = (*QUALITY, "difiqa")
LABELS = "labels.csv"


def toy_technique(name: str, *changes: str) -> Recipe:
    """A recipe by name, small."""
    return recipe(name, (*_SHORT, *_OWN.get(name, _EMBEDDING), *changes))


def make_labelled(data: Path, folder: Path) -> Path:
    """A copy of a folder of drawn faces with labels in -3..7 of all but every seventh picture."""
    copied = Path(shutil.copytree(data, folder))
    paths = [
        f"{table}/{row['path']}" for table in ("known", "strangers") for row in named(copied, table)
    ]
    values = np.random.default_rng(0).uniform(-3, 7, len(paths)).round(3)
    rows = [{"path": path, "label": value} for path, value in zip(paths, values, strict=True)]
    write_table(copied / LABELS, [row for place, row in enumerate(rows) if place % 7])
    return copied


def named(data: Path, table: str) -> list[dict]:
    """The rows of a table of landmarks."""
    return read_table(data / f"{table}.csv")
