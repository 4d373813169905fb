"""Synthetic degradations of an aligned crop: what cameras, light, links and hands do to a face.

One call draws one to three operations in the order in which a picture suffers them (light, optics,
sensor, something in front of the face, then the file format), each with a random strength.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from facegauge.train.distortions import (
    as_jpeg,
    blurred,
    exposed,
    noisy,
    shrunk,
    streaked,
    tinted,
    to_bytes,
)
from facegauge.values import Pixels

VERSION = 2
"""To be raised with any change of what is drawn: it is part of the name under which labels are
kept."""

Operation = Callable[[Pixels, np.random.Generator], Pixels]


def degrade(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """One random composition of one to three degradations: uint8 RGB, H×W×3 in and out."""
    count = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    chosen = np.sort(rng.choice(len(OPERATIONS), size=count, replace=False, p=_WEIGHTS))
    for index in chosen:
        pixels = OPERATIONS[index](pixels, rng)
    return pixels


def expose(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Too dark or too bright: a gamma of 1/3.5 .. 3.5 and a gain of 0.4 .. 1.5."""
    gamma = float(np.exp(rng.uniform(-1.25, 1.25)))
    gain = float(rng.uniform(0.4, 1.5))
    return exposed(pixels, gamma, gain)


def flatten_contrast(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Haze or back light: contrast shrinks to 20 .. 80 % around a grey level."""
    share, grey = float(rng.uniform(0.2, 0.8)), float(rng.uniform(60, 200))
    return to_bytes(pixels * share + grey * (1.0 - share))


def shade(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Light from one side: a linear fall-off across the face down to 5 .. 60 %."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    across = (xs * np.cos(angle) + ys * np.sin(angle)) * rng.uniform(1.0, 3.0)
    light = 1.0 / (1.0 + np.exp(-2.0 * across))
    floor = rng.uniform(0.05, 0.6)
    return to_bytes(pixels * (floor + (1.0 - floor) * light)[:, :, None])


def defocus(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Out of focus: Gaussian blur, sigma 0.5 .. 4 pixels of a 112-pixel crop."""
    sigma = float(np.exp(rng.uniform(np.log(0.5), np.log(4.0)))) * pixels.shape[1] / 112
    return blurred(pixels, sigma)


def shake(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Motion blur along a line of 3 .. 15 pixels of a 112-pixel crop, in any direction."""
    length = max(2, round(float(rng.uniform(3, 15)) * pixels.shape[1] / 112))
    return streaked(pixels, length, float(rng.uniform(0, np.pi)))


def shrink(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A small face: reduced to 10 .. 70 % of its side and enlarged again."""
    share = float(np.exp(rng.uniform(np.log(0.1), np.log(0.7))))
    return shrunk(pixels, share, cubic=not rng.random() < 0.5)


def add_noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Sensor noise: Gaussian, standard deviation 3 .. 40 grey levels, coloured or grey."""
    sigma = float(np.exp(rng.uniform(np.log(3.0), np.log(40.0))))
    channels = 3 if rng.random() < 0.6 else 1
    return noisy(pixels, sigma, channels, rng)


def cover(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Something in front of the face: a filled rectangle, ellipse or band, plain or textured."""
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), dtype=np.uint8)
    centre = (int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.1, 1.0) * height))
    axes = (int(rng.uniform(0.08, 0.4) * width), int(rng.uniform(0.08, 0.3) * height))
    if rng.random() < 0.5:
        cv2.ellipse(mask, centre, axes, float(rng.uniform(-30, 30)), 0, 360, 255, -1)
    else:
        corner, other = np.array(centre) - axes, np.array(centre) + axes
        cv2.rectangle(mask, tuple(map(int, corner)), tuple(map(int, other)), 255, -1)
    colour = rng.uniform(0, 255, 3)
    texture = rng.standard_normal((height, width, 1)) * rng.uniform(0, 30)
    covered = to_bytes(colour + cv2.GaussianBlur(texture, (0, 0), 2.0)[:, :, None])
    return np.where(mask[:, :, None] > 0, covered, pixels)


def cast_colour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A colour cast: gains of 0.6 .. 1.4 per channel, or no colour at all."""
    if rng.random() < 0.3:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.repeat(np.asarray(grey, dtype=np.uint8)[:, :, None], 3, axis=2)
    return tinted(pixels, rng.uniform(0.6, 1.4, 3))


def compress(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """JPEG at quality 3 .. 50."""
    quality = int(np.exp(rng.uniform(np.log(3.0), np.log(50.0))))
    return as_jpeg(pixels, quality)


OPERATIONS: tuple[Operation, ...] = (
    expose,
    flatten_contrast,
    shade,
    defocus,
    shake,
    shrink,
    add_noise,
    cover,
    cast_colour,
    compress,
)
_WEIGHTS = np.array([1.2, 0.6, 1.0, 1.2, 1.2, 1.5, 1.0, 2.0, 0.4, 0.8])
_WEIGHTS /= _WEIGHTS.sum()
