"""Why each row of a score table is kept or not: a csv ``path,face,kept,reason``."""

from __future__ import annotations

import csv
from pathlib import Path

from facegauge.curation.choice import REASONS, Choice
from facegauge.curation.excerpt import refuse_existing
from facegauge.errors import OptionError
from facegauge.score_cells import escaped
from facegauge.score_columns import ScoreColumns

COLUMNS = ("path", "face", "kept", "reason")


def write_reasons(columns: ScoreColumns, choice: Choice, out: Path) -> None:
    """Write a row for each row of the table, in its order: ``kept`` 1 or 0, and the rule.

    Raises:
        OptionError: the file exists, or cannot be written.
    """
    refuse_existing(out)
    reasons, kept = choice.reasons.tolist(), choice.kept.tolist()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row, path in enumerate(columns.paths):
                cells = (columns.faces[row], int(kept[row]), str(REASONS[reasons[row]]))
                writer.writerow((escaped(path), *cells))
    except OSError as error:
        raise OptionError(
            f"The reasons need a place to write, got {out}: {error.strerror or error}. Pass "
            "another --reasons."
        ) from error
