"""The recipes ``sdd-fiqa``, ``faceqnet`` and ``difiqa-r``: learn to repeat labels of faces."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facegauge.train import runs
from facegauge.train.course import Course, fit
from facegauge.train.embedders import embedder
from facegauge.train.embedding import begin_with, sight_of
from facegauge.train.faces import Faces, read_faces
from facegauge.train.labels import labels_of
from facegauge.train.portraits import Portraits, Sight
from facegauge.train.quality_heads import Predicting, regression_loss
from facegauge.train.recipe_regression import Regression
from facegauge.train.reference import complete, require_enough
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.train.validation import rank_correlation, raw_scores
from facegauge.train.visits import Legs


def train(
    chosen: Regression,
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
        data: a folder of landmark tables, their pictures (see ``faces``) and the table of labels.
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data, labels or run folder are not usable.
        RecipeError: an unknown network.
    """
    faces = read_faces(data, chosen.tables)
    require_enough(faces)
    labels = labels_of(faces, data, chosen.labels)
    learned = np.flatnonzero(~faces.validation & np.isfinite(labels))
    network = predicting(chosen)
    begin_with(network, chosen, data)
    network.begin_at(torch.from_numpy(labels[learned]))
    sight = sight_of(chosen)
    held = Labelled(faces, labels, sight)
    run = runs.started(out, chosen, resume)
    learner = RegressionLearner(chosen, network, run, held)
    portraits = Portraits(faces, learned, sight, {"labels": labels[learned]})
    fit(learner, Legs(chosen, portraits, workers), device)
    complete(run, data, faces, sight, load_predicting(run), learner.best())
    return run


class Labelled:
    """The labelled faces that are held out: their crops N×S×S×3 and their labels N."""

    def __init__(self, faces: Faces, labels: npt.NDArray[np.float32], sight: Sight) -> None:
        chosen = np.flatnonzero(faces.validation & np.isfinite(labels))
        self.labels = labels[chosen]
        self.crops = np.stack([sight.clean(faces, int(face)) for face in chosen])


class RegressionLearner(Course):
    """A network that predicts labels; the best weights have the least loss on held-out faces."""

    LOSSES = ("label",)
    network: Predicting
    chosen: Regression

    def __init__(self, chosen: Regression, network: Predicting, run: Run, held: Labelled) -> None:
        super().__init__(chosen, network, run)
        self.held = held
        leave(network.embedder, chosen.trained)

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The regression loss of pixels N×S×S×3 with their labels N."""
        predicted = self.network.scaled_answers(planes(batch["pixels"]))
        return {"label": self._loss(predicted, self.network.scaled(batch["labels"]))}

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The one loss."""
        return losses["label"]

    def grade(self, network: Predicting) -> dict[str, float]:
        """The loss and the rank correlation with the labels of held-out faces."""
        raw = raw_scores(network, self.held.crops, self.device)
        pair = (torch.from_numpy(each).to(self.device) for each in (raw, self.held.labels))
        return {
            "held_out_loss": float(self._loss(*map(network.scaled, pair))),
            "srcc": rank_correlation(raw, self.held.labels),
        }

    def merit(self, grades: dict[str, float]) -> float:
        """The loss on held-out faces."""
        return grades["held_out_loss"]

    def _optimiser(self) -> torch.optim.Optimizer:
        """AdamW; the last layer has a rate of its own, and weights that stay are left out."""
        chosen = self.chosen
        body = [each for each in self.network.embedder.parameters() if each.requires_grad]
        head = list(self.network.linear.parameters())
        rates = ((body, chosen.learning_rate), (head, chosen.learning_rate * chosen.head_rate))
        return adamw(rates, chosen.weight_decay)

    def _loss(self, predicted: Tensor, labels: Tensor) -> Tensor:
        return regression_loss(predicted, labels, self.chosen.loss, self.chosen.beta)


def leave(body: nn.Module, trained: int) -> None:
    """Leave all but the last ``trained`` weights (tensors) of a network as they are; 0: none."""
    weights = list(body.parameters())
    for weight in weights[: max(0, len(weights) - trained)] if trained else []:
        weight.requires_grad_(False)


def adamw(
    rates: Iterable[tuple[list[nn.Parameter], float]], weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW on groups of weights with a learning rate each; no decay on vectors and scalars."""
    groups = [
        {
            "params": [each for each in weights if (each.ndim > 1) == matrix],
            "lr": rate,
            "weight_decay": weight_decay if matrix else 0.0,
        }
        for weights, rate in rates
        for matrix in (True, False)
    ]
    return torch.optim.AdamW(groups)


def predicting(chosen: Regression) -> Predicting:
    """The network of a recipe with fresh weights drawn by its seed.

    Raises:
        RecipeError: an unknown network.
    """
    torch.manual_seed(chosen.seed)
    return Predicting(embedder(chosen.network, chosen.width), chosen.width, chosen.dropout)


def load_predicting(run: Run) -> Predicting:
    """The best network of a run, ready to use."""
    network = predicting(run.of_kind(Regression))
    network.load_state_dict(load_file(run.weights))
    return network.eval()
