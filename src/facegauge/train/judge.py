"""The recipe ``judge``: learn to tell faces from what a finished detector takes for faces.

First the detector's finds in scenes and photographs are collected, once; then the judge learns from
them. What is collected and which of it is seen when follow from the seed alone, so a run that was
killed and resumed is the run that was not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from facegauge import detection, detectors, images, judging, models
from facegauge.detectors import Floats, Network
from facegauge.evaluate.detection import threshold_at
from facegauge.train import runs
from facegauge.train.course import Course, fit
from facegauge.train.detector import compared, settings
from facegauge.train.judge_network import UNIT, JudgeNetwork, Verdicts, begin
from facegauge.train.judge_visits import Visits, middle
from facegauge.train.photographs import Photograph, read_backgrounds, read_photographs
from facegauge.train.recipe_judge import Judge
from facegauge.train.runs import Run
from facegauge.train.scenes import Studio
from facegauge.train.starts import read_start
from facegauge.train.students import planes
from facegauge.train.suspects import WIDE, Seeker, Suspects, stored
from facegauge.values import Pixels

BETA = 0.01
"""Where the losses of box and landmarks turn from square to linear, in units of the face's size."""
FALSE = 0.018
"""False faces a photograph that the threshold allows: a fiftieth is the aim, and weights stored in
half their size may bring one more candidate across it."""
DETECTOR = "detector.onnx"
"""The detector that is judged, as a file in the run's folder."""
BATCH = 256
"""Squares that are validated at once."""


