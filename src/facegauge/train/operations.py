"""Known degradations at known severities: single kinds, ladders, and what cameras and links do.

A severity of 0 is hardly seen and 1 hardly leaves a face; in between strengths grow evenly in their
logarithm. A *treatment* is the list of what befalls one picture, in the order in which it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facegauge.errors import OptionError
from facegauge.train import distortions
from facegauge.values import Pixels

_SIDE = 224.0
"""Short side in pixels of the picture whose blur, motion and grain the strengths are given for."""
_SINGLE, _CAMERA = 0.4, 0.35
"""Share of treatments with one kind alone, and of those as a camera makes them; a link the rest."""
_TAKEN = 0.6
"""How likely a stage of a camera or link does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One degradation: its kind, a key of ``KINDS``, and its severity in 0..1."""

    kind: str
    severity: float

    def __str__(self) -> str:
        return f"{self.kind}{round(100 * self.severity):02d}"


Treatment = tuple[Step, ...]


def named(treatment: Treatment) -> str:
    """A treatment in one word for a file name.

    Example:
        >>> named((Step(kind="blur", severity=0.3), Step(kind="jpeg", severity=0.8)))
        'blur30+jpeg80'
    """
    return "+".join(map(str, treatment)) or "clean"


def applied(pixels: Pixels, treatment: Treatment, rng: np.random.Generator) -> Pixels:
    """A picture after a treatment; angles, colours and noise come from ``rng``."""
    for step in treatment:
        pixels = KINDS[step.kind](pixels, step.severity, rng)
    return pixels


def drawn(rng: np.random.Generator, kinds: Sequence[str]) -> Treatment:
    """A treatment of these kinds: one alone, as a camera makes it, or as a link does."""
    route = rng.random()
    if route >= _SINGLE:
        stages = CAMERA if route < _SINGLE + _CAMERA else LINK
        open_stages = [[kind for kind in stage if kind in kinds] for stage in stages]
        chosen = [
            stage[int(rng.integers(len(stage)))]
            for stage in open_stages
            if stage and rng.random() < _TAKEN
        ]
        if len(chosen) > 1:
            mild = rng.random(len(chosen)) ** 1.5  # compositions add up
            return tuple(_step(kind, each) for kind, each in zip(chosen, mild, strict=True))
    return (_step(kinds[int(rng.integers(len(kinds)))], rng.random()),)


def ladder(kind: str, rungs: int) -> tuple[Treatment, ...]:
    """One kind alone at ``rungs`` severities, evenly up to 1."""
    return tuple((_step(kind, rung / rungs),) for rung in range(1, rungs + 1))


def chosen_kinds(only: Sequence[str], without: Sequence[str]) -> tuple[str, ...]:
    """The kinds of ``only`` (of all where it is empty) that are not left out.

    Raises:
        OptionError: an unknown kind, or none left.
    """
    unknown = [kind for kind in (*only, *without) if kind not in KINDS]
    kinds = tuple(k for k in KINDS if (not only or k in only) and k not in without)
    if unknown or not kinds:
        raise OptionError(
            f"Expected kinds of degradation, some of {', '.join(KINDS)}; got "
            f"{', '.join(unknown) or 'none that is not left out'}. Correct only or without."
        )
    return kinds


def _step(kind: str, severity: float) -> Step:
    return Step(kind=kind, severity=round(float(severity), 2))


def _between(mild: float, strong: float, severity: float) -> float:
    """Evenly in the logarithm from ``mild`` (0) to ``strong`` (1)."""
    return float(mild * (strong / mild) ** severity)


def _scale(pixels: Pixels) -> float:
    return min(pixels.shape[:2]) / _SIDE


def _blur(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    sigma = _between(0.4, 7.0, severity) * _scale(pixels)
    return distortions.blurred(pixels, max(sigma, 0.2))


def _motion(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    length = max(2, round(_between(3.0, 36.0, severity) * _scale(pixels)))
    return distortions.streaked(pixels, length, float(rng.uniform(0, np.pi)))


def _noise(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    channels = 3 if rng.random() < 0.7 else 1
    return distortions.noisy(pixels, _between(2.0, 55.0, severity), channels, rng)


def _jpeg(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    return distortions.as_jpeg(pixels, round(_between(85.0, 3.0, severity)))


def _webp(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    return distortions.as_webp(pixels, round(_between(85.0, 1.0, severity)))


def _downscale(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    return distortions.shrunk(pixels, _between(0.85, 0.08, severity), cubic=rng.random() < 0.5)


def _overexposure(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    return distortions.exposed(pixels, 1.0, 2.0 ** (0.1 + 1.7 * severity))


def _underexposure(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    return distortions.exposed(pixels, 1.0, 2.0 ** -(0.2 + 2.4 * severity))


def _colour(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    angle = rng.uniform(0, 2 * np.pi) + np.array([0.0, 1.0, 2.0]) * 2 * np.pi / 3
    return distortions.tinted(pixels, 1.0 + (0.05 + 0.6 * severity) * np.cos(angle))


def _low_light(pixels: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    photons = _between(300.0, 4.0, severity)
    return distortions.in_low_light(pixels, photons, 0.85 - 0.45 * severity, rng)


KINDS: dict[str, Callable[[Pixels, float, np.random.Generator], Pixels]] = {
    "overexposure": _overexposure,
    "underexposure": _underexposure,
    "low-light": _low_light,
    "colour": _colour,
    "blur": _blur,
    "motion": _motion,
    "noise": _noise,
    "downscale": _downscale,
    "jpeg": _jpeg,
    "webp": _webp,
}
"""What each kind does at a severity. A test holds this list."""
_FILE = ("jpeg", "webp")
CAMERA: tuple[tuple[str, ...], ...] = (
    ("overexposure", "underexposure", "low-light"),
    ("colour",),
    ("blur", "motion"),
    ("noise",),
    _FILE,
)
"""Light, white balance, optics and hands, sensor, file: one kind of each stage at most."""
LINK: tuple[tuple[str, ...], ...] = (("blur", "motion"), _FILE, ("downscale",), _FILE, _FILE)
"""A picture that messengers reduce and compress again and again."""
