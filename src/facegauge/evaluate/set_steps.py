"""The commands that go on from the tables of a benchmark set: score, embed, evaluate edc."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from facegauge.choices import Input
from facegauge.evaluate.sets import BenchmarkSet, Layout

RECOGNISER = "RECOGNISER.onnx"
"""Stands for a file that facegauge models wrap made."""


def steps(found: BenchmarkSet, pictures: Path, out: Path) -> tuple[str, ...]:
    """The commands for a set whose pictures lie in ``pictures``, its tables in ``out``.

    Each is one line for a POSIX shell. ``RECOGNISER.onnx`` is to be replaced.
    """
    score = ["score", pictures, *_shown(found, out), "--out", out / "scores.csv"]
    embed = ["embed", pictures, "--recogniser", RECOGNISER, *_placed(found, out)]
    embed += ["--out", out / "embeddings.npz"]
    edc = ["evaluate", "edc", "--scores", out / "scores.csv"]
    edc += ["--embeddings", out / "embeddings.npz", *_compared(found, pictures, out)]
    edc += ["--name", found.name, "--out", out / "report"]
    commands = [score, embed]
    if found.pairs is not None or found.identities is not None:
        commands.append(edc)
    return tuple(shlex.join(["facegauge", *map(str, command)]) for command in commands)


def _shown(found: BenchmarkSet, out: Path) -> Iterator[object]:
    """What the pictures show, and where their faces are, for score."""
    if found.aligned:
        yield from ("--input", Input.ALIGNED)
        return
    if found.layout is Layout.IJB:
        yield from ("--input", Input.CROP)
    yield from _placed(found, out)


def _placed(found: BenchmarkSet, out: Path) -> Iterator[object]:
    """Where the faces are, for embed; nothing leaves that to the detector."""
    if found.aligned:
        yield "--aligned"
    elif found.landmarks is not None:
        yield from ("--landmarks", out / "landmarks.csv")


def _compared(found: BenchmarkSet, pictures: Path, out: Path) -> Iterator[object]:
    """What is compared, in groups where there are folds; faces are shown of pictures alone."""
    if found.pairs is None:
        yield from ("--identities", out / "identities.csv")
    else:
        yield from ("--pairs", out / "pairs.csv")
    if found.templates is not None:
        yield from ("--templates", out / "templates.csv")
        return
    if found.folds is not None:
        yield from ("--groups", out / "groups.csv")
    yield from ("--images", pictures)
