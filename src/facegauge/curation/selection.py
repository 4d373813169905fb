"""A score table becomes a smaller one: what ``facegauge select`` runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegauge import embeddings
from facegauge.curation.choice import Choice, choose
from facegauge.curation.excerpt import refuse_existing, refuse_out, write_excerpt
from facegauge.curation.links import LinkFolder
from facegauge.curation.members import Members
from facegauge.curation.reasons import write_reasons
from facegauge.curation.rules import Rules
from facegauge.embeddings import Embeddings
from facegauge.score_columns import ScoreColumns, read_score_columns


def select_faces(
    scores: Path | str,
    out: Path | str,
    rules: Rules,
    *,
    members: Members | None = None,
    vectors: Embeddings | Path | str | None = None,
    reasons: Path | str | None = None,
    links: LinkFolder | None = None,
) -> Choice:
    r"""Write the rows of a score table that the rules keep, in its order, as they are.

    Args:
        scores: a score table, csv, jsonl or parquet, or a csv ``path,score`` of any method.
        out: a new table; another suffix than that of ``scores`` converts.
        rules: what to keep.
        members: with ``rules.per``, the groups, from ``members.read_members``.
        vectors: with ``rules.apart``, embeddings or their ``.npz``.
        reasons: a new csv ``path,face,kept,reason`` with a row for every row of ``scores``.
        links: where to link the pictures of the rows that are kept.

    Returns:
        The reason of every row, and how many have which. With nothing kept ``out`` has no rows.

    Raises:
        TableError: not a score table, a score that is not finite, or a face twice.
        InputError: what ``choose`` refuses, or a picture to link to that is not there.
        OptionError: what ``choose`` refuses, a file that exists, or one that cannot be written.
        MissingExtra: parquet without pyarrow.

    Example:
        >>> import tempfile
        >>> made = tempfile.TemporaryDirectory()
        >>> folder = Path(made.name)
        >>> _ = (folder / "s.csv").write_text("path,score\na.jpg,10\nb.jpg,70\nc.jpg,\n")
        >>> print(select_faces(folder / "s.csv", folder / "best.csv", Rules(min_score=50)))
        3 rows; 1 kept; 1 without a score; 1 dropped by --min-score
        >>> print((folder / "best.csv").read_text().rstrip())
        path,score
        b.jpg,70
        >>> made.cleanup()
    """
    target, told = Path(out), None if reasons is None else Path(reasons)
    refuse_out(target)
    if told is not None:
        refuse_existing(told)
    columns = read_score_columns(scores)
    groups = None if members is None else members.of(columns)
    known = embeddings.read(vectors) if isinstance(vectors, (Path, str)) else vectors
    choice = choose(columns, rules, groups=groups, embeddings=known)
    if links is not None:
        links.check(_kept_paths(columns, choice))
    write_excerpt(columns, choice.kept, target)
    if told is not None:
        write_reasons(columns, choice, told)
    if links is not None:
        links.link(_kept_paths(columns, choice))
    return choice


def _kept_paths(columns: ScoreColumns, choice: Choice) -> list[str]:
    return [columns.paths[int(row)] for row in np.flatnonzero(choice.kept)]
