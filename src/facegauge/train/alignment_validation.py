"""How good a student of AI-KD is on the faces held out: aligned, and misaligned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from numpy.random import default_rng
from torch import Tensor

from facegauge import alignment
from facegauge.errors import TrainingError
from facegauge.evaluate.curves import Comparisons
from facegauge.train.alignment_losses import label_losses, label_weights, weighted_mean
from facegauge.train.alignment_network import Distilled
from facegauge.train.alignment_visits import Expected
from facegauge.train.faces import UNKNOWN, Faces
from facegauge.train.learner import embedding_loss
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.students import planes
from facegauge.train.validation import compared, mean_pauc, rank_correlation
from facegauge.values import Pixels

_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What a network says of N faces: raw quality N, and what imitates each recogniser, N×D."""

    raw: Tensor
    imitations: list[Tensor]


class HeldOut:
    """The faces that are held out: crops, what is to be answered, and pairs to judge scores by."""

    def __init__(self, chosen: AlignmentDistillation, faces: Faces, targets: Expected) -> None:
        self.chosen = chosen
        self.faces = np.flatnonzero(faces.validation)
        self.aligned = np.stack([_cut(faces, int(face), chosen, None) for face in self.faces])
        self.misaligned = [
            np.stack([_cut(faces, int(face), chosen, draw) for face in self.faces])
            for draw in range(chosen.held_draws)
        ]
        self.labels = torch.from_numpy(targets.labels[self.faces, 0])
        self.weights = torch.from_numpy(targets.weights[self.faces])
        self.embeddings = [torch.from_numpy(each[self.faces]) for each in targets.embeddings]
        people = faces.identities[self.faces]
        self.named = np.flatnonzero(people != UNKNOWN)
        self.comparisons = self._compared(people)

    def grade(self, network: Distilled, device: torch.device) -> dict[str, float]:
        """Losses, rank correlation and pAUC (lower is better), aligned and misaligned."""
        found = {f"{key}_aligned": v for key, v in self._graded(network, self.aligned, device)}
        draws = [dict(self._graded(network, each, device)) for each in self.misaligned]
        for key in draws[0]:
            found[f"{key}_misaligned"] = float(np.mean([draw[key] for draw in draws]))
        return found

    def _graded(
        self, network: Distilled, crops: Pixels, device: torch.device
    ) -> Iterator[tuple[str, float]]:
        said = answered(network, crops, device)
        label, embedding = self._label_loss(said), self._embedding_loss(said)
        yield "loss", label + self.chosen.embedding_weight * embedding
        yield "label", label
        yield "embedding", embedding
        known = torch.isfinite(self.labels).numpy()
        raw = said.raw.numpy()
        if known.any():
            yield "srcc", rank_correlation(raw[known], self.labels.numpy()[known])
        if self.comparisons:
            yield "pauc", mean_pauc(self.comparisons, raw[self.named])

    def _label_loss(self, said: Said) -> float:
        losses = label_losses(said.raw, self.labels, self.chosen.label_beta)
        return float(weighted_mean(losses, label_weights(self.weights, self.labels)))

    def _embedding_loss(self, said: Said) -> float:
        wanted = {f"embedding{at}": each for at, each in enumerate(self.embeddings)}
        return float(embedding_loss(said.imitations, wanted))

    def _compared(self, people: npt.NDArray[np.int64]) -> list[Comparisons]:
        """All pairs of the named people by recogniser; none where they cannot judge a score.

        Raises:
            TrainingError: they cannot, and the recipe chooses by them.
        """
        try:
            return [
                compared(each[self.named].numpy(), people[self.named]) for each in self.embeddings
            ]
        except TrainingError:
            if self.chosen.chosen_by == "pauc":
                raise
            return []


def answered(network: Distilled, crops: Pixels, device: torch.device) -> Said:
    """What a network says of crops N×S×S×3, in float32, on the processor."""
    network.eval()
    raw, imitations = [], []
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        for start in range(0, len(crops), _BATCH):
            part = torch.from_numpy(crops[start : start + _BATCH]).to(device)
            quality, embeddings = network.answers(planes(part))
            raw.append(quality.float().cpu())
            imitations.append([each.float().cpu() for each in network.imitations(embeddings)])
    joined = [torch.cat(parts) for parts in zip(*imitations, strict=True)]
    return Said(raw=torch.cat(raw), imitations=joined)


def _cut(faces: Faces, face: int, chosen: AlignmentDistillation, draw: int | None) -> Pixels:
    """The crop of a face from its own landmarks, or from those of a fixed draw of the noise."""
    points = faces.points(face)
    if draw is not None:
        rng = default_rng((chosen.seed, 2, face, draw))
        points = alignment.jitter(points, rng, relative=chosen.held_jitter)
    return alignment.align(faces.pixels(face), points, chosen.size)
