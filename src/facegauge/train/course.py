"""The course of every training: schedule, moving average, validation and state, leg by leg."""

from __future__ import annotations

import logging
import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import lightning
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from facegauge.train.muon import Muon, is_matrix
from facegauge.train.recipe import Recipe
from facegauge.train.runs import Run


class Course(lightning.LightningModule):
    """A network, its moving average, the schedule, and what is kept of each leg."""

    LOSSES: tuple[str, ...] = ()
    """Names of the losses that ``training_losses`` returns."""

    def __init__(self, chosen: Recipe, network: nn.Module, run: Run) -> None:
        super().__init__()
        self.network = network
        self.chosen, self.run = chosen, run
        average = self.averaging()
        self.average = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
        self.average.requires_grad_(False)
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of a batch by name."""

    @abstractmethod
    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the losses."""

    @abstractmethod
    def grade(self, network: nn.Module) -> dict[str, float]:
        """What the validation says of the averaged weights."""

    @abstractmethod
    def merit(self, grades: dict[str, float]) -> float:
        """The number by which the best weights are chosen: lower is better."""

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.chosen.legs * self.chosen.steps

    def averaging(self) -> Callable[[Any, Any, Any], None]:
        """How the average of the weights follows them."""
        return warming_average(self.chosen.average)

    def rate(self, step: int) -> float:
        """Share of the peak rate at a step: linear warm-up and a cosine to zero."""
        return rate(step, self.total_steps, self.chosen.warmup)

    def configure_optimizers(self) -> dict[str, Any]:
        """The schedule of all groups; no decay on vectors and scalars."""
        optimiser = self._optimiser()
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.rate)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _optimiser(self) -> torch.optim.Optimizer:
        decay, rate = self.chosen.weight_decay, self.chosen.learning_rate
        weights = list(self.network.parameters())
        free = [p for p in weights if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": free, "weight_decay": 0.0}]
        if self.chosen.optimiser == "adamw":
            decayed = [p for p in weights if p.ndim > 1]
            groups.insert(0, {"params": decayed, "weight_decay": decay})
            return torch.optim.AdamW(groups, lr=rate)
        matrices = [p for p in weights if is_matrix(p)]
        kernels = [p for p in weights if p.ndim > 1 and not is_matrix(p)]
        groups.append({"params": kernels, "weight_decay": decay})
        groups.append({"params": matrices, "weight_decay": decay, "matrices": True})
        return Muon(groups, lr=rate)

    def training_step(self, batch: dict[str, Tensor], number: int) -> Tensor:
        """The losses of a batch, logged, and their weighted sum."""
        torch.manual_seed(self.chosen.seed * 1_000_003 + self.global_step)
        losses = self.training_losses(batch)
        several = self.trainer.world_size > 1
        self.log_dict(
            losses, on_step=False, on_epoch=True, prog_bar=True, batch_size=1, sync_dist=several
        )
        return self.total(losses)

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average."""
        self.average.update_parameters(self.network)

    def on_train_epoch_end(self) -> None:
        """Validate the averaged weights and keep them when they are the best so far."""
        grades = self.grade(self.average.module)
        losses = {key: float(self.trainer.callback_metrics[key]) for key in self.LOSSES}
        self.history.append({"step": self.global_step, **losses, **grades})
        if self.trainer.is_global_zero:
            self._write_down(grades)
        draft = self.run.state.with_suffix(".draft")
        self.trainer.save_checkpoint(draft)
        if self.trainer.is_global_zero:
            draft.replace(self.run.state)  # whole or not at all, whenever the run is killed

    def _write_down(self, grades: dict[str, float]) -> None:
        before = [self.merit(entry) for entry in self.history[:-1]]
        if self.merit(grades) < min(before, default=float("inf")):
            _save_weights(self.average.module, self.run.weights)
        self.run.write_facts(
            {**self.run.facts(), "legs": len(self.history), "history": self.history}
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history with the state."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = checkpoint["history"]

    def best(self) -> dict[str, float]:
        """The grades of the weights that were kept."""
        return min(self.history, key=self.merit)


def fit(
    course: Course, loader: lightning.LightningDataModule, device: str, devices: int = 1
) -> None:
    """Train from where the run stands to its last leg; ``devices`` share each batch."""
    chosen, run = course.chosen, course.run
    lightning.seed_everything(chosen.seed, verbose=False)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator="gpu" if device == "cuda" else "cpu",
            devices=devices,
            use_distributed_sampler=False,  # the loader hands every device its part
            precision=chosen.precision,  # type: ignore[arg-type]
            max_epochs=chosen.legs,
            gradient_clip_val=chosen.clip,
            enable_checkpointing=False,
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
            logger=False,
            reload_dataloaders_every_n_epochs=1,
            default_root_dir=run.folder,
        )
        trainer.fit(course, loader, ckpt_path=run.state if run.state.is_file() else None)


def averaging_from(start: int) -> Callable[[Any, Any, Any], None]:
    """The weights themselves until step ``start``, then the mean of all that come, each alike.

    Stochastic weight averaging (Izmailov et al., UAI 2018). Running means and variances of batch
    normalisation are averaged as well, in the place of another turn over the data.
    """

    @torch.no_grad()
    def update(averages: list[Tensor], weights: list[Tensor], count: Any) -> None:
        already = max(0.0, float(count) - start)
        _mixed(averages, weights, kept=already / (already + 1.0))

    return update


def one_thread(_: int) -> None:
    """How a process that prepares pictures begins: one thread, as the training needs the cores."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def warming_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """A moving average that forgets its random start: decay min(decay, (1 + n) / (10 + n))."""

    @torch.no_grad()
    def update(averages: list[Tensor], weights: list[Tensor], count: Any) -> None:
        _mixed(averages, weights, kept=min(decay, (1.0 + float(count)) / (10.0 + float(count))))

    return update


def _mixed(averages: list[Tensor], weights: list[Tensor], kept: float) -> None:
    """Keep so much of the averages, and take the rest from the weights; counters are copied."""
    for average, weight in zip(averages, weights, strict=True):
        if average.is_floating_point():
            average.lerp_(weight.to(average.dtype), 1.0 - kept)
        else:
            average.copy_(weight)


def sine_rate(step: int, rise: int) -> float:
    """Share of the peak rate at a step: a quarter of a sine up to step ``rise``, then 1."""
    return float(np.sin(0.5 * np.pi * min(1.0, (step + 1) / max(1, rise))))


def rate(step: int, total: int, warmup: float) -> float:
    """Share of the peak rate at a step: linear up over ``warmup`` of all, then a cosine to 0."""
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - rise) / max(1, total - rise))))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's tips and notes on its own affairs from the user."""
    log = logging.getLogger("lightning.pytorch")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have many workers")
            warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
            yield
    finally:
        log.setLevel(before)


def _save_weights(network: nn.Module, path: Path) -> None:
    draft = path.with_suffix(".draft")
    save_file({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}, draft)
    draft.chmod(0o644)  # safetensors leaves it to its owner alone
    draft.replace(path)
