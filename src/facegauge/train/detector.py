"""The recipe ``detector``: learn boxes, landmarks and confidence from photographs.

Which scene is seen when, and every random number, follows from the seed and the number of the step
alone, so a run that was killed and resumed is the run that was not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facegauge import detection, images
from facegauge.candidates import Candidates
from facegauge.detectors import Network
from facegauge.errors import TrainingError
from facegauge.evaluate.detection import (
    Comparison,
    average_precision,
    best_threshold,
    compare,
    summarise,
)
from facegauge.train import runs
from facegauge.train.course import Course, fit
from facegauge.train.detector_losses import Truth, cells, losses
from facegauge.train.detector_network import DetectorNetwork, grow
from facegauge.train.detector_visits import Scenes
from facegauge.train.photographs import Photograph, read_backgrounds, read_photographs
from facegauge.train.recipe_detector import Detector, Scenery
from facegauge.train.runs import Run
from facegauge.train.scenes import Settings, Studio
from facegauge.train.starts import read_start
from facegauge.train.students import planes
from facegauge.values import Box, Face, Landmarks, Pixels

LEAST = 0.1
"""Confidence from which validation looks at detections, for the average precision."""
VALIDATED = 60
"""Photographs of each table that are validated on, at most."""


def train(
    chosen: Detector,
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
        data: a folder of tables of faces and their pictures (see ``photographs``).
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare scenes; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data or run folder are not usable.
    """
    photographs = read_photographs(data, chosen.tables, chosen.surest)
    backgrounds = read_backgrounds(data, chosen.backgrounds)
    learned = [each for each in photographs if not each.validation]
    if not any(each.sure.any() for each in learned):
        raise TrainingError(f"Expected sure faces for training in {data}, got none; see surest.")
    begun = network_of(chosen)
    if chosen.start:
        grow(begun, read_start(data / chosen.start))
    run = runs.started(out, chosen, resume)
    studio = Studio(learned, backgrounds, settings(chosen, learned))
    studio.shelf.fill(each.path for each in learned)
    learner = DetectorLearner(chosen, run, _validated(photographs), begun)
    fit(learner, Scenes(chosen, studio, workers), device)
    described = _described(photographs, backgrounds)
    threshold = learner.threshold(load_network(run))
    run.finish(data=described, best=learner.best(), threshold=threshold)
    return run


class DetectorLearner(Course):
    """The detector's losses, and its recall and landmark error on held-out photographs."""

    LOSSES = ("confidence", "box", "landmark")

    def __init__(
        self,
        chosen: Detector,
        run: Run,
        validated: list[Photograph],
        network: DetectorNetwork | None = None,
    ) -> None:
        super().__init__(chosen, network or network_of(chosen), run)
        self.recipe, self.validated = chosen, validated

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Confidence, box and landmark loss of one batch of scenes."""
        pixels = batch["pixels"]
        answers = self.network(planes(pixels).contiguous(memory_format=torch.channels_last))
        truth = Truth(**{key: batch[key] for key in ("boxes", "landmarks", "faces", "doubtful")})
        centres, strides = cells(pixels.shape[1], pixels.shape[2], pixels)
        found = losses(answers, truth, centres, strides)
        return {"confidence": found.confidence, "box": found.box, "landmark": found.landmark}

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the three losses."""
        located = self.recipe.box_weight * losses["box"]
        return losses["confidence"] + located + self.recipe.landmark_weight * losses["landmark"]

    def grade(self, network: nn.Module) -> dict[str, float]:
        """Average precision, recall, false faces and landmark error on held-out photographs.

        The landmark error is 1, the inter-eye distance, where no face is found.
        """
        pairs = list(zip(self._found(network), self.validated, strict=True))
        graded = [compared(faces, each, LEAST) for faces, each in pairs]
        at_half = summarise([compared(faces, each, 0.5) for faces, each in pairs])
        return {
            "average_precision": average_precision(graded),
            "recall": at_half.recall,
            "false": at_half.false,
            "landmark_error": float(np.nan_to_num(at_half.landmark_median, nan=1.0)),
        }

    def threshold(self, network: nn.Module) -> float:
        """The confidence that tells faces best on the held-out photographs, 0.1 .. 0.9."""
        pairs = zip(self._found(network), self.validated, strict=True)
        best = best_threshold([compared(faces, each, LEAST) for faces, each in pairs])
        return float(np.clip(np.nan_to_num(best, nan=0.5), 0.1, 0.9))

    def _found(self, network: nn.Module) -> list[list[Face]]:
        """What a network finds in the held-out photographs, sure or not."""
        looked = _network(network.eval(), self.recipe, self.device)
        seeker = detection.Detector(looked, confidence=LEAST)
        return [seeker.find(images.read(each.path).pixels) for each in self.validated]

    def merit(self, grades: dict[str, float]) -> float:
        """Landmark error and false faces a photograph minus recall, at confidence 0.5."""
        return grades["landmark_error"] + grades["false"] - grades["recall"]


