"""The recipe ``difiqa``: learn to restore faces that were degraded and noised.

A picture at time t of the horizon T is mixed with its degraded version, x' = (1 - w) x + w x_low
with w = sin(pi t / 2T), then noised by the schedule; the network gives x back. Source: DifFIQA
(Babnik et al. 2023, arXiv 2305.05768), section 3, and the code its authors published.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.random import default_rng
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from facegauge.train import runs
from facegauge.train.course import Course, fit
from facegauge.train.degradation import degrade
from facegauge.train.diffusion_network import Denoiser
from facegauge.train.faces import read_faces
from facegauge.train.portraits import Portraits, Sight
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.reference import described
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.train.visits import Legs

VALIDATED = 128
"""Held-out faces that are validated on, at most."""
_GRADE_BATCH = 16


def train(
    chosen: DifFiqa,
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
        data: a folder of landmark tables and pictures (see ``faces``); names are not needed.
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data or run folder are not usable.
        MissingExtra: diffusers is not installed.
    """
    network = denoiser(chosen)
    faces = read_faces(data, chosen.tables)
    sight = Sight(size=chosen.size, seed=chosen.seed)
    held = np.flatnonzero(faces.validation)[:VALIDATED]
    pairs = (
        np.stack([sight.clean(faces, int(face)) for face in held]),
        np.stack([sight.spoiled(faces, int(face)) for face in held]),
    )
    run = runs.started(out, chosen, resume)
    learner = DiffusionLearner(chosen, network, run, pairs)
    learned = np.flatnonzero(~faces.validation)
    fit(learner, Legs(chosen, Spoiled(faces, learned, sight, {}), workers), device)
    run.finish(data=described(faces, data), best=learner.best())
    return run


class Spoiled(Portraits):
    """Portraits with a degraded version of each, drawn afresh at every visit."""

    def __getitem__(self, visit: int) -> dict[str, Any]:
        portrait = super().__getitem__(visit)
        low = degrade(portrait["pixels"], default_rng((self.sight.seed, 4, visit)))
        return {**portrait, "low": np.ascontiguousarray(low)}


class DiffusionLearner(Course):
    """A network that restores pictures; the best weights restore held-out faces best."""

    LOSSES = ("restoration",)
    network: Denoiser
    chosen: DifFiqa

    def __init__(
        self,
        chosen: DifFiqa,
        network: Denoiser,
        run: Run,
        held: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]],
    ) -> None:
        super().__init__(chosen, network, run)
        self.held = held

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Squared distance in -1..1 of restored and clean pixels, at times drawn anew."""
        clean, low = planes(batch["pixels"]), planes(batch["low"])
        times = torch.randint(self.chosen.horizon, (len(clean),), device=clean.device)
        noise = torch.randn_like(clean)
        return {"restoration": self._distance(self.network, clean, low, times, noise)}

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The one loss."""
        return losses["restoration"]

    def grade(self, network: Denoiser) -> dict[str, float]:
        """The same loss on held-out faces, with noise and times that never change."""
        chance = torch.Generator().manual_seed(self.chosen.seed)
        found = []
        network.eval()
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            for start in range(0, len(self.held[0]), _GRADE_BATCH):
                clean, low = (self._part(pixels, start) for pixels in self.held)
                times = torch.randint(self.chosen.horizon, (len(clean),), generator=chance)
                noise = torch.randn(clean.shape, generator=chance).to(clean)
                part = self._distance(network, clean, low, times.to(self.device), noise)
                found.append(float(part) * len(clean))
        return {"held_out_loss": sum(found) / len(self.held[0])}

    def merit(self, grades: dict[str, float]) -> float:
        """The loss on held-out faces."""
        return grades["held_out_loss"]

    def _part(self, pixels: npt.NDArray[np.uint8], start: int) -> Tensor:
        return planes(torch.from_numpy(pixels[start : start + _GRADE_BATCH]).to(self.device))

    def _distance(
        self, network: Denoiser, clean: Tensor, low: Tensor, times: Tensor, noise: Tensor
    ) -> Tensor:
        mixed = lowered(clean, low, times, self.chosen.horizon)
        return functional.mse_loss(network(network.noised(mixed, times, noise), times), clean)


def lowered(clean: Tensor, low: Tensor, times: Tensor, horizon: int) -> Tensor:
    """Pictures N×3×S×S on their way from clean at time 0 to low at the horizon; times N."""
    weight = torch.sin(times / horizon * (math.pi / 2))[:, None, None, None]
    return (1.0 - weight) * clean + weight * low


def denoiser(chosen: DifFiqa) -> Denoiser:
    """The network of a recipe with fresh weights drawn by its seed."""
    torch.manual_seed(chosen.seed)
    return Denoiser(chosen)


def load_denoiser(run: Run) -> Denoiser:
    """The best network of a run, ready to use."""
    network = denoiser(run.of_kind(DifFiqa))
    network.load_state_dict(load_file(run.weights))
    return network.eval()
