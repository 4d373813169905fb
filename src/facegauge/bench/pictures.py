"""Drawn faces as picture files: something to measure speed with where no photographs are at hand.

What they show is no photograph, but the road is the same: the detector finds the face, it is
aligned and scored. Their size is that of a small photograph, so that decoding has its share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from facegauge.choices import Input
from facegauge.values import Pixels

SIZES = {Input.PHOTO: (1200, 1600), Input.CROP: (256, 256), Input.ALIGNED: (112, 112)}
"""Height and width in pixels of what is drawn for each input."""

_SHARES = {Input.PHOTO: 0.35, Input.CROP: 0.75, Input.ALIGNED: 1.0}
_SKIN, _DARK, _PALE = (222, 180, 150), (60, 40, 30), (235, 200, 175)
_MOUTH, _WHITE, _IRIS, _CLOTH = (170, 80, 80), (245, 245, 240), (70, 45, 30), (70, 80, 120)


@dataclass(frozen=True, slots=True)
class _Spot:
    """An ellipse: middle and half axes in heights of a head, from the head's middle."""

    x: float
    y: float
    across: float
    down: float
    colour: tuple[int, int, int]


_HEAD = (
    _Spot(0.0, 0.75, 0.55, 0.35, _CLOTH),
    _Spot(0.0, 0.45, 0.16, 0.25, (205, 160, 130)),
    _Spot(0.0, -0.12, 0.42, 0.5, _DARK),
    _Spot(0.0, 0.0, 0.36, 0.48, _SKIN),
    _Spot(0.0, 0.1, 0.3, 0.35, (228, 188, 160)),
    _Spot(0.0, 0.03, 0.035, 0.09, _PALE),
    _Spot(0.0, 0.1, 0.05, 0.03, (210, 160, 135)),
    _Spot(0.0, 0.25, 0.12, 0.03, _MOUTH),
    _Spot(0.0, 0.245, 0.1, 0.006, (110, 40, 45)),
)
_SIDES = (
    _Spot(0.15, -0.17, 0.085, 0.018, _DARK),
    _Spot(0.15, -0.08, 0.07, 0.035, _WHITE),
    _Spot(0.15, -0.08, 0.033, 0.033, _IRIS),
    _Spot(0.15, -0.08, 0.015, 0.015, (10, 10, 10)),
    _Spot(0.03, 0.11, 0.018, 0.012, (140, 90, 75)),
)
_QUALITY = 90


def write_pictures(folder: Path, input: Input, count: int) -> Path:
    """Draw so many different pictures of one face into a new folder, as JPEG."""
    folder.mkdir()
    for number in range(count):
        picture = drawn(input, np.random.default_rng(number))
        Image.fromarray(picture).save(folder / f"{number:05}.jpg", quality=_QUALITY)
    return folder


def drawn(input: Input, rng: np.random.Generator) -> Pixels:
    """One picture: a face about the middle of a coloured ground, with a little noise."""
    height, width = SIZES[input]
    ground = rng.integers(60, 200, (height // 32 + 2, width // 32 + 2, 3)).astype(np.uint8)
    picture = np.array(cv2.resize(ground, (width, height), interpolation=cv2.INTER_CUBIC))
    unit = _SHARES[input] * height * rng.uniform(0.8, 1.0)
    middle = np.array([width, height]) / 2 + rng.uniform(-0.05, 0.05, 2) * unit
    for spot in (*_HEAD, *_SIDES, *map(_mirrored, _SIDES)):
        centre = np.rint(middle + np.array([spot.x, spot.y]) * unit).astype(int).tolist()
        axes = [max(1, round(each * unit)) for each in (spot.across, spot.down)]
        cv2.ellipse(picture, centre, axes, 0, 0, 360, spot.colour, -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.008 * unit + 0.1)
    noise = rng.integers(-6, 7, picture.shape, dtype=np.int16)
    return np.asarray(np.clip(soft + noise, 0, 255), dtype=np.uint8)


def _mirrored(spot: _Spot) -> _Spot:
    return replace(spot, x=-spot.x)
