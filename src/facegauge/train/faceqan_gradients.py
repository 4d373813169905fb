"""The half of FaceQAN that needs gradients: small noise that climbs against a recogniser.

See facegauge.techniques.faceqan for the formula, the constants and their source.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facegauge.conventions import Preprocessing
from facegauge.techniques.faceqan import Attacked, FaceQan
from facegauge.train.onnx_torch import PlanesInOnnx
from facegauge.values import Pixels


class NetworkAttack:
    """Attacks crops through any network of planes RGB in 0..1, N×3×S×S, to embeddings N×D.

    Args:
        network: put into evaluation mode here; its weights are not changed.
        constants: copies, steps, epsilon and the range planes are clipped to.
        device: where the network runs, ``cpu`` or ``cuda``.
    """

    def __init__(self, network: nn.Module, constants: FaceQan, device: str = "cpu") -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.constants = constants
        self.device = device

    def __call__(self, crop: Pixels, rng: np.random.Generator) -> Attacked:
        """Climb from noisy copies of one crop, uint8 RGB S×S×3."""
        pixels = torch.from_numpy(np.ascontiguousarray(crop)).to(self.device)
        planes = pixels.permute(2, 0, 1)[None].to(torch.float32) / 255.0  # (1, 3, S, S)
        with torch.no_grad():
            clean, mirrored = self.network(torch.cat([planes, planes.flip(3)]))
        cosines = self._climbed(self._noisy(planes, rng), clean[None])
        return Attacked(
            similarities=torch.stack(cosines).cpu().numpy().astype(np.float64),
            symmetry=float(_cosine(clean[None], mirrored[None])),
        )

    def _noisy(self, planes: Tensor, rng: np.random.Generator) -> Tensor:
        """Copies with uniform noise, (copies, 3, S, S)."""
        epsilon, shape = self.constants.epsilon, (self.constants.copies, *planes.shape[1:])
        noise = rng.uniform(-epsilon, epsilon, shape).astype(np.float32)
        return self._clipped(planes + torch.from_numpy(noise).to(self.device))

    def _climbed(self, noisy: Tensor, clean: Tensor) -> list[Tensor]:
        """Cosines before each step, (copies,) each; the loss is 1 - cosine, averaged."""
        found = []
        for _ in range(self.constants.steps):
            noisy = noisy.detach().requires_grad_(True)
            cosine = _cosine(self.network(noisy), clean)
            [gradient] = torch.autograd.grad((1.0 - cosine).mean(), noisy)
            found.append(cosine.detach())
            noisy = self._clipped(noisy + self.constants.epsilon * gradient.sign())
        return found

    def _clipped(self, planes: Tensor) -> Tensor:
        return planes.clamp(self.constants.low, self.constants.high)


class Fed(nn.Module):
    """A bare network behind its own preprocessing: planes RGB in 0..1 in, embeddings out."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network, self.bgr = network, preprocessing.bgr
        for name in ("mean", "std"):
            values = torch.tensor(getattr(preprocessing, name)).reshape(1, 3, 1, 1)
            self.register_buffer(name, values)

    def forward(self, planes: Tensor) -> Tensor:
        """What the network answers, N×D."""
        ordered = planes.flip(1) if self.bgr else planes
        return self.network((255.0 * ordered - self.mean) / self.std)


def attacker(recogniser: Path, constants: FaceQan, device: str = "cpu") -> NetworkAttack:
    """The attack on a wrapped recogniser's file.

    Raises:
        ModelError: the file holds an operator that torch does not run here.
    """
    return NetworkAttack(PlanesInOnnx(recogniser), constants, device)


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    """Cosine of rows; nan where one is zero, which has no direction."""
    lengths = first.norm(dim=1) * second.norm(dim=1)
    cosine = functional.cosine_similarity(first, second)
    return torch.where(lengths > 0, cosine, torch.nan)
