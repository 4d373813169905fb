"""Presets of the error-versus-discard curve: five ways in which the field computes one name.

A preset is a value on each of six axes. What tools and papers publish as "the EDC" (or ERC, EvR)
differs in all of them, so that their numbers cannot be compared; here the choice has a name and is
printed on every result. After DifFIQA and AI-KD (Babnik et al. 2023, 2024), the dasec reference
(Schlett et al., arXiv 2303.13294), CR-FIQA (Boutros et al. 2023), NIST FATE Quality and OFIQ
(ISO/IEC 29794-5). What those sources leave open, and our choice:

- A share of discard counts what the preset discards: counted pairs, all pairs, or samples.
- Ties leave together everywhere, also on a grid: at a grid point as many whole qualities have left
  as fit into that share; the point itself stands at the share asked for.
- A starting FNMR is a linearly interpolated quantile of the mated similarities (dasec reference).
- ``nist`` and ``ofiq`` publish the FNMR left at some discards, from a stairs curve. Their pAUC is
  the plain area up to the last of these discards.
- ``fiqat``: the plain area. Minus the theoretical best with ``normalisation=Normalisation.BEST``.
- ``difiqa``: the area to 0.3 (AI-KD); 0.2 is ``replace(preset, limit=0.2)``.
- ``crfiqa``: FMR 1e-3; the whole range ends with the grid, at 0.95. The share counts mated and
  non-mated pairs in one list; the FNMR is that of the mated ones left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from facegauge.errors import OptionError

GRID_STEPS = 20
"""A linear curve stands at 0, 1/20, ... 19/20."""


class Error(StrEnum):
    """Which pairs are counted: non-matches of mated pairs, or matches of non-mated ones."""

    FNMR = "fnmr"
    FMR = "fmr"


class Threshold(StrEnum):
    """Where the similarity threshold comes from; all but ``floating`` hold for the whole curve."""

    GIVEN = "given"
    FMR = "fmr"
    """The lowest at which at most ``rate`` of all non-mated pairs match."""
    START = "start"
    """The ``rate`` quantile of all mated similarities."""
    FLOATING = "floating"
    """As ``fmr``, from the non-mated pairs that are left at each point."""


class Leaving(StrEnum):
    """What leaves, and of what a share of discard is a share."""

    MATED = "mated"
    """The counted pairs: mated for FNMR, non-mated for FMR. The other kind stays."""
    BOTH = "both"
    """Mated and non-mated pairs, in one list."""
    PROPORTIONAL = "proportional"
    """The counted pairs, and the same share of the other kind, each in its own list."""
    SAMPLES = "samples"
    """Samples, each with its own quality; a pair leaves with its first sample."""


class PairQuality(StrEnum):
    """The quality of a pair: that of its worse sample, or the mean."""

    MIN = "min"
    MEAN = "mean"


class Shape(StrEnum):
    """Stairs at every distinct quality, or straight lines between the points of a grid."""

    STAIRS = "stairs"
    LINEAR = "linear"


class Normalisation(StrEnum):
    """What becomes of the area: itself, over error(0) x limit, or minus the best possible."""

    NONE = "none"
    E0 = "e0"
    BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One way to compute a curve; other values of an axis with ``dataclasses.replace``.

    Axes take their values or their names: ``replace(preset, normalisation="best")``.

    ``rate`` is the FMR (``fmr``, ``floating``) or FNMR(0) (``start``) of the threshold; ``limit``
    the discard (0..1] up to which pAUC goes; ``points`` are discards at which the error is
    reported; ``closed`` appends the point (1, 0).

    Raises:
        OptionError: values that contradict one another.
    """

    name: str
    error: Error = Error.FNMR
    threshold: Threshold = Threshold.FMR
    rate: float | None = None
    leaving: Leaving = Leaving.MATED
    quality: PairQuality = PairQuality.MIN
    shape: Shape = Shape.STAIRS
    normalisation: Normalisation = Normalisation.NONE
    limit: float
    points: tuple[float, ...] = ()
    closed: bool = False

    def __post_init__(self) -> None:
        for field, axis in _AXES.items():
            known = getattr(self, field) in list(axis)
            self._need(known, f"{field} of {', '.join(axis)}", repr(getattr(self, field)))
            object.__setattr__(self, field, axis(getattr(self, field)))
        self._check_numbers()
        self._check_axes()

    def _check_numbers(self) -> None:
        last = 1.0 if self.shape is Shape.STAIRS else (GRID_STEPS - 1) / GRID_STEPS
        self._need(0 < self.limit <= last, f"a limit in (0, {last:g}]", self.limit)
        self._need(all(0 <= p <= last for p in self.points), f"points in 0..{last:g}", self.points)
        known = self.rate is not None and 0 < self.rate < 1
        if self.threshold is Threshold.GIVEN:
            self._need(self.rate is None, "no rate for a given threshold", self.rate)
        else:
            self._need(known, f"a rate between 0 and 1 for threshold {self.threshold}", self.rate)

    def _check_axes(self) -> None:
        trivial = self.threshold is Threshold.FLOATING and self.error is Error.FMR
        self._need(not trivial, "a fixed threshold for an FMR curve", "a floating one")
        own = self.leaving is not Leaving.SAMPLES or self.quality is PairQuality.MIN
        self._need(own, "pair quality min where samples leave", self.quality)
        stairs = self.shape is Shape.STAIRS or not self.closed
        self._need(stairs, "stairs for a closed curve", self.shape)

    def _need(self, holds: bool, expected: str, came: object) -> None:
        if not holds:
            raise OptionError(
                f"Preset {self.name} needs {expected}, got {came}. Change one of the two."
            )

    @property
    def fmr(self) -> float | None:
        """The FMR that sets the threshold, None where something else does."""
        return self.rate if self.threshold in (Threshold.FMR, Threshold.FLOATING) else None

    def __str__(self) -> str:
        """All axes in one line.

        Example:
            >>> print(PRESETS["difiqa"])
            difiqa: FNMR, threshold at FMR 0.001, mated pairs leave by min quality, stairs,
                pAUC to 0.3 over e0 x limit
        """
        sources = {
            Threshold.GIVEN: "threshold given",
            Threshold.FMR: f"threshold at FMR {self.rate}",
            Threshold.START: f"threshold at FNMR(0) {self.rate}",
            Threshold.FLOATING: f"threshold floating at FMR {self.rate}",
        }
        return (
            f"{self.name}: {self.error.upper()}, {sources[self.threshold]}, "
            f"{self._what()} leave by {self.quality} quality, {self.shape}, "
            f"pAUC to {self.limit:g}{_SUFFIXES[self.normalisation]}"
        )

    def _what(self) -> str:
        kinds = {Error.FNMR: "mated pairs", Error.FMR: "non-mated pairs"}
        others = {
            Leaving.MATED: kinds[self.error],
            Leaving.BOTH: "all pairs",
            Leaving.PROPORTIONAL: "equal shares of mated and non-mated pairs",
            Leaving.SAMPLES: "samples",
        }
        return others[self.leaving]


