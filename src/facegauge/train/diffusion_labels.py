"""DifFIQA's half that needs torch: a trained diffusion network noises faces and restores them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facegauge.errors import OptionError, TrainingError
from facegauge.techniques.difiqa import DifFiqa, Disturb, Disturbed
from facegauge.train import recipe_diffusion
from facegauge.train.diffusion import load_denoiser
from facegauge.train.diffusion_network import Denoiser
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.values import Pixels


def disturber(run: Path, constants: DifFiqa, seed: int = 0, device: str = "cpu") -> Disturb:
    """The trained diffusion network of a run, as the technique asks for it.

    The noise of a crop follows from seed and pixels alone: the same picture has the same label in
    any order and in any batch.

    Args:
        run: folder of a complete run of ``difiqa``.
        constants: up to which time faces are noised, and how often.
        seed: of the noise.
        device: ``cpu`` or ``cuda``, of the diffusion network.

    Raises:
        TrainingError: no such run, or one that is not complete.
        OptionError: a time beyond the schedule; later, a crop of another size than the run's.
    """
    chosen = _complete(Run(folder=run))
    if constants.noised >= chosen.timesteps:
        raise OptionError(
            f"Expected noised in 0..{chosen.timesteps - 1}, the schedule of {run}, got "
            f"{constants.noised}. The paper has {DifFiqa().noised}."
        )
    network = load_denoiser(Run(folder=run)).to(device)

    def disturb(crop: Pixels) -> Callable[[Pixels], Disturbed]:
        if crop.shape != (chosen.size, chosen.size, 3):
            raise OptionError(
                f"Expected crops of {chosen.size}x{chosen.size}, as {run} was trained on, got "
                f"{'x'.join(map(str, crop.shape))}. Take a recogniser of that size."
            )
        chance = Chance(seed, crop)
        return partial(disturbed, network, chance, constants.noised, constants.repeats)

    return disturb


def _complete(run: Run) -> recipe_diffusion.DifFiqa:
    chosen = run.of_kind(recipe_diffusion.DifFiqa)
    if not run.facts().get("complete"):
        raise TrainingError(
            f"Expected a complete run in {run.folder}, got {run.facts().get('legs', 0)} of "
            f"{chosen.legs} legs. Go on with: facegauge train difiqa --out {run.folder} --resume"
        )
    return chosen


class Chance:
    """Standard normal numbers for one picture, which follow from a seed and its pixels."""

    def __init__(self, seed: int, crop: Pixels) -> None:
        mixed = zlib.crc32(crop.tobytes(), zlib.crc32(str(seed).encode()))
        self.generator = torch.Generator().manual_seed(mixed)  # of which 32 bits count

    def like(self, pictures: Tensor) -> Tensor:
        """Numbers in the shape and place of pictures."""
        return torch.randn(pictures.shape, generator=self.generator).to(pictures)


def disturbed(
    network: Denoiser, chance: Chance, noised: int, repeats: int, face: Pixels
) -> Disturbed:
    """A crop S×S×3 noised up to time ``noised`` and restored from there, ``repeats`` times.

    The recogniser sees pictures of 256 levels, so both are rounded to them.
    """
    device = next(network.parameters()).device
    clean = planes(torch.from_numpy(face[None].copy()).to(device))
    clean = clean.repeat(repeats, 1, 1, 1)  # (R, 3, S, S)
    times = torch.full((repeats,), noised, device=device)
    noisy = network.noised(clean, times, chance.like(clean))
    restored = network.restored(noisy, noised, [chance.like(clean) for _ in range(noised)])
    return Disturbed(noised=pixels_of(noisy), restored=pixels_of(restored))


def pixels_of(pictures: Tensor) -> Pixels:
    """Planes N×3×S×S in -1..1 as uint8 N×S×S×3, the reverse of ``planes``."""
    levels = (pictures * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
