"""The recipes ``cr-fiqa`` and ``magface``: learn to tell people apart, and how sure one can be.

Only named faces are learned from. A classifier tells the training people apart; the people held
out for validation say how well the embeddings separate persons that nobody has learned.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from facegauge.errors import TrainingError
from facegauge.train import margins, runs, separation, starts
from facegauge.train.course import Course, fit
from facegauge.train.embedders import embedder
from facegauge.train.faces import UNKNOWN, Faces, read_faces
from facegauge.train.portraits import Portraits, Sight
from facegauge.train.quality_heads import Certain, Graded, certainty_ratio, ratio_loss
from facegauge.train.recipe_embedding import CrFiqa, Embedding, MagFace
from facegauge.train.reference import complete, require_enough
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.train.validation import rank_correlation
from facegauge.train.visits import Legs

FMR = 1e-3
"""False match rate at which the share of matched pairs is stated."""
_GRADE_BATCH = 64


def train(
    chosen: CrFiqa | MagFace,
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
        data: a folder of landmark tables with identities and their pictures (see ``faces``).
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data or run folder are not usable.
        RecipeError: an unknown network.
    """
    faces = read_faces(data, chosen.tables)
    require_enough(faces)
    learned = np.flatnonzero(~faces.validation & (faces.identities != UNKNOWN))
    names, people = np.unique(faces.identities[learned], return_inverse=True)
    if len(names) < 2:
        raise TrainingError(
            f"Expected two or more named people for training in {data}, got {len(names)}. Fill in "
            "the column identity."
        )
    network = graded(chosen, people=len(names))
    begin_with(network, chosen, data)
    sight = sight_of(chosen)
    held = Held(faces, sight)
    if chosen.start and not Run(folder=out).state.is_file():  # which has the centres already
        imprint(network, people, (sight.clean(faces, int(face)) for face in learned))
    run = runs.started(out, chosen, resume)
    kind = CrFiqaLearner if isinstance(chosen, CrFiqa) else MagFaceLearner
    learner = kind(chosen, network, run, held)
    portraits = Portraits(faces, learned, sight, {"people": people})
    fit(learner, Legs(chosen, portraits, workers), device)
    complete(run, data, faces, sight, load_graded(run), learner.best())
    return run


