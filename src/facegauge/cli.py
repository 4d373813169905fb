"""The command line: parse, call one function, print. Exit codes live here and nowhere below.

0 done; 1 nothing could be scored, or a model that fails its check; 2 wrong usage.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from facegauge.alignment import Mode
from facegauge.batch import Summary, score_images
from facegauge.cards import Card
from facegauge.errors import FacegaugeError, MissingExtra, OptionError
from facegauge.score_row import SCORE_COLUMNS, ScoreRow
from facegauge.scoring import FaceChoice, Input, Scorer
from facegauge.tables import read_landmarks

app = typer.Typer(
    name="facegauge",
    help="Face image quality: align, score, train, export.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
models_app = typer.Typer(help="Look at, check and make model files.", no_args_is_help=True)
app.add_typer(models_app, name="models")

_complaints = Console(stderr=True)

Paths = Annotated[list[str], typer.Argument(help="Image files or folders.")]
ModelName = Annotated[str, typer.Option(help="Name of an embedded model, or an .onnx file.")]
LandmarkFile = Annotated[Path | None, typer.Option(help="csv with five landmarks per face.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key=value; may be repeated.")]


def main() -> None:
    """Run the command line; every error of ours becomes one line and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except FacegaugeError as error:
        _complaints.print(f"facegauge: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


@app.callback(invoke_without_command=True)
def front(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Face image quality: align, score, train, export."""
    if version:
        typer.echo(metadata.version("facegauge"))
        raise typer.Exit


@app.command()
def score(
    paths: Paths,
    model: ModelName = "utility",
    input: Annotated[Input, typer.Option(help="What the pictures show.")] = Input.PHOTO,
    landmarks: LandmarkFile = None,
    faces: Annotated[FaceChoice, typer.Option(help="Which faces are scored.")] = FaceChoice.LARGEST,
    out: Annotated[Path | None, typer.Option(help=".csv, .jsonl or .parquet.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an existing table.")] = False,
    workers: Annotated[int | None, typer.Option(help="Reading threads; default: cores.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images per network call.")] = 32,
    device: Device = "cpu",
) -> None:
    """Score images: one row per face, or one that says why an image has no score."""
    if input is Input.PHOTO and landmarks is None:
        raise OptionError(
            "A photo needs the landmarks of its faces, as this version has no detector yet. Choose "
            "--landmarks CSV, or --input crop for loosely cropped faces, or --input aligned for "
            "aligned ones."
        )
    scorer = Scorer(model, input=input, faces=faces, device=device)
    table = None if landmarks is None else read_landmarks(landmarks)
    with _counting("images") as count:
        summary = score_images(
            paths,
            scorer=scorer,
            out=out,
            landmarks=table,
            resume=resume,
            workers=workers,
            batch_size=batch_size,
            progress=count,
            emit=_row_printer() if out is None else None,
        )
    _report(summary, landmarks)
    if not summary.scored and not summary.skipped:
        raise typer.Exit(1)


@app.command()
def align(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="Folder for the crops (PNG).")],
    landmarks: Annotated[Path, typer.Option(help="csv with five landmarks per face.")],
    size: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 112,
    mode: Annotated[Mode, typer.Option(help="How crops are resampled.")] = Mode.SMOOTH,
    jitter: Annotated[float, typer.Option(help="Landmark noise, +- source pixels.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
) -> None:
    """Write aligned crops, one PNG per face."""
    from facegauge.crops import write_crops

    table = read_landmarks(landmarks)
    with _counting("images") as count:
        written = write_crops(
            paths, out, table, size=size, mode=mode, jitter=jitter, seed=seed, progress=count
        )
    for problem in written.problems:
        _complaints.print(problem, markup=False, soft_wrap=True)
    typer.echo(f"{written.crops} crops in {out}")
    if not written.crops:
        raise typer.Exit(1)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; see: facegauge recipes.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    data: Annotated[Path, typer.Option(help="Folder of landmark tables and pictures.")],
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an existing run.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that prepare crops.")] = 1,
    device: Device = "cpu",
) -> None:
    """Train a model by a recipe; a killed run goes on with --resume."""
    with _extra("facegauge train", "train"):
        from facegauge.train import first, recipes
    chosen = recipes.recipe(recipe, tuple(settings or ()))
    run = first.train(chosen, data, out, resume=resume, workers=workers, device=device)
    best = run.facts()["best"]
    typer.echo("  ".join(f"{key} {value:.4f}" for key, value in best.items()))
    typer.echo(f"Export it with: facegauge export {out} --out FILE.onnx")


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print only this one.")] = None,
) -> None:
    """Print the recipes, every field with its value."""
    with _extra("facegauge recipes", "train"):
        from facegauge.train import recipes as known
    for each in [name] if name else list(known.RECIPES):
        typer.echo(f"[{each}]")
        for key, value in known.describe(known.recipe(each)).items():
            typer.echo(f"{key} = {','.join(value) if isinstance(value, tuple) else value}")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    settings: Settings = None,
) -> None:
    """Write a finished run as one self-describing ONNX file.

    --set changes what only the card knows: name, version, licence, frame.
    """
    with _extra("facegauge export", "train"):
        from facegauge.train.export import export_run
    card = export_run(run, out, tuple(settings or ()))
    typer.echo(f"{card.identifier}: {out} ({out.stat().st_size / 1e6:.2f} MB)")


@models_app.command("list")
def list_models() -> None:
    """The models that come with the package."""
    from facegauge import models

    table = Table("name", "version", "kind", "input", "size")
    for card in models.available():
        megabytes = models.locate(card.name).stat().st_size / 1e6
        table.add_row(card.name, card.version, card.kind, _input(card), f"{megabytes:.2f} MB")
    Console().print(table)


@models_app.command()
def show(model: Annotated[str, typer.Argument(help="Name or .onnx file.")]) -> None:
    """Print the card of a model as JSON."""
    from facegauge import models

    typer.echo(json.dumps(json.loads(models.read_card(model).to_json()), indent=2))


@models_app.command()
def check(model: Annotated[str, typer.Argument(help="Name or .onnx file.")]) -> None:
    """Compare a model with its golden vectors: exit 0 when they come back, 1 when not."""
    from facegauge import models

    opened = models.open(model, check=False)
    difference = opened.golden_difference()
    good = opened.reproduces_golden()
    verdict = "ok" if good else "FAILED"
    typer.echo(f"{opened.card.identifier}: {verdict}, differs by {difference:.2g}")
    if not good:
        raise typer.Exit(1)


@models_app.command()
def wrap(
    file: Annotated[Path, typer.Argument(help="A bare recogniser, ONNX.")],
    convention: Annotated[str, typer.Option(help="arcface, bgr-unit, raw, ...")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
) -> None:
    """Make a recogniser self-describing: uint8 RGB in, unit-length embeddings out."""
    from facegauge.baking import wrap_recogniser

    card = wrap_recogniser(file, convention, out)
    typer.echo(f"{card.identifier}: {out}")


def _input(card: Card) -> str:
    return f"{card.crop.view} {card.crop.size}x{card.crop.size}"


def _row_printer() -> Callable[[ScoreRow], None]:
    """Rows to stdout as csv, the heading before the first."""
    writer = csv.DictWriter(sys.stdout, SCORE_COLUMNS, lineterminator="\n")
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    writer.writeheader()
    return lambda row: writer.writerow(row.to_dict())


def _report(summary: Summary, landmarks: Path | None) -> None:
    """What a person wants to know at the end, on stderr."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in summary.outcomes.items())
    parts = [f"{summary.images} images", counts or "nothing new"]
    if summary.skipped:
        parts.append(f"{summary.skipped} in the table already")
    if summary.passed_over:
        parts.append(f"{summary.passed_over} files without an image suffix passed over")
    _complaints.print("; ".join(parts), markup=False, highlight=False, soft_wrap=True)
    if summary.landmarks_matched is not None and summary.landmarks_matched < summary.images:
        _complaints.print(
            f"{summary.landmarks_matched} of {summary.images} images have landmarks in "
            f"{landmarks}; its paths must be relative to the folder given, with '/'.",
            style="red",
            markup=False,
            soft_wrap=True,
        )


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """A running count on a terminal; silent when piped."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} " + what),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
    )
    shown = sys.stderr.isatty()
    with Progress(*columns, console=_complaints, disable=not shown, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)


@contextmanager
def _extra(what: str, extra: str) -> Iterator[None]:
    """Turn a missing optional dependency into the line that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(what, extra, error.name or "a dependency") from error