_AXES: dict[str, type[StrEnum]] = {
    "error": Error,
    "threshold": Threshold,
    "leaving": Leaving,
    "quality": PairQuality,
    "shape": Shape,
    "normalisation": Normalisation,
}
_SUFFIXES = {
    Normalisation.NONE: "",
    Normalisation.E0: " over e0 x limit",
    Normalisation.BEST: " minus the theoretical best",
}

PRESETS = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(name="fiqat", threshold=Threshold.START, rate=0.05, limit=0.2, closed=True),
            Preset(name="difiqa", rate=1e-3, limit=0.3, normalisation=Normalisation.E0),
            Preset(
                name="crfiqa",
                threshold=Threshold.FLOATING,
                rate=1e-3,
                leaving=Leaving.BOTH,
                shape=Shape.LINEAR,
                limit=0.95,
            ),
            Preset(
                name="nist",
                threshold=Threshold.START,
                rate=0.01,
                leaving=Leaving.SAMPLES,
                limit=0.2,
                points=(0.01, 0.05, 0.2),
            ),
            Preset(name="ofiq", threshold=Threshold.START, rate=0.1, limit=0.1, points=(0.1,)),
        )
    }
)
"""The five presets by name."""


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        OptionError: there is none.
    """
    if name not in PRESETS:
        raise OptionError(f"Expected a preset of {', '.join(PRESETS)}, got {name!r}. Choose one.")
    return PRESETS[name]
