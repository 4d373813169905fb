"""The command line of curation: select the best faces, and compare the scores of data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegauge.curation.rules import Per, Rules
from facegauge.errors import OptionError
from facegauge.terminal import complain, tell

if TYPE_CHECKING:
    from facegauge.curation.links import LinkFolder
    from facegauge.curation.members import Members


def select(
    scores: Annotated[Path, typer.Option(help="A score table, or a folder of parts.")],
    out: Annotated[Path, typer.Option(help="A new table with the rows that are kept.")],
    per: Annotated[Per | None, typer.Option(help="Ask for each identity or track.")] = None,
    keep: Annotated[int | None, typer.Option(help="Keep so many best faces of each.")] = None,
    discard: Annotated[
        float | None, typer.Option(help="Leave out this share of each, the lowest scores.")
    ] = None,
    min_score: Annotated[float | None, typer.Option(help="Leave out lower scores.")] = None,
    apart: Annotated[
        float | None, typer.Option(help="Of faces whose cosine is above this keep the best.")
    ] = None,
    identities: Annotated[Path | None, typer.Option(help="csv path,identity or with face.")] = None,
    tracks: Annotated[Path | None, typer.Option(help="csv path,track or path,face,track.")] = None,
    embeddings: Annotated[Path | None, typer.Option(help=".npz of facegauge embed.")] = None,
    unscored: Annotated[
        bool, typer.Option("--unscored", help="Keep all rows without a score, too.")
    ] = False,
    reasons: Annotated[
        Path | None, typer.Option(help="A new csv: for every row, kept or why not.")
    ] = None,
    link_to: Annotated[
        Path | None, typer.Option(help="New or empty folder for links to what is kept.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder that was scored; for links.")] = None,
) -> None:
    """Keep the best faces of a score table: by score, per identity or track, apart.

    Rules are asked in this order: --discard, --min-score, --apart, --keep.
    """
    from facegauge.curation.selection import select_faces

    rules = Rules(
        per=per, keep=keep, discard=discard, min_score=min_score, apart=apart, unscored=unscored
    )
    choice = select_faces(
        scores,
        out,
        rules,
        members=_members(per, {Per.IDENTITY: identities, Per.TRACK: tracks}),
        vectors=embeddings,
        reasons=reasons,
        links=_links(link_to, images),
    )
    tell(str(choice))
    if not choice.kept.any():
        raise typer.Exit(1)


def compare(
    tables: Annotated[list[Path], typer.Argument(help="Score tables; the first is the reference.")],
    out: Annotated[Path, typer.Option(help="Folder for the report; files in it are replaced.")],
    names: Annotated[
        str | None, typer.Option(help="Names of the sets, with commas between; default: files.")
    ] = None,
    different_models: Annotated[
        bool, typer.Option("--different-models", help="Compare scores of different models.")
    ] = False,
    resamples: Annotated[
        int, typer.Option(help="Resamples for the median's interval; 0: none.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
) -> None:
    """Compare the scores of data sets: how they are spread, and how far apart they are."""
    from facegauge.evaluate.contrast_report import compare_sets
    from facegauge.evaluate.spread import read_spreads

    spreads = read_spreads(tables, names.split(",") if names else ())
    report = compare_sets(
        spreads, different_models=different_models, resamples=resamples, seed=seed
    )
    report.write(out)
    if report.warning:
        complain(report.warning)
    typer.echo(str(report))


def _members(per: Per | None, tables: dict[Per, Path | None]) -> Members | None:
    """The groups of the table that ``per`` asks for, which alone is given."""
    from facegauge.curation.members import read_members

    names = {Per.IDENTITY: "--identities", Per.TRACK: "--tracks"}
    given = [kind for kind, table in tables.items() if table is not None]
    if given != ([] if per is None else [per]):
        came = " and ".join(names[kind] for kind in given) or "no table"
        needs = "no table without --per" if per is None else f"{names[per]} with --per {per}"
        raise OptionError(f"Expected {needs}, got {came}. Give what belongs together.")
    table = None if per is None else tables[per]
    return None if per is None or table is None else read_members(table, per)


def _links(link_to: Path | None, images: Path | None) -> LinkFolder | None:
    from facegauge.curation.links import LinkFolder

    if (link_to is None) != (images is None):
        raise OptionError("--link-to and --images go together, got only one. Give both.")
    return None if link_to is None or images is None else LinkFolder(out=link_to, images=images)
