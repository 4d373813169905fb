"""What cameras, hands, links and files do to a picture, each at a strength that is given.

Every function takes and gives uint8 RGB H×W×3. Which strength is drawn when is the matter of
``degradation`` (compositions of random strength) and ``operations`` (known severities).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facegauge.values import Pixels


def exposed(pixels: Pixels, gamma: float, gain: float) -> Pixels:
    """Levels 0..1 to the power ``gamma``, times ``gain``; what is above 1 is lost."""
    levels = np.linspace(0.0, 1.0, 256) ** gamma * gain
    return np.asarray(cv2.LUT(pixels, to_bytes(levels * 255.0)), dtype=np.uint8)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Out of focus: a Gaussian of ``sigma`` pixels."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8)


def streaked(pixels: Pixels, length: int, angle: float) -> Pixels:
    """Moved during exposure: the mean along a line of ``length`` pixels at ``angle`` (radians)."""
    kernel = np.zeros((length, length), dtype=np.float32)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = (np.round(middle + sign * reach).astype(int) for sign in (-1, 1))
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), dtype=np.uint8)


def shrunk(pixels: Pixels, share: float, cubic: bool) -> Pixels:
    """Reduced to a ``share`` of its sides and enlarged again, by cubic or linear interpolation."""
    height, width = pixels.shape[:2]
    size = (max(4, round(width * share)), max(4, round(height * share)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    kind = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, (width, height), interpolation=kind), dtype=np.uint8)


def noisy(pixels: Pixels, sigma: float, channels: int, rng: np.random.Generator) -> Pixels:
    """Gaussian noise, ``sigma`` grey levels, of 3 colours or of 1 channel, which is grey."""
    noise = rng.standard_normal((*pixels.shape[:2], channels), dtype=np.float32)
    return to_bytes(pixels + sigma * noise)


def in_low_light(
    pixels: Pixels, photons: float, brightness: float, rng: np.random.Generator
) -> Pixels:
    """Few photons: white is counted as ``photons`` of them, and shown at ``brightness`` 0..1."""
    counted = rng.poisson(pixels / 255.0 * photons)
    return to_bytes(np.asarray(counted / photons * brightness * 255.0, dtype=np.float64))


def tinted(pixels: Pixels, gains: npt.ArrayLike) -> Pixels:
    """A colour cast: gains of red, green and blue."""
    return to_bytes(np.asarray(pixels * np.asarray(gains), dtype=np.float64))


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """What JPEG of a quality 1 .. 100 leaves of a picture."""
    return _coded(pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def as_webp(pixels: Pixels, quality: int) -> Pixels:
    """What WebP of a quality 1 .. 100 leaves of a picture."""
    return _coded(pixels, ".webp", cv2.IMWRITE_WEBP_QUALITY, quality)


def to_bytes(values: npt.NDArray[np.floating]) -> Pixels:
    """Rounded and kept within 0..255."""
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _coded(pixels: Pixels, suffix: str, option: int, quality: int) -> Pixels:
    _, data = cv2.imencode(suffix, pixels[..., ::-1], [option, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