def network_of(chosen: Detector) -> DetectorNetwork:
    """The network of a recipe, with fresh weights drawn by its seed."""
    torch.manual_seed(chosen.seed)
    network = DetectorNetwork(chosen.widths, chosen.depths, chosen.neck, chosen.head)
    return network.to(memory_format=torch.channels_last)


def load_network(run: Run) -> DetectorNetwork:
    """The best network of a run, ready to use."""
    network = network_of(run.detector())
    network.load_state_dict(load_file(run.weights))
    return network.eval()


def settings(chosen: Scenery, learned: list[Photograph]) -> Settings:
    """How scenes are drawn by a recipe."""
    tables = chosen.tables or tuple(sorted({each.table for each in learned}))
    padded = (*chosen.shares, *[chosen.shares[-1]] * len(tables))
    return Settings(
        mosaic=chosen.mosaic,
        empty=chosen.empty,
        degraded=chosen.degraded,
        covered=chosen.covered,
        upright=chosen.upright,
        defocused=chosen.defocused,
        hard=chosen.hard,
        tables=dict(zip(tables, padded, strict=False)),
    )


def _network(network: nn.Module, chosen: Detector, device: torch.device) -> Network:
    """A network in training as one that ``detection`` can use."""

    @torch.inference_mode()
    def look(pixels: Pixels) -> Candidates:
        found = network(planes(torch.from_numpy(pixels[None].copy()).to(device)))
        return Candidates(
            boxes=found.boxes[0].cpu().numpy(),
            landmarks=found.landmarks[0].cpu().numpy(),
            confidence=found.logits[0].sigmoid().cpu().numpy(),
        )

    return Network(
        name=chosen.name, look=look, confidence=LEAST, size=chosen.long_side, voting=True
    )


def _validated(photographs: list[Photograph]) -> list[Photograph]:
    """The first held-out photographs of each table."""
    chosen: dict[str, list[Photograph]] = {}
    for each in photographs:
        if each.validation:
            chosen.setdefault(each.table, []).append(each)
    return [each for table in chosen.values() for each in table[:VALIDATED]]


def compared(found: list[Face], photograph: Photograph, least: float) -> Comparison:
    """Detections of some confidence against the sure faces; doubtful ones are no error."""
    kept = [face for face in found if (face.confidence or 0.0) >= least]
    reference = [
        Face(
            box=Box(x0=box[0], y0=box[1], x1=box[2], y1=box[3]),
            landmarks=Landmarks.from_array(points),
        )
        for box, points in zip(photograph.boxes, photograph.landmarks, strict=True)
    ]
    return compare(kept, reference, required=photograph.sure.tolist())


def _described(photographs: list[Photograph], backgrounds: list[Photograph]) -> str:
    parts = []
    for table in sorted({each.table for each in photographs}):
        own = [each for each in photographs if each.table == table]
        held_out = sum(each.validation for each in own)
        faces = sum(int(each.sure.sum()) for each in own if not each.validation)
        parts.append(
            f"{table}: {len(own) - held_out} pictures with {faces} faces for training, {held_out} "
            "pictures held out for validation"
        )
    return "; ".join([*parts, f"{len(backgrounds)} pictures without faces"])
