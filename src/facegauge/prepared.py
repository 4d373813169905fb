"""A face made ready for a model: its crop, or why there is none, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from facegauge.errors import OptionError
from facegauge.score_cells import NO_MEASURES, joined
from facegauge.values import Assessment, Face, Measure, Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One face cropped for the model, or the assessment that says why there is none.

    ``detail`` and ``measures`` are what to say of a face that will have a score.
    """

    crop: Pixels | None = None
    face: Face | None = None
    detail: str = ""
    measures: tuple[Measure, ...] = ()
    assessment: Assessment | None = None

    def __post_init__(self) -> None:
        if (self.crop is None) == (self.assessment is None):
            raise OptionError("A prepared face has either a crop or an assessment, not both.")

    def measured(self, found: tuple[Measure, ...], why_none: str) -> Prepared:
        """The same with measures, and where there are none with the reason."""
        said = self.assessment or self
        detail = said.detail if found else joined(said.detail, NO_MEASURES + why_none)
        if self.assessment is None:
            return replace(self, detail=detail, measures=found)
        return replace(self, assessment=replace(self.assessment, detail=detail, measures=found))
