"""The student of AI-KD: an embedding network, what stands on it, and how it is loaded again."""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facegauge.train.embedders import embedder
from facegauge.train.networks.heads import Mlp
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.runs import Run


class Distilled(nn.Module):
    """Grades planes with a quality of which the training labels span 0..1.

    Args:
        embedder: planes N×3×H×W -> embeddings N×width.
        width: of an embedding.
        hidden: width of the head's inner layer (AI-KD: 1024).
        widths: of the embeddings of the recognisers that are imitated. One of the same width is
            imitated by the embedding itself, others by a linear map of it, for training only.
    """

    def __init__(self, embedder: nn.Module, width: int, hidden: int, widths: list[int]) -> None:
        super().__init__()
        self.embedder = embedder
        self.head = Mlp(width, hidden)
        same = widths == [width]
        self.projections = nn.ModuleList(
            nn.Identity() if same else nn.Linear(width, each) for each in widths
        )

    def forward(self, image: Tensor) -> Tensor:
        """Raw quality N of planes N×3×H×W."""
        return self.head(self.embedder(image)).squeeze(1)

    def answers(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Raw quality N and embeddings N×width of planes N×3×H×W."""
        embeddings = self.embedder(image)
        return self.head(embeddings).squeeze(1), embeddings

    def imitations(self, embeddings: Tensor) -> list[Tensor]:
        """What is to be like each recogniser's embedding, N×D each, of embeddings N×width."""
        return [projection(embeddings) for projection in self.projections]


def distilled(chosen: AlignmentDistillation, widths: list[int]) -> Distilled:
    """The network of a recipe with fresh weights drawn by its seed.

    Raises:
        RecipeError: an unknown network.
    """
    torch.manual_seed(chosen.seed)
    body = embedder(chosen.network, chosen.width)
    return Distilled(body, chosen.width, chosen.head_width, widths)


def load_distilled(run: Run) -> Distilled:
    """The best network of a run, ready to use; what imitates recognisers is left out."""
    network = distilled(run.of_kind(AlignmentDistillation), [])
    stored = load_file(run.weights)
    network.load_state_dict({k: v for k, v in stored.items() if not k.startswith("projections.")})
    return network.eval()
