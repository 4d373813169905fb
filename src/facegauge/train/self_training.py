"""Self-training: a network labels pictures nobody has labelled, and learns from them as well.

Its predictions go through the four-parameter logistic that was fitted on labelled pictures, so that
pseudo-labels are on the scale of the labels. Source: Efficient-FIQA (Sun et al. 2025, arXiv
2507.15709). A choice of ours, off in the paper's recipe: pseudo-labels that move with the crop and
in the mirror are doubtful, and may be left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from facegauge.evaluate.logistic import Logistic, fit_logistic
from facegauge.pictures import LeftOut
from facegauge.tables import read_labels
from facegauge.techniques.journal import Journal, kept
from facegauge.techniques.label_table import finished, sha256, write_labels
from facegauge.techniques.technique import Labels, Rows
from facegauge.train.graders import raw_qualities
from facegauge.train.ratings import Look, Ratings
from facegauge.train.recipe_efficient import EfficientFiqa
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.runs import Run
from facegauge.train.teacher import answers, load_grader

CHUNK = 32
"""Pictures in one call of the network, along a fixed grid, so that resuming changes no number."""
DOUBTFUL = "the looks at it disagree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudo:
    """How pseudo-labels were made: by which weights, of what, with how many looks a picture."""

    technique: str
    weights_sha256: str
    pictures: str
    looks: int
    fitted_on: str
    largest_doubt: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def pseudo_label(
    grader: Run,
    chosen: EfficientFiqa,
    ratings: Ratings,
    data: Path,
    paths: Sequence[Path],
    out: Path,
    device: str = "cpu",
) -> Labels:
    """Label pictures by the best network of a run into a table ``path,label,raw,doubt``.

    A killed call goes on where it was; a table that is finished stays as it is. Paths in the table
    are relative to the data folder.

    Args:
        grader: the run whose network labels.
        chosen: says where the logistic is fitted and what is doubtful.
        ratings: the labelled pictures on which it is fitted.
        data: the data folder.
        paths: the pictures, in it.
        out: the table, ``.csv``.
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: predictions to which no logistic can be fitted.
        OptionError: the table was made by other weights or of other pictures.
    """
    made = _made(grader, chosen, data, paths)
    if out.exists():
        return finished(out, made)
    with kept(out, made.to_dict(), resume=True) as journal:
        _look(grader, data, paths, made.looks, journal, torch.device(device))
        measured, _ = journal.measured()
        curve = fitted(grader, chosen, ratings, device)
        values = curve(measured.values.ravel()).reshape(len(paths), -1)
        labels, more = _kept(measured.paths, measured.values, values, chosen.doubt)
        write_labels(out, labels, made, more)
    return labels


def fitted(grader: Run, chosen: EfficientFiqa, ratings: Ratings, device: str = "cpu") -> Logistic:
    """The logistic from raw quality to labels, fitted on labelled or on held-out pictures."""
    known = ratings.held_out() if chosen.fitted_on == "held-out" else ratings
    return fit_logistic(answers(grader, known.paths, device), known.labels)


def with_pseudo(ratings: Ratings, data: Path, *tables: Path) -> Ratings:
    """The labelled pictures and those of pseudo-label tables, which are learned from as well."""
    for table in tables:
        known = read_labels(table)
        values = np.array(list(known.values()), dtype=np.float32)
        ratings = ratings.joined([data / path for path in known], values)
    return ratings


def _made(grader: Run, chosen: EfficientFiqa, data: Path, paths: Sequence[Path]) -> Pseudo:
    names = "\n".join(path.relative_to(data).as_posix() for path in paths)
    return Pseudo(
        technique="efficient-fiqa pseudo-labels",
        weights_sha256=sha256(grader.weights),
        pictures=hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest(),
        looks=4 if chosen.doubt else 1,
        fitted_on=chosen.fitted_on,
        largest_doubt=chosen.doubt,
    )


def _look(
    grader: Run,
    data: Path,
    paths: Sequence[Path],
    looks: int,
    journal: Journal,
    device: torch.device,
) -> None:
    """Note the raw quality of every picture that is not noted yet, 1 or 4 looks at each."""
    network, look = load_grader(grader).to(device), Look.of(grader.of_kind(Perceptual))
    for start in range(0, len(paths), CHUNK):
        chunk = paths[start : start + CHUNK]
        names = [path.relative_to(data).as_posix() for path in chunk]
        if not all(name in journal for name in names):
            rows = np.concatenate(list(_raw(network, look, chunk, looks, device)))
            journal.add(names, list(rows))


def _raw(
    network: nn.Module, look: Look, paths: Sequence[Path], looks: int, device: torch.device
) -> Iterator[Rows]:
    """Raw quality N×looks of pictures."""
    if looks == 1:
        crops = np.stack([look.centre(path) for path in paths])
        yield raw_qualities(network, [crops], device)[:, None]
        return
    for path in paths:
        yield raw_qualities(network, [np.ascontiguousarray(look.four(path))], device)[None]


def _kept(
    paths: tuple[str, ...], raw: Rows, values: np.ndarray, largest: float
) -> tuple[Labels, dict[str, list[str]]]:
    """Labels N of values N×looks whose spread is not above ``largest`` (0: all), and columns."""
    doubt = values.std(axis=1)
    kept = np.flatnonzero((doubt <= largest) | (largest == 0)).tolist()
    left = sorted(set(range(len(paths))) - set(kept))
    labels = Labels(
        paths=tuple(paths[at] for at in kept),
        values=values[kept, 0],
        left_out=tuple(LeftOut(path=paths[at], reason=DOUBTFUL) for at in left),
    )
    return labels, {
        "raw": [f"{value:.7g}" for value in raw[kept, 0].tolist()],
        "doubt": [f"{value:.4f}" for value in doubt[kept].tolist()],
    }
