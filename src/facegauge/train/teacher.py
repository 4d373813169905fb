"""One network learns the labels of whole pictures: every teacher and student of Efficient-FIQA.

Source: Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709): MSE and PLCC loss, the best
(SRCC + PLCC) / 2 on the held-out pictures kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from facegauge.cards import Calibration, calibrate, today
from facegauge.errors import InputError, TrainingError
from facegauge.evaluate.correlation import Correlation, correlate
from facegauge.train import runs
from facegauge.train.correlation_loss import plcc_loss
from facegauge.train.course import Course, fit
from facegauge.train.graders import begin_at, begin_with, grader, planes, raw_qualities, take_over
from facegauge.train.ratings import (
    FEWEST,
    Look,
    Rated,
    Ratings,
    centres,
    read_folder,
    read_ratings,
)
from facegauge.train.recipe_perceptual import Perceptual
from facegauge.train.runs import Run
from facegauge.train.visits import Legs


def train(
    chosen: Perceptual,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
) -> Run:
    """Run the recipe ``perceptual`` from data to weights, or go on where it stopped.

    Args:
        chosen: the recipe.
        data: a folder with the table of labels and its pictures (see ``ratings``).
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare pictures; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data, weights or run folder are not usable.
        RecipeError: an unknown network.
    """
    ratings = read_ratings(data, chosen.labels, held_out=chosen.held_out, seed=chosen.seed)
    return teach(chosen, ratings, data, out, resume=resume, workers=workers, device=device)


def teach(
    chosen: Perceptual,
    ratings: Ratings,
    data: Path,
    out: Path,
    *,
    start: Run | None = None,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
) -> Run:
    """As ``train``, of these ratings; ``start`` is a run whose weights the network begins with."""
    _reference(chosen, ratings, data)  # refused now, not after hours
    network = grader(chosen)
    begin_at(network, ratings.learned().labels)
    if not Run(folder=out).state.is_file():  # which has the weights of a run that goes on
        _begin(network, chosen, data, start)
    run = runs.started(out, chosen, resume)
    look = Look.of(chosen)
    learner = GraderLearner(chosen, network, run, ratings.held_out())
    fit(learner, Legs(chosen, Rated(ratings.learned(), look), workers), device)
    _complete(run, ratings, data, learner.best(), device)
    return run


def _begin(network: nn.Module, chosen: Perceptual, data: Path, start: Run | None) -> None:
    """Give a fresh network the weights of a run, or those that the recipe names."""
    if start is None:
        begin_with(network, chosen, data)
    else:
        take_over(network, load_file(start.weights), str(start.weights))


class GraderLearner(Course):
    """A network that grades; the best weights have the highest score on held-out pictures."""

    LOSSES = ("mse", "plcc_loss")
    chosen: Perceptual

    def __init__(self, chosen: Perceptual, network: nn.Module, run: Run, held: Ratings) -> None:
        super().__init__(chosen, network, run)
        self.held, self.look = held, Look.of(chosen)

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Squared error and PLCC loss of pixels N×S×S×3 with their labels N."""
        predicted = self.network(planes(batch["pixels"])).reshape(-1).float()
        return {
            "mse": functional.mse_loss(predicted, batch["labels"]),
            "plcc_loss": plcc_loss(predicted, batch["labels"]),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum."""
        chosen = self.chosen
        return chosen.mse_weight * losses["mse"] + chosen.plcc_weight * losses["plcc_loss"]

    def rate(self, step: int) -> float:
        """Share of the peak rate: the house's cosine, or a tenth every so many legs."""
        if self.chosen.schedule == "cosine":
            return super().rate(step)
        return 0.1 ** (step // (self.chosen.steps * self.chosen.decay_every))

    def grade(self, network: nn.Module) -> dict[str, float]:
        """Agreement with the labels of the held-out pictures."""
        raw = raw_qualities(network, centres(self.held.paths, self.look), self.device)
        return graded(raw, self.held.labels)

    def merit(self, grades: dict[str, float]) -> float:
        """The challenge's score, turned around."""
        return -grades["score"]


def graded(raw: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """SRCC, PLCC (after the logistic) and score, the mean of the two, N each; 0 where undefined."""
    found = agreement(raw, labels)
    srcc, plcc = (0.0, 0.0) if found is None else (found.srcc, found.plcc)
    return {"srcc": srcc, "plcc": plcc, "score": (srcc + plcc) / 2}


def agreement(raw: np.ndarray, labels: np.ndarray, resamples: int = 0) -> Correlation | None:
    """How well predictions agree with labels, N each; None where nothing can be fitted."""
    try:
        return correlate(raw, labels, resamples=resamples)
    except InputError:
        return None  # all answers alike, as at the start of a training


def load_grader(run: Run) -> nn.Module:
    """The best network of a run, ready to use."""
    network = grader(run.of_kind(Perceptual))
    network.load_state_dict(load_file(run.weights))
    return network.eval()


def answers(run: Run, paths: Sequence[Path], device: str = "cpu") -> np.ndarray:
    """Raw quality, N, that the best network of a run gives the centres of pictures."""
    look, where = Look.of(run.of_kind(Perceptual)), torch.device(device)
    return raw_qualities(load_grader(run).to(where), centres(paths, look), where)


def read_scale(run: Run) -> Calibration:
    """The calibration that maps the percentiles of a run's reference pictures to scores."""
    with np.load(run.reference) as stored:
        raw, population = stored["raw"], str(stored["population"])
    return calibrate(raw, population=population, date=today())


def _reference(chosen: Perceptual, ratings: Ratings, data: Path) -> tuple[Path, ...]:
    """The pictures whose percentiles become scores.

    Raises:
        TrainingError: too few.
    """
    if not chosen.reference:
        return ratings.held_out().paths
    paths = read_folder(data, chosen.reference)
    if len(paths) < FEWEST:
        raise TrainingError(
            f"Expected {FEWEST} or more pictures in {data / chosen.reference}, whose percentiles "
            f"become scores, got {len(paths)}. Add some, or leave reference empty."
        )
    return paths


def _complete(run: Run, ratings: Ratings, data: Path, best: dict[str, float], device: str) -> None:
    """Grade the reference pictures, and mark the run as complete."""
    chosen, held = run.of_kind(Perceptual), ratings.held_out()
    paths = _reference(chosen, ratings, data)
    what = chosen.reference or f"{chosen.labels} (held out for validation)"
    with run.reference.open("wb") as file:
        raw = answers(run, paths, device)
        np.savez(file, raw=raw, population=f"{len(paths)} pictures of {what}")
    told = f"{len(ratings.learned())} pictures for training, {len(held)} held out for validation"
    run.finish(data=told, best=best)
