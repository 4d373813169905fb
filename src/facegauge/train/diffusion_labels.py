"""DifFIQA labels faces: a trained diffusion network disturbs them, a recogniser judges."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facegauge.errors import OptionError, TrainingError
from facegauge.train.diffusion import load_denoiser
from facegauge.train.diffusion_network import Denoiser
from facegauge.train.diffusion_quality import Disturbed, Embed, label_face
from facegauge.train.recipe_diffusion import DifFiqa
from facegauge.train.runs import Run
from facegauge.train.students import planes
from facegauge.values import Pixels

NOISED = 5
"""Time t of the schedule up to which a face is noised, as in the paper."""
REPEATS = 10
"""Times this is done with fresh noise, as in the paper."""


def label(
    run: Path,
    crops: Iterable[Pixels],
    embed: Embed,
    *,
    noised: int = NOISED,
    repeats: int = REPEATS,
    seed: int = 0,
    device: str = "cpu",
) -> Iterator[float]:
    """Labels of aligned crops S×S×3, one by one, -1..1, higher is better.

    The noise of a crop follows from seed and pixels alone: the same picture has the same label in
    any order and in any batch.

    Args:
        run: folder of a complete run of ``difiqa``.
        crops: uint8 RGB, as large as the run was trained on.
        embed: a recogniser, 2 + 4 repeats crops at a time, such as
            ``lambda crops: model.embed(crops).embedding`` of an opened model.
        noised: time t up to which a face is noised.
        repeats: how often.
        seed: of the noise.
        device: ``cpu`` or ``cuda``, of the diffusion network.

    Raises:
        TrainingError: no such run, or one that is not complete.
        OptionError: a time beyond the schedule, no repeats, or a crop of another size.
    """
    chosen = _complete(Run(folder=run))
    if not (0 <= noised < chosen.timesteps and repeats >= 1):
        raise OptionError(
            f"Expected noised in 0..{chosen.timesteps - 1} and repeats of 1 or more, got {noised} "
            f"and {repeats}. The paper has {NOISED} and {REPEATS}."
        )
    network = load_denoiser(Run(folder=run)).to(device)
    for crop in crops:
        if crop.shape != (chosen.size, chosen.size, 3):
            raise OptionError(
                f"Expected crops of {chosen.size}x{chosen.size}, as {run} was trained on, got "
                f"{'x'.join(map(str, crop.shape))}. Align to that size."
            )
        chance = Chance(seed, crop)
        yield label_face(crop, partial(disturbed, network, chance, noised, repeats), embed)


def _complete(run: Run) -> DifFiqa:
    chosen = run.of_kind(DifFiqa)
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