def train(
    chosen: Judge,
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
        workers: processes that prepare squares; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data or run folder are not usable.
        ModelNotFound: no such detector.
    """
    photographs = read_photographs(data, chosen.tables, chosen.surest)
    table = chosen.tables[0] if chosen.tables else photographs[0].table
    source = models.locate(detector_of(chosen, data))
    begun = network_of(chosen)
    if chosen.start:
        begin(begun, read_start(data / chosen.start))
    run = runs.started(out, chosen, resume)
    if not (run.folder / DETECTOR).is_file():
        shutil.copyfile(source, run.folder / DETECTOR)
    learned, held = _collected(chosen, data, run, photographs, table)
    learner = JudgeLearner(chosen, run, held, begun)
    fit(learner, Visits(chosen, learned, workers), device)
    network = asking(detectors.open(run.folder / DETECTOR), load_judge(run), chosen.weight)
    threshold = threshold_of(network, [each for each in photographs if each.table == table])
    run.finish(data=_described(learned, held), best=learner.best(), threshold=threshold)
    return run


def detector_of(chosen: Judge, data: Path) -> str | Path:
    """The detector that a recipe names: a file in the data folder, or an embedded one."""
    stored = data / chosen.detector
    return stored if stored.is_file() else chosen.detector


class JudgeLearner(Course):
    """The judge's losses, and how well it tells and places held-out faces."""

    LOSSES = ("confidence", "box", "landmark")

    def __init__(
        self, chosen: Judge, run: Run, held: Suspects, network: JudgeNetwork | None = None
    ) -> None:
        super().__init__(chosen, network or network_of(chosen), run)
        self.recipe, self.held = chosen, held

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Confidence, box and landmark loss of one batch of squares."""
        shown = planes(batch["pixels"]).contiguous(memory_format=torch.channels_last)
        said, face = self.network(shown), batch["face"]
        confidence = functional.binary_cross_entropy_with_logits(said.logits, face)
        return {
            "confidence": confidence,
            "box": _apart(said.boxes, batch["boxes"], face),
            "landmark": _apart(said.landmarks, batch["landmarks"], face),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the three losses."""
        located = self.recipe.box_weight * losses["box"]
        return losses["confidence"] + located + self.recipe.landmark_weight * losses["landmark"]

    def grade(self, network: nn.Module) -> dict[str, float]:
        """How well held-out suspects are told apart, with the detector's word, and placed.

        ``missed``: share of the faces that are less sure than the surest fiftieth of the others;
        ``landmark_error``: median, in units of the inter-eye distance.
        """
        said = verdicts(network.eval(), middle(self.held.pixels), self.device)
        return graded(said, self.held, self.recipe.weight)

    def merit(self, grades: dict[str, float]) -> float:
        """Missed faces: landmarks are learned for their sake."""
        return grades["missed"]


def graded(said: Verdicts, held: Suspects, weight: float) -> dict[str, float]:
    """How well verdicts on suspects are right, see ``JudgeLearner.grade``."""
    evidence, face = weight * said.logits.numpy() + held.logits, held.face > 0
    bar = np.quantile(evidence[~face], 0.98) if (~face).any() else -np.inf
    edge = (WIDE - middle(held.pixels[:1]).shape[1]) / 2
    known = held.landmarks[face] - edge
    apart = np.linalg.norm(said.landmarks.numpy().reshape(-1, 5, 2)[face] - known, axis=2).mean(1)
    eyes = np.linalg.norm(known[:, 1] - known[:, 0], axis=1)
    return {
        "missed": float((evidence[face] <= bar).mean()),
        "landmark_error": float(np.median(apart / np.maximum(eyes, 1e-6))),
    }


@torch.inference_mode()
def verdicts(network: nn.Module, pixels: np.ndarray, device: torch.device) -> Verdicts:
    """What a judge says of squares, uint8 N×S×S×3, on the CPU."""
    parts = []
    for start in range(0, len(pixels), BATCH):
        shown = planes(torch.from_numpy(pixels[start : start + BATCH]).to(device))
        parts.append(network(shown.contiguous(memory_format=torch.channels_last)))
    return Verdicts(
        logits=torch.cat([part.logits for part in parts]).cpu(),
        boxes=torch.cat([part.boxes for part in parts]).cpu(),
        landmarks=torch.cat([part.landmarks for part in parts]).cpu(),
    )


def network_of(chosen: Judge) -> JudgeNetwork:
    """The network of a recipe, with fresh weights drawn by its seed."""
    torch.manual_seed(chosen.seed)
    network = JudgeNetwork(chosen.widths, chosen.depths, chosen.gathered, chosen.hidden)
    return network.to(memory_format=torch.channels_last)


def load_judge(run: Run) -> JudgeNetwork:
    """The best network of a run, ready to use."""
    network = network_of(run.of_kind(Judge))
    network.load_state_dict(load_file(run.weights))
    return network.eval()


def asking(network: Network, judge: JudgeNetwork, weight: float) -> Network:
    """A detector's network with a judge that may not be in a file yet."""

    def confidences(squares: Pixels) -> Floats:
        said = verdicts(judge, squares, torch.device("cpu"))
        return np.asarray((weight * said.logits).sigmoid().numpy())

    return replace(network, judge=confidences)


def threshold_of(network: Network, photographs: list[Photograph]) -> float:
    """The confidence, of detector and judge together, that allows so many false faces."""
    seeker = detection.Detector(network, confidence=judging.LEAST)
    found = [seeker.find(images.read(each.path).pixels) for each in photographs]
    pairs = zip(found, photographs, strict=True)
    limit = threshold_at([compared(faces, each, 0.0) for faces, each in pairs], FALSE)
    return float(np.clip(limit, 0.01, 0.99))


def _apart(said: Tensor, known: Tensor, face: Tensor) -> Tensor:
    """Smooth L1 of the faces' coordinates, in units of the face's size."""
    offset = (said - known) / UNIT
    each = functional.smooth_l1_loss(offset, torch.zeros_like(offset), beta=BETA, reduction="none")
    return (each.mean(1) * face).sum() / face.sum().clamp(min=1.0)


def _collected(
    chosen: Judge, data: Path, run: Run, photographs: list[Photograph], table: str
) -> tuple[Suspects, Suspects]:
    """Suspects to learn from and those of held-out photographs, kept in the run's folder."""
    network = replace(detectors.open(run.folder / DETECTOR), judge=None)
    learned = [each for each in photographs if not each.validation]
    held = [each for each in photographs if each.validation]
    backgrounds = read_backgrounds(data, chosen.backgrounds)
    studio = Studio(learned, backgrounds, settings(chosen, learned))
    seeker = Seeker(network=network, least=chosen.least, seed=chosen.seed)

    def of_photographs(some: list[Photograph]) -> Iterator[Suspects]:
        whole = [each for each in some if each.table == table]
        return seeker.in_photographs(whole, studio.shelf)

    def of_both() -> Iterator[Suspects]:
        yield from of_photographs(learned)
        yield from seeker.in_scenes(studio, chosen.scenes)

    return (
        stored(run.folder / "learned.npz", of_both),
        stored(run.folder / "held.npz", lambda: of_photographs(held)),
    )


def _described(learned: Suspects, held: Suspects) -> str:
    faces = int(learned.face.sum())
    return (
        f"judge: {faces} faces and {len(learned) - faces} others that the detector found, or might "
        f"have, and {len(held)} finds in held-out photographs"
    )
