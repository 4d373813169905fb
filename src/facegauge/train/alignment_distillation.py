"""The recipes ``ai-kd`` and ``ai-kd-xxs``: labels of any technique, made invariant to alignment.

AI-KD (Babnik et al., IWBF 2024): a student sees each face from landmarks that are off, differently
at every visit, and is to answer with the label of the properly aligned face and with the embedding
that a frozen recogniser has of it. The weights that are kept are averaged ones, and they are graded
on held-out people, aligned and misaligned.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor

from facegauge.errors import TrainingError
from facegauge.models import Model
from facegauge.techniques.technique import width_of
from facegauge.train import runs
from facegauge.train.alignment_losses import (
    label_losses,
    label_weights,
    relation_loss,
    trimmed,
    weighted_mean,
)
from facegauge.train.alignment_network import Distilled, distilled, load_distilled
from facegauge.train.alignment_validation import HeldOut
from facegauge.train.alignment_visits import AlignedViews, Misaligned, expected
from facegauge.train.answers import Answers, kept_answers
from facegauge.train.blended_labels import taught
from facegauge.train.course import Course, averaging_from, fit, sine_rate
from facegauge.train.embedding import begin_with, sight_of
from facegauge.train.faces import Faces, read_faces
from facegauge.train.learner import embedding_loss
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.reference import complete, described, require_enough
from facegauge.train.regression import adamw, leave
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.train.swaps import read_others
from facegauge.train.targets import find_recognisers
from facegauge.train.visits import Legs

SHARED = "targets"
"""A folder of this name beside the data keeps recognisers' answers for all runs."""


