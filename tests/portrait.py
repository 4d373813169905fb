"""A real portrait with its landmarks, and ways of spoiling it: what measures are proven on.

spoilt = blurred(PIXELS, 3)
found = measured(spoilt, "sharpness")
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image
from skimage import data

from facegauge.measures import measure
from facegauge.values import Landmarks, Measure

PIXELS = data.astronaut()
LANDMARKS = Landmarks.from_array(
    [[203.7, 101.3], [246.6, 103.9], [223.9, 128.6], [201.2, 139.3], [243.9, 141.5]]
)
"""Of the astronaut, in pixels of the 512×512 picture; eyes 40 pixels apart."""


def measured(pixels: np.ndarray, name: str, landmarks: Landmarks = LANDMARKS) -> Measure:
    [found] = [each for each in measure(pixels, landmarks) if each.name == name]
    return found


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(pixels, (0, 0), sigma) if sigma else pixels


def scaled(pixels: np.ndarray, factor: float) -> np.ndarray:
    """All values times a factor, cut off at 255."""
    return np.clip(pixels * float(factor), 0, 255).astype(np.uint8)


def flattened(pixels: np.ndarray, share: float) -> np.ndarray:
    """A share of the contrast about mid grey."""
    return (128 + (pixels - 128.0) * share).astype(np.uint8)


def noisy(pixels: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    """Grey noise of a standard deviation in grey levels."""
    grain = np.random.default_rng(seed).normal(0, deviation, pixels.shape[:2])
    return np.clip(np.rint(pixels + grain[..., None]), 0, 255).astype(np.uint8)


def compressed(pixels: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def side_lit(pixels: np.ndarray, stops: float, landmarks: Landmarks = LANDMARKS) -> np.ndarray:
    """Light that falls off from the left to the right of the face, by so many stops."""
    points = landmarks.array()
    eyes, distance = points[:2, 0].mean(), landmarks.inter_eye_distance
    place = np.clip((np.arange(pixels.shape[1]) - eyes) / distance, -0.5, 0.5)
    light = (pixels / 255.0) ** 2.2 * 2.0 ** (-stops * place)[None, :, None]
    return (255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def rotated(
    pixels: np.ndarray, degrees: float, landmarks: Landmarks = LANDMARKS
) -> tuple[np.ndarray, Landmarks]:
    """The picture turned clockwise about the face, and its landmarks."""
    centre = landmarks.array().mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), -degrees, 1.0)
    turned = cv2.warpAffine(pixels, matrix, pixels.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return turned, Landmarks.from_array(landmarks.array() @ matrix[:, :2].T + matrix[:, 2])


def resized(
    pixels: np.ndarray, factor: float, landmarks: Landmarks = LANDMARKS
) -> tuple[np.ndarray, Landmarks]:
    height, width = (round(side * factor) for side in pixels.shape[:2])
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, (width, height), interpolation=kind)
    return small, landmarks.scaled(width / pixels.shape[1], height / pixels.shape[0])
