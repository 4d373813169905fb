"""The recipe ``first``: regress a student on recognisers' labels while imitating their embeddings.

A run is divided into legs. Which crop is seen when, and every random number, follows from the seed
and the number of the visit alone, so a run that was killed and resumed is the run that was not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from safetensors.torch import load_file

from facegauge.models import Model
from facegauge.train import runs
from facegauge.train.course import fit
from facegauge.train.faces import Faces, read_faces
from facegauge.train.learner import Learner
from facegauge.train.recipe_first import First
from facegauge.train.reference import described, require_enough, write_reference
from facegauge.train.runs import Run
from facegauge.train.students import Student, require_backbone
from facegauge.train.targets import LABELS, Targets, find_recognisers, make_targets
from facegauge.train.validation import Validation, raw_scores
from facegauge.train.views import Views
from facegauge.train.visits import Visits


def train(
    chosen: First,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
) -> Run:
    """Run the recipe from data to weights, or go on where it stopped.

    Args:
        chosen: the recipe.
        data: a folder of landmark tables and pictures (see ``faces``) and recognisers.
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data, recognisers or run folder are not usable.
    """
    require_backbone(chosen.backbone)
    faces = read_faces(data, chosen.tables)
    require_enough(faces)
    recognisers = find_recognisers(data, chosen.recognisers, chosen.size)
    run = runs.started(out, chosen, resume)
    targets = _targets(faces, chosen, recognisers, run)
    views = Views(faces=faces, recipe=chosen)
    learner = Learner(
        chosen, [e.shape[1] for e in targets.embeddings], run, Validation(views, targets)
    )
    fit(learner, Visits(chosen, views, targets, workers), device)
    _write_reference(run, data, views, learner.best())
    return run


def load_student(run: Run) -> Student:
    """The best student of a run, ready to use; its embedding heads are left out."""
    chosen = run.first()
    student = Student(chosen.backbone, chosen.head_width, len(LABELS), [])
    stored = load_file(run.weights)
    student.load_state_dict({k: v for k, v in stored.items() if not k.startswith("embeddings.")})
    return student.eval()


def _targets(faces: Faces, chosen: First, recognisers: list[Model], run: Run) -> Targets:
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("recognisers' answers", total=None)
        return make_targets(
            faces,
            chosen,
            recognisers,
            run.targets,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _write_reference(run: Run, data: Path, views: Views, best: dict[str, float]) -> None:
    """Raw outputs of the validation faces, clean and once degraded: the reference population."""
    chosen_faces = [int(face) for face in np.flatnonzero(views.faces.validation)]
    crops = np.stack([views.aligned(face, view) for view in (0, 1) for face in chosen_faces])
    raw = raw_scores(load_student(run), crops, torch.device("cpu"))
    write_reference(run, views.faces, raw)
    run.finish(data=described(views.faces, data), best=best)
