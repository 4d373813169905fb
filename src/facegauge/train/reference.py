"""The reference population of a run: the raw outputs of held-out faces, for percentiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from facegauge.cards import Calibration, calibrate, today
from facegauge.errors import TrainingError
from facegauge.train.faces import UNKNOWN, Faces
from facegauge.train.portraits import Sight
from facegauge.train.runs import Run
from facegauge.train.validation import raw_scores

FEWEST = 25
"""Faces for validation below which no score can be calibrated."""


def require_enough(faces: Faces) -> None:
    """Refuse data with too few held-out faces.

    Raises:
        TrainingError: fewer than ``FEWEST``.
    """
    count = int(faces.validation.sum())
    if count < FEWEST:
        raise TrainingError(
            f"Expected {FEWEST} or more faces for validation, got {count}: with fewer no score can "
            "be calibrated. Mark more rows as validation."
        )


def complete(
    run: Run, data: Path, faces: Faces, sight: Sight, network: nn.Module, best: dict[str, float]
) -> None:
    """Grade the held-out faces, clean and once degraded, and mark the run as complete."""
    held = [int(face) for face in np.flatnonzero(faces.validation)]
    crops = [sight.clean(faces, face) for face in held]
    crops += [sight.spoiled(faces, face) for face in held]
    write_reference(run, faces, raw_scores(network, np.stack(crops), torch.device("cpu")))
    run.finish(data=described(faces, data), best=best)


def write_reference(run: Run, faces: Faces, raw: npt.NDArray[np.float32]) -> None:
    """Keep the raw outputs of the held-out faces, each clean and once degraded."""
    count, people = int(faces.validation.sum()), len(held_out_people(faces))
    with run.reference.open("wb") as file:
        np.savez(file, raw=raw, faces=count, people=people)


def read_calibration(run: Run) -> Calibration:
    """The calibration that maps the percentiles of a run's reference population to scores."""
    with np.load(run.reference) as stored:
        raw, faces, people = stored["raw"], int(stored["faces"]), int(stored["people"])
    return calibrate(
        raw,
        population=(
            f"{faces} faces held out for validation ({people} named people, others unnamed), each "
            "aligned as it is and once more after random synthetic degradation"
        ),
        date=today(),
    )


def described(faces: Faces, data: Path) -> str:
    """The tables of a run and how many of their faces were seen and held out."""
    tables = np.array([path.relative_to(data).parts[0] for path in faces.paths])
    parts = [
        f"{name}: {int((~faces.validation[tables == name]).sum())} faces for training, "
        f"{int(faces.validation[tables == name].sum())} held out for validation"
        for name in np.unique(tables)
    ]
    return "; ".join(parts)


def held_out_people(faces: Faces) -> npt.NDArray[np.int64]:
    """Codes of the named people among the held-out faces."""
    codes = faces.identities[faces.validation]
    return np.unique(codes[codes != UNKNOWN])
