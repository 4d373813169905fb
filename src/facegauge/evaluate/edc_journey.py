"""Score tables and embeddings become a report: what ``facegauge evaluate edc`` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError
from facegauge.evaluate.bootstrap import compare_methods
from facegauge.evaluate.compared import ComparedPairs, ComparedSet
from facegauge.evaluate.differences import Difference, to_reference
from facegauge.evaluate.edc_result import Edc
from facegauge.evaluate.engine import edc
from facegauge.evaluate.line import Line
from facegauge.evaluate.nonmated import sample_nonmated
from facegauge.evaluate.operated import Operated
from facegauge.evaluate.operating import operating_table
from facegauge.evaluate.pairs import Pairs, PairTable, people_of_pairs
from facegauge.evaluate.presets import Leaving, Preset, Threshold, preset
from facegauge.evaluate.recognition import (
    compare_pairs,
    compare_people,
    identities_of,
    mated_pairs,
)
from facegauge.evaluate.report import Report
from facegauge.evaluate.score_files import ScoreFile
from facegauge.evaluate.scored import Scored, Subgroup
from facegauge.evaluate.subgroup_errors import with_errors
from facegauge.tables import same_path

MOST_NONMATED = 2_000_000
"""Non-mated pairs held where a preset discards them, too: all, or so many drawn."""

NOBODY = "(none)"
"""The group of a picture that the table of groups does not know."""

Truth = Mapping[str, str] | PairTable
"""Who is in each picture, or which pairs of pictures are compared."""


def chosen_preset(name: str, fmr: float | None = None, discard: float | None = None) -> Preset:
    """A preset by name with another FMR or discard limit.

    Raises:
        OptionError: no such preset, values out of range, or an FMR where it sets no threshold.

    Example:
        >>> chosen_preset("difiqa", discard=0.2).limit
        0.2
    """
    found = preset(name)
    if fmr is not None and found.fmr is None:
        raise OptionError(
            f"An FMR sets the threshold of difiqa and crfiqa, got FMR {fmr:g} for {name}, whose "
            f"threshold comes from FNMR(0) {found.rate:g}. Leave the FMR out or choose another."
        )
    found = found if fmr is None else replace(found, rate=fmr)
    return found if discard is None else replace(found, limit=discard)


def evaluate_edc(
    scores: Sequence[ScoreFile],
    embeddings: Mapping[str, Embeddings],
    truth: Truth,
    *,
    preset: Preset,
    set_name: str = "set",
    groups: Mapping[str, str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """The curves of every method with every recogniser on one set, and all that goes with them.

    A picture without a score counts as discarded first; one without an embedding is in no pair.

    Args:
        scores: by method, see ``read_score_files``; the others are compared with the first.
        embeddings: by the name of the recogniser.
        truth: identities by path, for all mated pairs and the threshold from all non-mated ones;
            or a table of pairs.
        preset: how curves are computed, see ``chosen_preset``.
        set_name: name of the set in the report.
        groups: the group of each path, for the subgroup rows.
        resamples: of people, for the intervals; 0 for none.
        seed: of the resamples, and of non-mated pairs where they have to be drawn.

    Raises:
        InputError: scores, embeddings and truth that do not belong together, or too few pairs.
        OptionError: no recogniser, or a negative number of resamples.
    """
    if not embeddings or resamples < 0:
        raise OptionError(
            "An evaluation needs embeddings by one recogniser or more and 0 resamples or more, got "
            f"{len(embeddings)} and {resamples}. Make embeddings with facegauge embed."
        )
    found = [compare(name, each, truth, preset, seed) for name, each in embeddings.items()]
    made = [_curves(each, scores, set_name, preset, resamples, seed) for each in found]
    curves = [own for own, _ in made]
    scored = _scored(scores, found, set_name, groups or {})
    return Report(
        lines=tuple(Line.from_edc(curve, set_name) for own in curves for curve in own),
        differences=tuple(row for _, own in made for row in own),
        scored=scored,
        subgroups=_subgroups(found, curves, scored, preset) if groups else (),
        operating=tuple(
            _operated(each, method, curve.threshold, set_name)
            for each, own in zip(found, curves, strict=True)
            for method, curve in zip(scores, own, strict=True)
        ),
    )


def compare(
    recogniser: str, embeddings: Embeddings, truth: Truth, preset: Preset, seed: int = 0
) -> ComparedSet:
    """Compare what a preset needs compared.

    Raises:
        InputError: an embedding without an identity, no pairs, or too few for the FMR.
    """
    if isinstance(truth, PairTable):
        return _given_pairs(recogniser, embeddings, truth)
    names = identities_of(embeddings, truth)
    pairs, threshold = _people_pairs(embeddings, names, preset, seed)
    return ComparedSet(
        recogniser=recogniser,
        paths=embeddings.paths,
        people=np.asarray(names, dtype=np.str_),
        pairs=pairs,
        threshold=threshold,
    )


def _people_pairs(
    embeddings: Embeddings, names: Sequence[str], preset: Preset, seed: int
) -> tuple[ComparedPairs, float | None]:
    """All mated pairs; non-mated ones only where they leave, too, for else a threshold does."""
    if preset.leaving is Leaving.BOTH or preset.threshold is Threshold.FLOATING:
        others = sample_nonmated(names, MOST_NONMATED, seed).pairs
        return compare_pairs(embeddings, _joined(mated_pairs(names), others)).for_curves(), None
    if preset.threshold is Threshold.FMR and preset.rate is not None:
        matching = compare_people(embeddings, names, preset.rate)
        _refuse_none(matching.similarity.size)
        return matching.for_curves(), matching.threshold
    pairs = mated_pairs(names)
    _refuse_none(len(pairs))
    return compare_pairs(embeddings, pairs).for_curves(), None


def _refuse_none(count: int) -> None:
    if not count:
        raise InputError(
            "Expected two pictures or more of some person, got no mated pair. Check the column "
            "identity, or embed more pictures."
        )


def _joined(mated: Pairs, others: Pairs) -> Pairs:
    parts = (mated, others)
    return Pairs(
        first=np.concatenate([each.first for each in parts]),
        second=np.concatenate([each.second for each in parts]),
        mated=np.concatenate([each.mated for each in parts]),
    )


def _given_pairs(recogniser: str, embeddings: Embeddings, table: PairTable) -> ComparedSet:
    """The pairs of a table of which both pictures have an embedding."""
    rows = embeddings.rows(table.paths)
    there = rows >= 0
    places = np.where(there, np.cumsum(there) - 1, -1)
    pairs = table.pairs.placed(places)
    if not len(pairs):
        raise InputError(
            f"Expected pairs of pictures that have embeddings, got none of {len(table.pairs)} with "
            f"both in {recogniser}. Make the paths of both relative to the same folder."
        )
    paths = tuple(path for path, known in zip(table.paths, there, strict=True) if known)
    own = Embeddings(paths=paths, values=embeddings.values[rows[there]])
    return ComparedSet(
        recogniser=recogniser,
        paths=paths,
        people=people_of_pairs(len(paths), pairs).astype(np.str_),
        pairs=compare_pairs(own, pairs).for_curves(),
        threshold=None,
    )


def _curves(
    found: ComparedSet,
    scores: Sequence[ScoreFile],
    set_name: str,
    preset: Preset,
    resamples: int,
    seed: int,
) -> tuple[tuple[Edc, ...], tuple[Difference, ...]]:
    """A curve for each method, and where there are intervals each one's difference to the first."""
    qualities = {each.method: each.of(found.paths) for each in scores}
    if resamples:
        compared = compare_methods(
            found.pairs,
            qualities,
            found.people,
            preset,
            threshold=found.threshold,
            recogniser=found.recogniser,
            resamples=resamples,
            seed=seed,
        )
        return compared.curves, to_reference(compared, set_name)
    curves = tuple(
        edc(
            found.pairs,
            quality,
            preset,
            threshold=found.threshold,
            method=method,
            recogniser=found.recogniser,
        )
        for method, quality in qualities.items()
    )
    return curves, ()


