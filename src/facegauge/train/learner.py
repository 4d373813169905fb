"""The student of the recipe ``first`` in training: its losses and its validation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegauge.train.course import Course
from facegauge.train.recipe_first import First
from facegauge.train.runs import Run
from facegauge.train.students import Student, planes
from facegauge.train.targets import LABELS
from facegauge.train.validation import Validation


class Learner(Course):
    """Student, label and embedding losses, and the pAUC on the validation people."""

    LOSSES = ("label", "embedding")
    network: Student

    def __init__(self, chosen: First, widths: list[int], run: Run, validation: Validation) -> None:
        torch.manual_seed(chosen.seed)
        student = Student(chosen.backbone, chosen.head_width, len(LABELS), widths)
        super().__init__(chosen, student, run)
        self.recipe, self.validation = chosen, validation

    @property
    def student(self) -> Student:
        """The network that is trained."""
        return self.network

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Smooth-L1 on the labels that are known, and the cosine distance to each recogniser."""
        labels, embeddings = self.student.answers(planes(batch["pixels"]))
        return {
            "label": label_loss(labels.float(), batch["labels"], self.recipe.label_beta),
            "embedding": embedding_loss(embeddings, batch),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Label loss plus the weighted embedding loss."""
        return losses["label"] + self.recipe.embedding_weight * losses["embedding"]

    def grade(self, network: nn.Module) -> dict[str, float]:
        """The pAUC and the rank correlation on the validation people."""
        return self.validation.grade(network, self.device)

    def merit(self, grades: dict[str, float]) -> float:
        """The pAUC on crops aligned from jittered landmarks."""
        return grades["pauc_jittered"]


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
