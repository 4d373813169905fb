"""How near a degraded picture is to the clean one: full-reference measures of the package piq.

Names, and which way each of them points, stand in ``METRICS``; the formulas are piq's (Kastryulin
et al. 2022, arXiv 2208.14818), each from its own paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegauge.errors import OptionError, needing
from facegauge.values import Pixels

SMALLEST = 48
"""Pixels that both sides need for the pyramids of the measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A function of piq, and 1 where higher is nearer to the clean picture or -1 where lower is."""

    function: str
    sign: int


METRICS = {
    "ssim": Metric(function="ssim", sign=1),
    "vif": Metric(function="vif_p", sign=1),
    "haarpsi": Metric(function="haarpsi", sign=1),
    "mdsi": Metric(function="mdsi", sign=-1),
    "gmsd": Metric(function="gmsd", sign=-1),
    "ms-gmsd": Metric(function="multi_scale_gmsd", sign=-1),
    "dss": Metric(function="dss", sign=1),
    "fsim": Metric(function="fsim", sign=1),
    "vsi": Metric(function="vsi", sign=1),
    "sr-sim": Metric(function="srsim", sign=1),
}
"""What can be asked, by name; 9 (gmsd) to 220 ms (fsim) each for 256×256 on one core."""


def require_metrics(names: Sequence[str]) -> str:
    """Refuse names that nobody knows; the version of piq.

    Raises:
        OptionError: an unknown name, or none.
        MissingExtra: piq is not installed.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise OptionError(
            f"Expected measures, some of {', '.join(METRICS)}; got {', '.join(unknown) or 'none'}."
        )
    with needing("train", "facegauge label full-reference"):
        import piq  # noqa: F401
    return metadata.version("piq")


def nearness(clean: Pixels, degraded: Pixels, names: Sequence[str]) -> npt.NDArray[np.float32]:
    """The named measures of one picture H×W×3 against the clean one, M; higher is nearer."""
    import piq

    pair = _planes(degraded), _planes(clean)
    chosen = [METRICS[name] for name in names]
    with torch.no_grad():
        found = [
            each.sign * float(getattr(piq, each.function)(*pair, data_range=1.0)) for each in chosen
        ]
    return np.array(found, dtype=np.float32)


def _planes(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float() / 255.0
