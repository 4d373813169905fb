"""What all rows of one score table have in common: the models, and whether they are explained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facegauge.errors import OptionError
from facegauge.score_row import ScoreRow
from facegauge.values import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRun:
    """The models of a run, the one of ``score`` first, and whether details say of measures."""

    models: tuple[str, ...]
    explain: bool = False

    def check(self, table: Path, row: ScoreRow) -> None:
        """Refuse a table with a row that this run would not have written.

        Raises:
            OptionError: a row by other models, or one explained where this run explains none, or
                the other way round.
        """
        if row.model not in ("", self.models[0]) or row.models[1:] != self.models[1:]:
            raise OptionError(
                f"A score table holds scores by one model, or by the same ones; {table} has rows "
                f"by {', '.join(row.models)!r}, and this run uses {', '.join(self.models)!r}. Pass "
                "another --out, or the same --model."
            )
        if self.explain != row.explained and (row.explained or row.outcome is Outcome.SCORED):
            has, option = ("", "with") if row.explained else ("no ", "without")
            raise OptionError(
                f"A score table explains all of its faces or none; {table} has rows with {has}"
                f"measures. Go on {option} --explain, or pass another --out."
            )