def train(
    chosen: AlignmentDistillation,
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
        data: a folder of landmark tables, their pictures (see ``faces``), recognisers and labels.
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data, labels, recognisers or run folder are not usable.
        RecipeError: an unknown network.
    """
    helper = int(os.environ.get("LOCAL_RANK", "0")) > 0  # started by the first, which began the run
    course = prepared(chosen, data, out, resume=resume or helper)
    learner = course.learner
    fit(learner, Legs(chosen, course.visits, workers), device, chosen.devices)
    if helper:
        raise SystemExit(0)  # the first one has the last word
    _finish(learner, data, course.visits.faces)
    return learner.run


def prepared(
    chosen: AlignmentDistillation, data: Path, out: Path, *, resume: bool = False
) -> Prepared:
    """Begin a run: read data, ask the recognisers once, make the network.

    Raises:
        TrainingError: data, labels, recognisers or run folder are not usable.
        RecipeError: an unknown network.
    """
    faces = read_faces(data, chosen.tables)
    require_enough(faces)
    _require_start(chosen)
    teachers = find_recognisers(data, chosen.recognisers)
    labels = taught(faces, data, chosen)
    others = read_others(faces, data, chosen.swap_tables)
    network = distilled(chosen, [width_of(teacher) for teacher in teachers])
    begin_with(network, chosen, data)
    run = runs.started(out, chosen, resume)
    views = tuple(_views(chosen, faces, teacher) for teacher in teachers)
    answers = _answers(views, teachers, data / SHARED if (data / SHARED).is_dir() else run.targets)
    targets = expected(labels, answers, faces, chosen.fall)
    live = chosen.teacher == "live"
    learner = AlignmentLearner(
        chosen, network, run, HeldOut(chosen, faces, targets), teachers if live else []
    )
    visits = Misaligned(chosen, faces, others, targets, views if live else ())
    return Prepared(learner=learner, visits=visits)


class AlignmentLearner(Course):
    """The student, and recognisers that answer at every step where they are live."""

    LOSSES = ("label", "embedding", "relation")
    network: Distilled
    chosen: AlignmentDistillation

    def __init__(
        self,
        chosen: AlignmentDistillation,
        network: Distilled,
        run: Run,
        held: HeldOut,
        live: list[Model],
    ) -> None:
        super().__init__(chosen, network, run)
        self.held, self.live = held, live
        leave(network.embedder, chosen.trained)

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of pixels N×S×S×3 with labels and weights N, and embeddings N×D."""
        wanted = {**batch, **self._asked(batch)}
        predicted, own = self.network.answers(planes(batch["pixels"]))
        return {
            "label": self._label_loss(predicted.float(), batch["labels"], batch["weights"]),
            "embedding": embedding_loss(self.network.imitations(own), wanted),
            "relation": self._relation_loss(own, wanted),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Label loss plus the weighted losses on embeddings."""
        chosen = self.chosen
        embedding = chosen.embedding_weight * losses["embedding"]
        return losses["label"] + embedding + chosen.relation_weight * losses["relation"]

    def grade(self, network: Distilled) -> dict[str, float]:
        """Losses, rank correlation and pAUC of the held-out faces, aligned and misaligned."""
        return self.held.grade(network, self.device)

    def merit(self, grades: dict[str, float]) -> float:
        """What the recipe chooses by, of misaligned faces."""
        return grades[f"{self.chosen.chosen_by}_misaligned"]

    def averaging(self) -> Callable[..., None]:
        """A moving average; with the schedule sine the mean of all weights once it is settled."""
        if self.chosen.schedule == "sine":
            return averaging_from(self._settled)
        return super().averaging()

    def rate(self, step: int) -> float:
        """Share of the peak rate at a step; AI-KD: a sine up, then constant."""
        if self.chosen.schedule != "sine":
            return super().rate(step)
        rise = round(self.chosen.warmup * self.total_steps)
        return sine_rate(step, rise) if step < self._settled else self.chosen.settled_rate

    @property
    def _settled(self) -> int:
        return round(self.chosen.settled * self.total_steps)

    def _optimiser(self) -> torch.optim.Optimizer:
        """Two groups: the embedding network, and all that stands on it."""
        chosen, network = self.chosen, self.network
        body = [each for each in network.embedder.parameters() if each.requires_grad]
        head = [*network.head.parameters(), *network.projections.parameters()]
        rate = chosen.learning_rate
        if chosen.optimiser == "adamw":
            rates = ((body, rate), (head, rate * chosen.head_rate))
            return adamw(rates, chosen.weight_decay)
        groups = [
            {"params": body, "momentum": chosen.body_momentum, "weight_decay": 0.0},
            {"params": head, "lr": rate * chosen.head_rate},
        ]
        return torch.optim.SGD(
            groups, lr=rate, momentum=chosen.momentum, weight_decay=chosen.weight_decay
        )

    def _label_loss(self, predicted: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        losses = label_losses(predicted, labels, self.chosen.label_beta)
        counted = label_weights(weights, labels)
        if self.global_step >= self.chosen.warmup * self.total_steps:
            counted = trimmed(counted, losses, self.chosen.trimmed)
        return weighted_mean(losses, counted)

    def _relation_loss(self, own: Tensor, wanted: dict[str, Tensor]) -> Tensor:
        if not self.chosen.relation_weight:
            return own.new_zeros(())
        teachers = [wanted[f"embedding{at}"] for at in range(len(self.network.projections))]
        return torch.stack([relation_loss(own, each) for each in teachers]).mean()

    def _asked(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What live recognisers say of the aligned faces."""
        return {
            f"embedding{at}": torch.from_numpy(
                model.embed(batch[f"aligned{at}"].cpu().numpy()).embedding
            ).to(self.device)
            for at, model in enumerate(self.live)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that is ready to be trained: who learns, and what is seen."""

    learner: AlignmentLearner
    visits: Misaligned


def _require_start(chosen: AlignmentDistillation) -> None:
    if chosen.trained and not chosen.start:
        raise TrainingError(
            f"Expected weights to begin with, as only the last {chosen.trained} tensors are "
            "trained, got none. Pass --set start=FILE with the teacher's weights, or --set "
            "trained=0 to train all of a network that begins with random weights."
        )


def _views(chosen: AlignmentDistillation, faces: Faces, teacher: Model) -> AlignedViews:
    count = chosen.views if chosen.degraded else 1
    return AlignedViews(faces=faces, crop=teacher.card.crop, count=count, seed=chosen.seed)


def _answers(views: tuple[AlignedViews, ...], teachers: list[Model], cache: Path) -> list[Answers]:
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("recognisers' answers", total=None)
        return [
            kept_answers(
                each,
                teacher,
                cache,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
            for each, teacher in zip(views, teachers, strict=True)
        ]


def _finish(learner: AlignmentLearner, data: Path, faces: Faces) -> None:
    """Grade the reference population; a run without labels has nothing to grade by."""
    run, chosen = learner.run, learner.chosen
    if chosen.labels:
        complete(run, data, faces, sight_of(chosen), load_distilled(run), learner.best())
    else:
        run.finish(data=described(faces, data), best=learner.best())
