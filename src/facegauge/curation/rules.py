"""The rules by which a selection keeps faces, in the order in which they are asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from facegauge.errors import OptionError


class Reason(StrEnum):
    """Why a row is not kept: the first rule, in this order, that it fails; empty for kept."""

    KEPT = ""
    NO_SCORE = "no_score"
    NO_IDENTITY = "no_identity"
    NO_TRACK = "no_track"
    DISCARD = "discard"
    MIN_SCORE = "min_score"
    APART = "apart"
    KEEP = "keep"


class Per(StrEnum):
    """What a group is: the faces of one person, or of one track of a video."""

    IDENTITY = "identity"
    TRACK = "track"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a face must be to be kept; None is no such rule. ``per`` makes groups.

    Asked in this order, and a row's reason is the first that it fails:

    1. A row without a score is never kept, unless ``unscored``: then it always is.
    2. With ``per``, a row without a group is never kept.
    3. ``discard`` (0..1): at most this share of the rows of each group leaves, the lowest scores
       first, and rows without a score before them. Equal scores leave together or stay, as in an
       error-versus-discard curve.
    4. ``min_score``: scores below leave.
    5. ``apart`` (-1..1): of faces of a group whose cosine is above this the best scored stays.
    6. ``keep`` (1 or more): so many of each group stay, the best scored.

    Of equal scores the first in order of path, then face, is the best. Without ``per`` the
    whole table is one group. Shares are of the table as it came: ``discard`` and ``min_score`` do
    not depend on one another, the last two rules see what the others left.

    Raises:
        OptionError: no rule, a value out of its range, or ``per`` with nothing to do for each.
    """

    per: Per | None = None
    keep: int | None = None
    discard: float | None = None
    min_score: float | None = None
    apart: float | None = None
    unscored: bool = False

    def __post_init__(self) -> None:
        by_group = (self.keep, self.discard, self.apart)
        if by_group == (None, None, None) and (self.per is not None or self.min_score is None):
            needed = "--keep, --discard or --apart" + ("" if self.per else " or --min-score")
            came = f"--per {self.per} alone" if self.per else "none"
            raise OptionError(f"A selection needs a rule: {needed}; got {came}. Give one.")
        if self.keep is not None and self.keep < 1:
            raise OptionError(f"--keep is 1 or more faces, got {self.keep}. Pass 1 for the best.")
        if self.discard is not None and not 0.0 <= self.discard < 1.0:
            raise OptionError(
                f"--discard is a share from 0 to below 1, got {self.discard}. Pass 0.2 for 20 %."
            )
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise OptionError(f"--min-score is a finite score, got {self.min_score}. Pass 50.")
        if self.apart is not None and not -1.0 <= self.apart < 1.0:
            raise OptionError(
                f"--apart is a cosine from -1 to below 1, got {self.apart}. Pass 0.9 for pictures "
                "that are nearly the same."
            )
