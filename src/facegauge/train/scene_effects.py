"""What befalls a training picture: blur, noise, light, compression, covers and paint."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facegauge.train import degradation, distortions
from facegauge.values import Pixels

Numbers = npt.NDArray[np.float64]


def degrade(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """One to three mild degradations of a whole scene: uint8 RGB in and out."""
    chosen = np.sort(rng.choice(len(OPERATIONS), size=int(rng.integers(1, 4)), replace=False))
    for index in chosen:
        pixels = OPERATIONS[index](pixels, rng)
    return pixels


def cover(pixels: Pixels, box: Numbers, rng: np.random.Generator) -> None:
    """Cover a part of a face in place: its lower half, its eyes, or any part."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    kind = rng.integers(3)
    if kind == 0:
        low, high = y0 + height * rng.uniform(0.5, 0.65), y1
        paint(pixels, x0, low, x1, high, rng)
    elif kind == 1:
        middle = y0 + height * 0.4
        paint(pixels, x0, middle - height * 0.12, x1, middle + height * 0.1, rng)
    else:
        x, y = x0 + width * rng.uniform(0, 1), y0 + height * rng.uniform(0, 1)
        half = rng.uniform(0.1, 0.3, 2) * (width, height)
        paint(pixels, x - half[0], y - half[1], x + half[0], y + half[1], rng)


def defocus(pixels: Pixels, apart: float, rng: np.random.Generator) -> Pixels:
    """A background out of focus: Gaussian blur, sigma 2 .. 12 % of the inter-eye distance."""
    sigma = max(0.3, float(rng.uniform(0.02, 0.12)) * apart)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8)


def emboss(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A relief of the picture, as on a coin: lit from one side, in shades of one colour."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.6, 1.8)))
    down, across = np.gradient(height)
    angle = rng.uniform(0, 2 * np.pi)
    lit = across * np.cos(angle) + down * np.sin(angle)
    strength = rng.uniform(15, 50) / max(float(lit.std()), 1e-3)
    tint = rng.uniform(60, 200) * (1.0 + rng.uniform(-0.25, 0.25, 3) * (rng.random() < 0.5))
    shaded = tint + strength * lit[:, :, None] + rng.uniform(0, 0.3) * (grey[:, :, None] - 128)
    return np.clip(shaded, 0, 255).astype(np.uint8)


def paint(
    pixels: Pixels, x0: float, y0: float, x1: float, y1: float, rng: np.random.Generator
) -> None:
    """Fill a rectangle in place: one colour, or soft noise in colour or grey."""
    height, width = pixels.shape[:2]
    left, right = int(np.clip(x0, 0, width)), int(np.clip(np.ceil(x1), 0, width))
    top, bottom = int(np.clip(y0, 0, height)), int(np.clip(np.ceil(y1), 0, height))
    if right <= left or bottom <= top:
        return
    area, colour = pixels[top:bottom, left:right], rng.uniform(0, 255, 3)
    kind = rng.integers(3)
    if kind == 0:
        area[:] = colour.astype(np.uint8)
        return
    coarse = max(2, int(rng.integers(2, 12)))
    noise = rng.uniform(-60, 60, (coarse, coarse, 3)).astype(np.float32)
    if kind == 1:
        noise = noise.mean(axis=2, keepdims=True).repeat(3, axis=2)
    soft = cv2.resize(noise, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    area[:] = np.clip(colour + soft, 0, 255).astype(np.uint8)


def _blur(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    sigma = float(rng.uniform(0.5, 2.5))
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8)


def _noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Sensor noise, standard deviation 2 .. 20 grey levels, grey."""
    noise = np.empty(pixels.shape[:2], dtype=np.float32)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(noise, np.zeros(1), rng.uniform(2, 20, 1))
    return np.clip(pixels + noise[:, :, None], 0, 255).astype(np.uint8)


def _compress(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return distortions.as_jpeg(pixels, int(rng.uniform(15, 80)))


OPERATIONS: tuple[degradation.Operation, ...] = (
    degradation.expose,
    degradation.flatten_contrast,
    degradation.shade,
    _blur,
    _noise,
    degradation.cast_colour,
    _compress,
)
