"""What bare networks expect of pixels: layout, order of channels, mean and deviation, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """From uint8 RGB N×H×W×3 to what a network takes: (x - mean) / std on the 0..255 scale.

    ``mean`` and ``std`` are one number per channel in the network's own channel order; ``bgr`` says
    that this order is blue, green, red; ``planar`` that the layout is N×3×H×W.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool = False
    planar: bool = True


def _even(mean: float, std: float, *, bgr: bool = False) -> Preprocessing:
    return Preprocessing(mean=(mean,) * 3, std=(std,) * 3, bgr=bgr)


CONVENTIONS = {
    "arcface": _even(127.5, 127.5),
    "arcface-bgr": _even(127.5, 127.5, bgr=True),
    "raw": _even(0.0, 1.0),
    "unit": _even(0.0, 255.0),
    "bgr-unit": _even(0.0, 255.0, bgr=True),
    "imagenet": Preprocessing(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
}
"""Named preprocessing: arcface (x-127.5)/127.5, raw 0..255, unit x/255, imagenet's mean and std."""