class Held:
    """The named faces that are held out: their crops, and what embeddings of them are worth."""

    def __init__(self, faces: Faces, sight: Sight) -> None:
        chosen = np.flatnonzero(faces.validation & (faces.identities != UNKNOWN))
        self.people = faces.identities[chosen]
        counts = np.unique(self.people, return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            raise TrainingError(
                "Expected two or more named people for validation, one of them with two pictures, "
                f"got {len(counts)} people with {counts.max(initial=0)} pictures at most."
            )
        self.crops = np.stack([sight.clean(faces, int(face)) for face in chosen])

    def grade(self, network: Graded, device: torch.device) -> dict[str, float]:
        """AUC and TMR of all pairs, rank correlation of raw with the cosine to the own centre."""
        embeddings, raw = embedded(network, self.crops, device)
        mated, others = separation.pair_cosines(embeddings, self.people)
        near = separation.own_centre_cosines(embeddings, self.people)
        known = np.isfinite(near)
        return {
            "auc": separation.area_under_roc(mated, others),
            "tmr": separation.true_match_rate(mated, others, FMR),
            "srcc_centre": rank_correlation(raw[known], near[known]),
        }


class EmbeddingLearner(Course):
    """A network and a classifier of people; the best weights separate held-out people best."""

    network: Graded

    def __init__(self, chosen: Embedding, network: Graded, run: Run, held: Held) -> None:
        super().__init__(chosen, network, run)
        self.held = held

    def training_losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of pixels N×S×S×3 with their people N."""
        embeddings, raw = self.network.answers(planes(batch["pixels"]))
        cosine = margins.cosines(embeddings, self.network.centres)
        return self.losses(cosine, raw, batch["people"])

    @abstractmethod
    def losses(self, cosine: Tensor, raw: Tensor, people: Tensor) -> dict[str, Tensor]:
        """The losses of cosines N×P, raw qualities N and people N."""

    def grade(self, network: Graded) -> dict[str, float]:
        """How well held-out people are separated, see ``Held``."""
        return self.held.grade(network, self.device)

    def merit(self, grades: dict[str, float]) -> float:
        """One minus the area under the ROC."""
        return 1.0 - grades["auc"]


class CrFiqaLearner(EmbeddingLearner):
    """ArcFace, and the smooth-L1 distance to the certainty ratio."""

    LOSSES = ("classification", "quality")
    chosen: CrFiqa

    def losses(self, cosine: Tensor, raw: Tensor, people: Tensor) -> dict[str, Tensor]:
        """Cross entropy of ArcFace's logits, and the quality loss."""
        chosen = self.chosen
        logits = margins.arcface_logits(cosine, people, chosen.margin, chosen.scale)
        ratio = certainty_ratio(cosine, people)
        return {
            "classification": functional.cross_entropy(logits, people),
            "quality": ratio_loss(raw, ratio, chosen.quality_beta),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Classification plus the weighted quality loss."""
        return losses["classification"] + self.chosen.quality_weight * losses["quality"]


class MagFaceLearner(EmbeddingLearner):
    """ArcFace with a margin that grows with the length of the embedding, and its penalty."""

    LOSSES = ("classification", "penalty")
    chosen: MagFace

    def losses(self, cosine: Tensor, raw: Tensor, people: Tensor) -> dict[str, Tensor]:
        """Cross entropy of MagFace's logits, and the penalty on short embeddings."""
        chosen = self.chosen
        ends = (chosen.shortest, chosen.longest)
        margin = margins.magface_margin(raw, *ends, chosen.least_margin, chosen.most_margin)
        logits = margins.magface_logits(cosine, people, margin, chosen.scale)
        return {
            "classification": functional.cross_entropy(logits, people),
            "penalty": margins.length_penalty(raw, *ends),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Classification plus the weighted penalty."""
        return losses["classification"] + self.chosen.penalty_weight * losses["penalty"]


def graded(chosen: Embedding, people: int) -> Graded:
    """The network of a recipe with fresh weights drawn by its seed.

    Raises:
        RecipeError: an unknown network.
    """
    torch.manual_seed(chosen.seed)
    kind = Certain if isinstance(chosen, CrFiqa) else Graded
    return kind(embedder(chosen.network, chosen.width), chosen.width, people)


def load_graded(run: Run) -> Graded:
    """The best network of a run, ready to use; the people it was trained on are left out."""
    chosen = run.of_kind(Embedding)
    network = graded(chosen, people=0)
    stored = load_file(run.weights)
    network.load_state_dict({key: value for key, value in stored.items() if key != "centres"})
    return network.eval()


def begin_with(network: nn.Module, chosen: Embedding, data: Path) -> None:
    """Take the embedding network over from the weights that the recipe names, if it does.

    Raises:
        TrainingError: no such file, or weights of another network.
    """
    if chosen.start:
        described = f"the network {chosen.network} with the width {chosen.width}"
        starts.begin_with(network.get_submodule("embedder"), data / chosen.start, described)


def imprint(
    network: Graded, people: npt.NDArray[np.int64], crops: Iterable[npt.NDArray[np.uint8]]
) -> None:
    """Put each person's centre where the network sees the person, as the mean of unit embeddings.

    A classifier with random centres tells nothing of how near a face is to its own. Source: Qi et
    al., "Low-Shot Learning with Imprinted Weights", CVPR 2018.

    Args:
        network: a recogniser that knows faces already.
        people: numbers of the N people, 0..P-1.
        crops: their N crops, uint8 RGB S×S×3.
    """
    sums = torch.zeros(network.centres.shape)
    cpu, pairs = torch.device("cpu"), zip(crops, people.tolist(), strict=True)
    while part := list(islice(pairs, _GRADE_BATCH)):
        found, _ = embedded(network, np.stack([crop for crop, _ in part]), cpu)
        sums.index_add_(0, torch.tensor([person for _, person in part]), torch.from_numpy(found))
    with torch.no_grad():
        network.centres.copy_(functional.normalize(sums, dim=1))


def sight_of(chosen: Embedding) -> Sight:
    """How a recipe cuts faces."""
    return Sight(size=chosen.size, seed=chosen.seed, jitter=chosen.jitter, degraded=chosen.degraded)


def embedded(
    network: Graded, pixels: npt.NDArray[np.uint8], device: torch.device
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Unit embeddings N×D and raw quality N of crops N×S×S×3, in float32."""
    network.eval()
    embeddings, raw = [], []
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        for start in range(0, len(pixels), _GRADE_BATCH):
            part = torch.from_numpy(pixels[start : start + _GRADE_BATCH]).to(device)
            found, quality = network.answers(planes(part))
            embeddings.append(functional.normalize(found.float(), dim=1).cpu())
            raw.append(quality.float().cpu())
    return torch.cat(embeddings).numpy(), torch.cat(raw).numpy()
