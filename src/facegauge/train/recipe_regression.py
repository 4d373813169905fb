"""The recipes ``sdd-fiqa``, ``faceqnet`` and ``difiqa-r``: a network repeats labels of faces."""

from __future__ import annotations

from dataclasses import dataclass

from facegauge.train.recipe import require
from facegauge.train.recipe_embedding import Embedding

LOSSES = ("smooth-l1", "mse", "l1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression(Embedding):
    """An embedding network and one linear layer that predict the labels of a table.

    The three techniques differ in where labels come from and in these values alone. Adam is AdamW
    without weight decay.
    """

    labels: str = "labels.csv"
    """Table ``path,label`` in the data folder, as ``facegauge label`` writes it; a path begins with
    the name of its table of landmarks, or is relative to the pictures of the only one."""
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    clip: float = 5.0
    loss: str = "smooth-l1"
    """smooth-l1, mse or l1, on labels of which the training faces span 0..1."""
    beta: float = 0.01
    """Where smooth-l1 turns from square to linear, as a share of the labels' range."""
    dropout: float = 0.0
    """Share of the embedding that a step leaves out before the last layer."""
    head_rate: float = 1.0
    """Learning rate of the last layer as a multiple of that of the embedding network."""
    trained: int = 0
    """So many weights (tensors) of the embedding network, the last ones, are trained; 0 is all."""

    def __post_init__(self) -> None:
        Embedding.__post_init__(self)
        require(self.optimiser == "adamw", "optimiser", "adamw", self.optimiser)
        require(bool(self.labels), "labels", "given", self.labels)
        require(self.loss in LOSSES, "loss", " or ".join(LOSSES), self.loss)
        for field in ("beta", "head_rate"):
            self._require_positive(field)
        self._require_shares("dropout")
        require(self.dropout < 1, "dropout", "below 1", self.dropout)
        self._require_amount("trained")


@dataclass(frozen=True, slots=True, kw_only=True)
class SddFiqa(Regression):
    """SDD-FIQA (Ou et al., CVPR 2021, arXiv 2103.05977): labels are distances of similarities.

    As published: IR-50 that begins with a recogniser's weights, width 512, dropout 0.5, smooth-L1
    with a beta of 1 on labels in 0..100, Adam 1e-4.
    """

    name: str = "sdd-fiqa"
    dropout: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQnet(Regression):
    """FaceQnet (Hernandez-Ortega et al., ICB 2019): labels are similarities to a good portrait.

    As published: ResNet-50 that begins with a recogniser's weights, crops of 224, MSE.
    """

    name: str = "faceqnet"
    loss: str = "mse"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifFiqaR(Regression):
    """DifFIQA(R) (Babnik et al., IJCB 2023, arXiv 2305.05768): labels are those of DifFIQA.

    As published: iResNet-100 that begins with a recogniser's weights, of which the last 100
    tensors are trained at 1e-4 and the last layer at 1e-3, L1 on min-max labels, batch 128, one
    turn over the faces. Set ``trained=100`` when there is a ``start``.
    """

    name: str = "difiqa-r"
    batch: int = 128
    loss: str = "l1"
    head_rate: float = 10.0