def _scored(
    scores: Sequence[ScoreFile],
    found: Sequence[ComparedSet],
    set_name: str,
    groups: Mapping[str, str],
) -> tuple[Scored, ...]:
    """The scores of each method on the pictures that any recogniser compared."""
    paths = tuple(dict.fromkeys(path for each in found for path in each.paths))
    known = {same_path(path): name for path, name in groups.items()}
    return tuple(
        Scored(
            method=each.method,
            set_name=set_name,
            paths=paths,
            scores=tuple(each.scores.get(same_path(path)) for path in paths),
            groups=tuple(known.get(same_path(path), NOBODY) for path in paths) if groups else (),
        )
        for each in scores
    )


def _subgroups(
    found: Sequence[ComparedSet],
    curves: Sequence[Sequence[Edc]],
    scored: Sequence[Scored],
    preset: Preset,
) -> tuple[Subgroup, ...]:
    """The groups of each method with each recogniser; one threshold holds for all its methods."""
    return tuple(
        row
        for each, own in zip(found, curves, strict=True)
        for row in with_errors(each, scored, preset, own[0].threshold)
    )


def _operated(found: ComparedSet, method: ScoreFile, threshold: float, set_name: str) -> Operated:
    table = operating_table(
        found.pairs,
        method.of(found.paths),
        threshold,
        method.asked,
        recogniser=found.recogniser,
        data=set_name,
    )
    return Operated(method=method.method, set_name=set_name, table=table)
