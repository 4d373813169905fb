"""The student in training: its losses, its moving average, and the schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from facegauge.train.recipes import First
from facegauge.train.runs import Run
from facegauge.train.students import Student, planes
from facegauge.train.targets import LABELS
from facegauge.train.validation import Validation


class Learner(lightning.LightningModule):
    """Student, its moving average, the losses and the validation."""

    def __init__(self, chosen: First, widths: list[int], run: Run, validation: Validation) -> None:
        super().__init__()
        torch.manual_seed(chosen.seed)
        self.student = Student(chosen.backbone, chosen.head_width, len(LABELS), widths)
        average = warming_average(chosen.average)
        self.average = AveragedModel(self.student, multi_avg_fn=average, use_buffers=True)
        self.chosen, self.run = chosen, run
        self.validation = validation
        self.history: list[dict[str, float]] = []

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW with linear warm-up and a cosine to zero; no decay on vectors and scalars."""
        decayed = [p for p in self.student.parameters() if p.ndim > 1]
        free = [p for p in self.student.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.chosen.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.chosen.learning_rate)
        total = self.chosen.legs * self.chosen.steps
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: rate(step, total, self.chosen.warmup)
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def training_step(self, batch: dict[str, Tensor], number: int) -> Tensor:
        """Smooth-L1 on the labels that are known, plus the cosine distance to each recogniser."""
        torch.manual_seed(self.chosen.seed * 1_000_003 + self.global_step)
        labels, embeddings = self.student.answers(planes(batch["pixels"]))
        quality = label_loss(labels.float(), batch["labels"], self.chosen.label_beta)
        distance = embedding_loss(embeddings, batch)
        losses = {"label": quality, "embedding": distance}
        self.log_dict(losses, on_step=False, on_epoch=True, prog_bar=True)
        return quality + self.chosen.embedding_weight * distance

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average."""
        self.average.update_parameters(self.student)

    def on_train_epoch_end(self) -> None:
        """Validate the averaged weights and keep them when they are the best so far."""
        grades = self.validation.grade(self.average.module, self.device)
        losses = {key: float(self.trainer.callback_metrics[key]) for key in ("label", "embedding")}
        self.history.append({"step": self.global_step, **losses, **grades})
        before = [entry["pauc_jittered"] for entry in self.history[:-1]]
        if grades["pauc_jittered"] < min(before, default=float("inf")):
            _save_weights(self.average.module, self.run.weights)
        self.run.write_facts(
            {**self.run.facts(), "legs": len(self.history), "history": self.history}
        )
        draft = self.run.state.with_suffix(".draft")
        self.trainer.save_checkpoint(draft)
        draft.replace(self.run.state)  # whole or not at all, whenever the run is killed

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history with the state."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = checkpoint["history"]


def label_loss(predicted: Tensor, labels: Tensor, beta: float) -> Tensor:
    """Smooth-L1 of N×L labels in standard deviations, over those that are known (not nan)."""
    known = torch.isfinite(labels)  # (N, L)
    return functional.smooth_l1_loss(predicted[known], labels[known], beta=beta)


def embedding_loss(embeddings: list[Tensor], batch: dict[str, Tensor]) -> Tensor:
    """Mean of 1 - cosine between student and recogniser, over recognisers and crops."""
    distances = [
        1.0 - functional.cosine_similarity(found.float(), batch[f"embedding{i}"]).mean()
        for i, found in enumerate(embeddings)
    ]
    return torch.stack(distances).mean()


def warming_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """A moving average that forgets its random start: decay min(decay, (1 + n) / (10 + n))."""

    @torch.no_grad()
    def update(averages: list[Tensor], weights: list[Tensor], count: Any) -> None:
        kept = min(decay, (1.0 + float(count)) / (10.0 + float(count)))
        for average, weight in zip(averages, weights, strict=True):
            if average.is_floating_point():
                average.lerp_(weight.to(average.dtype), 1.0 - kept)
            else:
                average.copy_(weight)

    return update


def rate(step: int, total: int, warmup: float) -> float:
    """Share of the peak rate at a step: linear up over ``warmup`` of all, then a cosine to 0."""
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - rise) / max(1, total - rise))))


def _save_weights(network: nn.Module, path: Path) -> None:
    draft = path.with_suffix(".draft")
    save_file({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}, draft)
    draft.chmod(0o644)  # safetensors leaves it to its owner alone
    draft.replace(path)
