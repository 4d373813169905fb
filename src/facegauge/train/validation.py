"""How good a network is on the people kept for validation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from facegauge.errors import InputError, TrainingError
from facegauge.evaluate.curves import Comparisons, compare_all
from facegauge.train.faces import UNKNOWN
from facegauge.train.students import planes
from facegauge.train.targets import Targets
from facegauge.train.views import Views

_GRADE_BATCH = 64
_FMR = 1e-3
_DISCARD = 0.3


class Validation:
    """Grades a network on the validation people: pAUC per recogniser, and rank correlation."""

    def __init__(self, views: Views, targets: Targets) -> None:
        faces = views.faces
        chosen = np.flatnonzero(faces.validation)
        self.aligned = np.stack([views.aligned(int(face), 0) for face in chosen])
        self.jittered = np.stack([views.jittered(int(face)) for face in chosen])
        self.labels = np.nanmean(targets.labels[chosen, 0], axis=1)
        named = faces.identities[chosen] != UNKNOWN
        self.named = np.flatnonzero(named)
        people = faces.identities[chosen][named]
        self.comparisons = [compared(e[chosen][named], people) for e in targets.embeddings]

    def grade(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean pAUC (lower is better) aligned and jittered, SRCC with the label (higher)."""
        aligned = raw_scores(network, self.aligned, device)
        jittered = raw_scores(network, self.jittered, device)
        return {
            "pauc_aligned": self._pauc(aligned),
            "pauc_jittered": self._pauc(jittered),
            "srcc": rank_correlation(jittered, self.labels),
        }

    def _pauc(self, raw: npt.NDArray[np.float32]) -> float:
        return mean_pauc(self.comparisons, raw[self.named])


def compared(embeddings: npt.NDArray[np.float32], people: npt.NDArray[np.int64]) -> Comparisons:
    """All pairs of the validation people, if they can tell a good score from a bad one."""
    try:
        pairs = compare_all(embeddings, people, fmr=_FMR)
    except InputError as error:
        raise TrainingError(f"Too few people for validation: {error}") from error
    if not (pairs.similarity < pairs.threshold).any():
        raise TrainingError(
            f"A recogniser makes no error on the {pairs.similarity.size} mated pairs of the "
            "validation people, so no score can be judged by them. Add people or harder pictures."
        )
    return pairs


def mean_pauc(comparisons: list[Comparisons], quality: npt.NDArray[np.floating]) -> float:
    """PAUC up to a discard of 0.3, the mean over recognisers, of a quality of each sample."""
    return float(np.mean([pairs.curve(quality).pauc(_DISCARD) for pairs in comparisons]))


def raw_scores(
    network: nn.Module, pixels: npt.NDArray[np.uint8], device: torch.device
) -> npt.NDArray[np.float32]:
    """Raw quality, N, of crops N×H×W×3, in float32 and without dropout."""
    network.eval()
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        parts = [
            network(planes(torch.from_numpy(pixels[start : start + _GRADE_BATCH]).to(device)))
            for start in range(0, len(pixels), _GRADE_BATCH)
        ]
    return torch.cat(parts).float().cpu().numpy()


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Spearman's correlation of two lists, -1..1; 0 when the first is constant."""
    from scipy.stats import spearmanr

    if np.ptp(np.asarray(first)) == 0:
        return 0.0  # a constant ranks nothing
    return float(spearmanr(first, second).statistic)
