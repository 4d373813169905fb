"""Errors within subgroups: what a recogniser makes of comparisons inside of one group.

A comparison belongs to a group when both of its pictures do; others belong to none. The similarity
threshold is that of the whole set, as in NISTIR 8280 on demographics: a group with one of its own
would have the errors of another system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs, ComparedSet, Flags
from facegauge.evaluate.engine import edc
from facegauge.evaluate.line import ordered
from facegauge.evaluate.presets import Error, Preset, Threshold
from facegauge.evaluate.scored import GroupErrors, Scored, Subgroup, subgroups
from facegauge.evaluate.thresholds import is_below

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Within:
    """Which of N pictures are members, and a recogniser's comparisons of these M (None: none)."""

    recogniser: str
    members: Flags
    pairs: ComparedPairs | None


def with_errors(
    found: ComparedSet, scored: Sequence[Scored], preset: Preset, threshold: float
) -> tuple[Subgroup, ...]:
    """Each method's groups where the share of the preset's limit is discarded, with their errors.

    Args:
        found: what one recogniser makes of the set.
        scored: the methods, all on the same paths with the same groups; one without any score has
            no rows. Paths that ``found`` lacks are in no comparison.
        preset: of the pAUC, see ``group_pauc``.
        threshold: the similarity threshold of the whole set before any discard.

    Raises:
        InputError: scores without groups, or not of all pictures that are compared.
    """
    known = [each for each in scored if each.known.size]
    for each in known:
        _check(found, each)
    within = _split(found, known[0]) if known else {}
    rows = []
    for each in known:
        quality = _scores(each, found.paths)
        for row in subgroups(each, each.threshold(preset.limit)):
            own = within[row.group]
            errors = _errors(own, quality[own.members], row.threshold, threshold, preset)
            rows.append(replace(row, errors=errors))
    return tuple(rows)


def group_pauc(
    pairs: ComparedPairs, quality: Values, preset: Preset, threshold: float
) -> float | None:
    """The pAUC of a group's own comparisons at the similarity threshold of the whole set.

    All else is the preset's: the share of discard is one of what the preset discards within the
    group (its mated pairs, all its pairs, or its pictures), so that the discard begins with the
    lowest scores of the group. None where that is not defined or says nothing:

    - a preset with a floating threshold (``crfiqa``): held still it would be another measure, and a
      group's own non-mated pairs are too few to let it float;
    - a preset that counts non-mated pairs, of which these errors are not;
    - no error: there is none that a discard could avoid;
    - no picture of the group has a score.

    Args:
        pairs: comparisons among M pictures.
        quality: of M pictures; nan for no score.
        preset: how to compute it.
        threshold: the similarity that a match needs.
    """
    floats = preset.threshold is Threshold.FLOATING
    if floats or preset.error is not Error.FNMR or np.isnan(quality).all():
        return None
    if not is_below(pairs.similarity[pairs.mated], threshold).any():
        return None
    return edc(pairs, quality, preset, threshold=threshold).pauc()


def _check(found: ComparedSet, scored: Scored) -> None:
    lacking = set(found.paths).difference(scored.paths)
    if not scored.groups or lacking:
        raise InputError(
            f"Errors of subgroups need a group for each of the {len(found.paths)} pictures that "
            f"{found.recogniser} compared, got {len(scored.groups)} groups of {scored.method!r} "
            f"and {len(lacking)} pictures without one. Read a table with a group column."
        )


def _errors(
    own: _Within, quality: Values, cut: float, threshold: float, preset: Preset
) -> GroupErrors:
    """Counts where pictures of M scored below ``cut``, or without a score, are discarded."""
    wrong = left = np.empty(0, dtype=np.bool_)
    pauc = None
    if own.pairs is not None:
        mated, kept = own.pairs.mated, quality >= cut
        wrong = is_below(own.pairs.similarity[mated], threshold)
        left = kept[own.pairs.first[mated]] & kept[own.pairs.second[mated]]
        pauc = group_pauc(own.pairs, quality, preset, threshold)
    return GroupErrors(
        recogniser=own.recogniser,
        threshold=threshold,
        comparisons=wrong.size,
        errors=int(wrong.sum()),
        comparisons_left=int(left.sum()),
        errors_left=int((wrong & left).sum()),
        pauc=pauc,
    )


def _split(found: ComparedSet, scored: Scored) -> Mapping[str, _Within]:
    """The comparisons within each group."""
    of_path = dict(zip(scored.paths, scored.groups, strict=True))
    names = np.array([of_path[path] for path in found.paths], dtype=np.str_)
    return {
        name: _Within(
            recogniser=found.recogniser,
            members=names == name,
            pairs=_pairs_within(found.pairs, names == name),
        )
        for name in ordered(scored.groups)
    }


def _pairs_within(pairs: ComparedPairs, members: Flags) -> ComparedPairs | None:
    chosen = members[pairs.first] & members[pairs.second]
    if not chosen.any():
        return None
    places = np.cumsum(members) - 1
    return ComparedPairs(
        samples=int(members.sum()),
        first=places[pairs.first[chosen]],
        second=places[pairs.second[chosen]],
        similarity=pairs.similarity[chosen],
        mated=pairs.mated[chosen],
    )


def _scores(scored: Scored, paths: Sequence[str]) -> Values:
    """The scores of N paths, nan for none."""
    known = dict(zip(scored.paths, scored.scores, strict=True))
    return np.array([known[path] for path in paths], dtype=np.float64)  # None becomes nan
