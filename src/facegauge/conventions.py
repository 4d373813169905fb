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


_RGB = _even(127.5, 127.5)
_BGR = _even(127.5, 127.5, bgr=True)

CONVENTIONS = {
    "arcface": _RGB,
    "arcface-bgr": _BGR,
    "raw": _even(0.0, 1.0),
    "bgr-raw": _even(0.0, 1.0, bgr=True),
    "unit": _even(0.0, 255.0),
    "bgr-unit": _even(0.0, 255.0, bgr=True),
    "imagenet": Preprocessing(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    "adaface": _BGR,
    "cosface": _RGB,
    "swinface": _RGB,
    "transface": _RGB,
}
"""Named preprocessing: what is done (arcface (x-127.5)/127.5, raw 0..255, unit x/255, imagenet's
mean and std), and published recognisers by name, after the code their authors evaluate with:
adaface is BGR (mk-minchul/AdaFace, inference.py); arcface, cosface (insightface's arcface_torch),
swinface (lxq1000/SwinFace) and transface (DanJun6737/TransFace) are RGB."""
