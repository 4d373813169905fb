"""The tables of a comparison of data sets, as cells of text: for markdown and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from facegauge.evaluate.contrast import Contrast
from facegauge.evaluate.edc_result import Interval
from facegauge.evaluate.spread import SHARES, Spread

NOTE = (
    "P(higher): the probability that a score of the set is above one of the reference, equal ones "
    "counting half. Cliff's delta is twice that minus 1. KS distance: the largest difference of "
    "the shares below a score. 95 % intervals take each score for a draw of its own: with many "
    "pictures of few people they are too narrow."
)

Rows = list[list[str]]


def contrast_head() -> list[str]:
    """The columns of ``contrast_rows``."""
    return ["Set", "Scores are", "P(higher)", "Cliff's delta", "Median difference", "KS distance"]


def contrast_rows(found: Sequence[Contrast]) -> Rows:
    """A row for each difference."""
    return [
        [
            each.name,
            each.verdict,
            _interval(each.higher, ".3f"),
            f"{each.cliff:+.3f}",
            _interval(each.median, "+.2f", each.resamples > 0),
            f"{_interval(each.distance, '.3f')} at {each.apart_at:.4g}",
        ]
        for each in found
    ]


def spread_head() -> list[str]:
    """The columns of ``spread_rows``."""
    names = [f"{share:.0%}".replace("%", " %") for share in SHARES]
    names[SHARES.index(0.5)] = "Median"
    return ["Set", "Model", "Scores", "Mean", *names]


def spread_rows(spreads: Sequence[Spread]) -> Rows:
    """A row for each set."""
    form = ".4g" if any(each.plain for each in spreads) else ".2f"
    return [
        [
            each.name,
            ", ".join(each.models) or "–",
            f"{each.scores.size:,}",
            format(each.scores.mean(), form),
            *(format(value, form) for value in each.quantiles.values()),
        ]
        for each in spreads
    ]


def threshold_head(spreads: Sequence[Spread]) -> list[str]:
    """The columns of ``threshold_rows``."""
    return ["Discard below", *(each.name for each in spreads)]


def threshold_rows(spreads: Sequence[Spread], thresholds: Sequence[float]) -> Rows:
    """A row for each threshold: the share of each set that leaves, with what has no score."""
    return [[f"{at:.4g}", *(f"{each.discarded(at):.1%}" for each in spreads)] for at in thresholds]


def outcome_head(spreads: Sequence[Spread]) -> list[str]:
    """The columns of ``outcome_rows``: those outcomes that any set has."""
    return ["Set", "Rows", *dict.fromkeys(name for each in spreads for name in each.outcomes)]


def outcome_rows(spreads: Sequence[Spread]) -> Rows:
    """A row for each set: how many rows have which outcome."""
    names = outcome_head(spreads)[2:]
    return [
        [each.name, f"{each.rows:,}", *(f"{each.outcomes.get(name, 0):,}" for name in names)]
        for each in spreads
    ]


def _interval(each: Interval, form: str, ends: bool = True) -> str:
    value = format(each.value, form)
    return f"{value} [{each.low:{form}}, {each.high:{form}}]" if ends else value
