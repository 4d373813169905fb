"""The diffusion network of ``difiqa``: noise goes in by a cosine schedule and is taken out again.

U-Net and schedule are those of the library diffusers, which only this module knows.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from facegauge.errors import MissingExtra
from facegauge.train.recipe_diffusion import DifFiqa


class Denoiser(nn.Module):
    """A U-Net that predicts the clean picture x0 of a noisy one, and the schedule of the noise."""

    def __init__(self, chosen: DifFiqa) -> None:
        super().__init__()
        diffusers = require_diffusers()
        count = len(chosen.multiples)
        self.network = diffusers.UNet2DModel(
            sample_size=chosen.size,
            in_channels=3,
            out_channels=3,
            block_out_channels=tuple(chosen.dim * each for each in chosen.multiples),
            down_block_types=("DownBlock2D",) * count,
            up_block_types=("UpBlock2D",) * count,
            layers_per_block=chosen.blocks,
            norm_num_groups=8,
        )
        self.schedule = diffusers.DDPMScheduler(
            num_train_timesteps=chosen.timesteps,
            beta_schedule="squaredcos_cap_v2",  # Nichol and Dhariwal 2021, equation 17
            prediction_type="sample",
            variance_type="fixed_small",
            clip_sample=True,
        )

    def forward(self, noisy: Tensor, times: Tensor) -> Tensor:
        """The clean pictures of noisy ones N×3×S×S in -1..1, at times N of the schedule."""
        return self.network(noisy, times).sample

    def noised(self, pictures: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """x_t = sqrt(a_t) x + sqrt(1 - a_t) noise, N×3×S×S, at times N.

        Source: DDPM (Ho et al. 2020, arXiv 2006.11239), equation 4.
        """
        return self.schedule.add_noise(pictures, noise, times)

    @torch.no_grad()
    def restored(self, noisy: Tensor, time: int, noise: list[Tensor]) -> Tensor:
        """x^ in -1..1 of pictures N×3×S×S that have the noise of ``time``.

        Args:
            noisy: the pictures.
            time: the chain goes through time, time - 1, ..., 0.
            noise: standard normal numbers for all of these but the last, ``time`` tensors.

        Source: DDPM, algorithm 2 and equation 7, with the predicted x0 kept within -1..1.
        """
        for step, now in enumerate(range(time, -1, -1)):
            times = torch.full((len(noisy),), now, device=noisy.device)
            clean = self(noisy, times).clamp(-1.0, 1.0)
            noisy = self._stepped(clean, noisy, now, noise[step]) if now else clean
        return noisy

    def _stepped(self, clean: Tensor, noisy: Tensor, now: int, noise: Tensor) -> Tensor:
        """x_{t-1} drawn from what is left possible by x_t and the predicted x0."""
        left = self.schedule.alphas_cumprod.to(noisy.device)
        this, before = left[now], left[now - 1]
        beta = 1.0 - this / before
        mean = before.sqrt() * beta / (1.0 - this) * clean
        mean = mean + (this / before).sqrt() * (1.0 - before) / (1.0 - this) * noisy
        return mean + (beta * (1.0 - before) / (1.0 - this)).sqrt() * noise


def require_diffusers() -> Any:
    """The library diffusers, which only this recipe needs.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("diffusers")
    except ImportError as error:
        raise MissingExtra("The recipe difiqa", "train", "diffusers") from error
