"""Which rows of a score table the rules keep, and why the others are not kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.curation.apart import far_apart
from facegauge.curation.order import Flags, Groups, Rows, best_first, lowest, ranks, starts
from facegauge.curation.rules import Per, Reason, Rules
from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError
from facegauge.score_columns import ScoreColumns

REASONS = tuple(Reason)
"""What the numbers in ``Choice.reasons`` stand for."""
_KEPT = REASONS.index(Reason.KEPT)
_WORDS = {
    Reason.NO_SCORE: "without a score",
    Reason.NO_IDENTITY: "without an identity",
    Reason.NO_TRACK: "without a track",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """For each of N rows a reason, as its place in ``REASONS``; every row has exactly one.

    ``groups`` of so many identities or tracks have rows with a score, ``groups_kept`` have some
    left; both are 0 without groups.
    """

    rules: Rules
    reasons: npt.NDArray[np.uint8]
    groups: int = 0
    groups_kept: int = 0

    @property
    def kept(self) -> Flags:
        """Which rows are kept."""
        return np.asarray(self.reasons == _KEPT)

    @property
    def counts(self) -> dict[Reason, int]:
        """How many rows have each reason; those that no row has are left out."""
        found = np.bincount(self.reasons, minlength=len(REASONS)).tolist()
        return {
            reason: count
            for reason, count in zip(REASONS, found, strict=True)
            if count or reason is Reason.KEPT
        }

    def __str__(self) -> str:
        counts = self.counts
        parts = [f"{self.reasons.size} rows", f"{counts.pop(Reason.KEPT)} kept"]
        for reason, count in counts.items():
            told = _WORDS.get(reason, f"dropped by --{reason.replace('_', '-')}")
            parts.append(f"{count} {told}")
        if self.rules.per is not None:
            kind = "identities" if self.rules.per is Per.IDENTITY else "tracks"
            parts.append(f"{self.groups_kept} of {self.groups} {kind} have a face left")
        return "; ".join(parts)


def choose(
    columns: ScoreColumns,
    rules: Rules,
    *,
    groups: npt.ArrayLike | None = None,
    embeddings: Embeddings | None = None,
) -> Choice:
    """Ask the rules of each row.

    Args:
        columns: the N rows of a score table.
        rules: what to keep.
        groups: with ``rules.per``, N whole numbers, equal for rows of one group, -1 for none.
        embeddings: with ``rules.apart``, by path; one for each face that comes to this rule.

    Raises:
        InputError: no score at all, no row in a group, rows of different models, or a face without
            an embedding.
        OptionError: groups or embeddings that no rule asks for, or a rule without its own.

    Example:
        >>> columns = ScoreColumns.of(["a1", "a2", "a3", "b1"], [40.0, 90.0, None, 70.0])
        >>> choice = choose(columns, Rules(per=Per.IDENTITY, keep=1), groups=[0, 0, 0, 1])
        >>> choice.kept.tolist()
        [False, True, False, True]
        >>> print(choice)
        4 rows; 2 kept; 1 without a score; 1 dropped by --keep; 2 of 2 identities have a face left
    """
    _check(columns, rules, groups, embeddings)
    own = np.zeros(len(columns), np.int32) if groups is None else np.asarray(groups, np.int32)
    choosing = _Choosing(columns, rules, own)
    choosing.thresholds()
    if rules.apart is not None and embeddings is not None:
        choosing.apart(embeddings, rules.apart)
    if rules.keep is not None:
        choosing.keep(rules.keep)
    return choosing.done()


class _Choosing:
    """Rows while they are asked: ``reasons`` of those that have left, 0 for the others."""

    def __init__(self, columns: ScoreColumns, rules: Rules, groups: Groups) -> None:
        self._columns, self._rules, self._groups = columns, rules, groups
        self._reasons = np.zeros(len(columns), dtype=np.uint8)

    def thresholds(self) -> None:
        """The rules that look at each row alone, or at its group as it came."""
        rules, columns = self._rules, self._columns
        self._leave(~columns.scored, Reason.NO_SCORE)
        if rules.per is not None:
            without = Reason.NO_IDENTITY if rules.per is Per.IDENTITY else Reason.NO_TRACK
            self._leave(self._groups < 0, without)
        if rules.discard is not None:
            inside = np.flatnonzero(self._groups >= 0)
            leaves = lowest(columns.scores[inside], self._groups[inside], rules.discard)
            self._leave_rows(inside[leaves], Reason.DISCARD)
        if rules.min_score is not None:
            self._leave(columns.scores < rules.min_score, Reason.MIN_SCORE)

    def apart(self, embeddings: Embeddings, bound: float) -> None:
        """The rule ``apart``, group by group."""
        order = self._best_first()
        places = _embedded(self._columns, embeddings, order)
        for part in np.split(np.arange(order.size), starts(self._groups[order])[1:]):
            stays = far_apart(embeddings.values, places[part], bound)
            self._leave_rows(order[part[~stays]], Reason.APART)

    def keep(self, count: int) -> None:
        """The rule ``keep``."""
        order = self._best_first()
        self._leave_rows(order[ranks(self._groups[order]) >= count], Reason.KEEP)

    def done(self) -> Choice:
        """The choice when all rules were asked."""
        kept = self._reasons == _KEPT
        grouped = self._rules.per is not None
        scored = self._columns.scored & (self._groups >= 0)
        found = [np.unique(self._groups[rows]).size if grouped else 0 for rows in (scored, kept)]
        if self._rules.unscored:
            self._reasons[~self._columns.scored] = _KEPT
        return Choice(
            rules=self._rules, reasons=self._reasons, groups=found[0], groups_kept=found[1]
        )

    def _best_first(self) -> Rows:
        return best_first(self._columns, self._groups, np.flatnonzero(self._reasons == _KEPT))

    def _leave(self, which: Flags, reason: Reason) -> None:
        self._reasons[which & (self._reasons == _KEPT)] = REASONS.index(reason)

    def _leave_rows(self, rows: Rows, reason: Reason) -> None:
        self._reasons[rows[self._reasons[rows] == _KEPT]] = REASONS.index(reason)


def _check(
    columns: ScoreColumns, rules: Rules, groups: object, embeddings: Embeddings | None
) -> None:
    pairs = (("per", rules.per, "groups", groups), ("apart", rules.apart, "embeddings", embeddings))
    for rule, asked, needed, given in pairs:
        if (asked is None) != (given is None):
            raise OptionError(
                f"The rule {rule} and {needed} go together, got only one of them. Give both or "
                "neither."
            )
    if not columns.scored.any():
        raise InputError(
            f"A selection needs scores, got {len(columns)} rows without any in {columns.table}. "
            "Score pictures with faces first."
        )
    if len(columns.models) > 1:
        raise InputError(
            f"Scores of different models are not comparable, got {', '.join(columns.models)} in "
            f"{columns.table}. Select from the rows of one model."
        )


def _embedded(columns: ScoreColumns, embeddings: Embeddings, rows: Rows) -> Rows:
    """Where the embedding of each row is."""
    _refuse_shared(columns, rows)
    places = embeddings.rows(columns.paths[int(row)] for row in rows)
    missing = rows[places < 0]
    if missing.size:
        raise InputError(
            f"Expected an embedding of each of {rows.size} faces that are compared, got none of "
            f"{missing.size} of them, {columns.name(int(missing.min()))} for instance. Embed the "
            "same pictures, with paths relative to the same folder."
        )
    return places.astype(np.int64)


def _refuse_shared(columns: ScoreColumns, rows: Rows) -> None:
    """Refuse two faces of one picture: there is one embedding for both."""
    seen: dict[str, int] = {}
    for row in np.sort(rows).tolist() if columns.faces.any() else ():
        path = columns.paths[row]
        if seen.setdefault(path, row) != row:
            raise InputError(
                f"Expected one face a picture, as there is one embedding a picture, got two scored "
                f"faces of {path!r} in {columns.table}. Score with --faces largest or single."
            )
