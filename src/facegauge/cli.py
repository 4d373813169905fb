"""The command line: parse, call one function, print. Exit codes live here and nowhere below.

0 done; 1 nothing could be scored, or a model that fails its check; 2 wrong usage.
"""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from facegauge import detection, panel
from facegauge.alignment import Mode
from facegauge.batch import BATCH, Summary, score_images
from facegauge.choices import Engine, FaceChoice, Input
from facegauge.cli_bench import bench
from facegauge.cli_curate import compare, select
from facegauge.cli_evaluate import embed, evaluate_app
from facegauge.cli_label import label
from facegauge.cli_models import models_app
from facegauge.cli_scale import on_ray
from facegauge.cli_serve import serve
from facegauge.crops import write_crops
from facegauge.detection import Search
from facegauge.devices import DEVICES
from facegauge.drawing import Drawings
from facegauge.errors import FacegaugeError, OptionError, needing
from facegauge.face_table import create, find_faces
from facegauge.tables import read_landmarks
from facegauge.terminal import (
    complain,
    counting,
    finish_rows,
    report_faces,
    report_scores,
    row_printer,
    tell,
)

app = typer.Typer(
    name="facegauge",
    help="Face image quality: align, score, train, export.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(models_app, name="models")
app.add_typer(evaluate_app, name="evaluate")
app.command()(embed)
app.command()(label)
app.command()(serve)
app.command()(select)
app.command()(compare)
app.command()(bench)

Paths = Annotated[list[str], typer.Argument(help="Image files, folders or archives.")]
ModelName = Annotated[
    str,
    typer.Option(help="Name of an embedded model or an .onnx file; several with commas between."),
]
LandmarkFile = Annotated[Path | None, typer.Option(help="csv with five landmarks per face.")]
DetectorFile = Annotated[
    str | None, typer.Option(help="A facegauge detector, or a published YuNet or SCRFD file.")
]
FoundFaces = Annotated[Search, typer.Option("--faces", help="Which faces of a picture.")]
Workers = Annotated[int | None, typer.Option(help="Threads, each a core; default: all.")]
Device = Annotated[str, typer.Option(help=DEVICES)]
TrainingDevice = Annotated[str, typer.Option(help="cpu or cuda.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key=value; may be repeated.")]


def main() -> None:
    """Run the command line; every error of ours becomes one line and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except FacegaugeError as error:
        complain(f"facegauge: {error}")
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
    detector: DetectorFile = None,
    faces: Annotated[
        FaceChoice, typer.Option(help="Which faces are scored; single: expect one face.")
    ] = FaceChoice.LARGEST,
    out: Annotated[Path | None, typer.Option(help=".csv, .jsonl or .parquet.")] = None,
    draw: Annotated[Path | None, typer.Option(help="Folder for pictures with the scores.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an existing table.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what was worst about each face, with advice.")
    ] = False,
    workers: Workers = None,
    batch_size: Annotated[int, typer.Option(help="Images per network call.")] = BATCH,
    device: Device = "cpu",
    engine: Annotated[
        Engine, typer.Option(help="local, or ray: on many machines; --out is a folder then.")
    ] = Engine.LOCAL,
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT of a Ray cluster; default: start one here.")
    ] = None,
) -> None:
    """Score images: one row per face, or one that says why an image has no score.

    Faces in photos are found by the detector unless a table of landmarks says where they are.
    """
    _only_one(landmarks, detector)
    if engine is Engine.RAY:
        summary = on_ray(
            paths,
            out,
            {
                **{"model": model, "input": input, "faces": faces, "detector": detector},
                **{"device": device, "explain": explain, "batch_size": batch_size},
            },
            landmarks=landmarks,
            draw=draw,
            resume=resume,
            address=address,
            workers=workers,
        )
        _scored(summary, landmarks)
        return
    scorer = panel.open(
        model,
        input=input,
        faces=faces,
        detector=detector,
        threads=1,  # the workers are the threads, see threads.py
        device=device,
        explain=explain,
    )
    table = None if landmarks is None else read_landmarks(landmarks)
    drawings = None if draw is None else Drawings(draw, paths, resume=resume)
    with counting("images") as count:
        summary = score_images(
            paths,
            scorer=scorer,
            out=out,
            landmarks=table,
            resume=resume,
            workers=workers,
            batch_size=batch_size,
            progress=count,
            emit=row_printer(1 + len(scorer.further)) if out is None else None,
            seen=None if drawings is None else drawings.draw,
        )
    if out is None:
        finish_rows()
    _scored(summary, landmarks)


def _scored(summary: Summary, landmarks: Path | None) -> None:
    report_scores(summary, landmarks)
    if not summary.scored and not summary.skipped:
        raise typer.Exit(1)


@app.command()
def detect(
    paths: Paths,
    out: Annotated[Path | None, typer.Option(help="A new .csv; default: the terminal.")] = None,
    detector: DetectorFile = None,
    confidence: Annotated[
        float | None, typer.Option(help="Least confidence of a face, 0..1; default: its own.")
    ] = None,
    faces: FoundFaces = Search.ALL,
    workers: Workers = None,
) -> None:
    """Find faces: a csv with a row per face, which --landmarks takes as it is."""
    opened = detection.open(detector or detection.DEFAULT, confidence=confidence)
    target = nullcontext(sys.stdout.buffer) if out is None else create(out)
    with target as file, counting("images") as count:
        found = find_faces(
            paths,
            file.write,
            detector=opened,
            faces=faces,
            workers=workers,
            progress=count,
            complain=tell,
        )
    report_faces(found)
    if not found.faces:
        raise typer.Exit(1)


@app.command()
def align(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="Folder for the crops (PNG).")],
    landmarks: LandmarkFile = None,
    detector: DetectorFile = None,
    faces: FoundFaces = Search.ALL,
    size: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 112,
    mode: Annotated[Mode, typer.Option(help="How crops are resampled.")] = Mode.SMOOTH,
    jitter: Annotated[float, typer.Option(help="Landmark noise, +- source pixels.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
) -> None:
    """Write aligned crops, one PNG per face that the landmarks or the detector know."""
    _only_one(landmarks, detector)
    table = None if landmarks is None else read_landmarks(landmarks)
    name = detector or detection.DEFAULT
    finder = None if landmarks is not None else detection.open(name, threads=None)
    with counting("images") as count:
        written = write_crops(
            paths,
            out,
            table,
            detector=finder,
            faces=faces,
            size=size,
            mode=mode,
            jitter=jitter,
            seed=seed,
            progress=count,
        )
    for problem in written.problems:
        tell(problem)
    typer.echo(f"{written.crops} crops in {out}")
    if not written.crops:
        raise typer.Exit(1)


def _only_one(landmarks: Path | None, detector: str | None) -> None:
    if landmarks is not None and detector is not None:
        raise OptionError(
            f"--landmarks says where the faces are, and so does --detector {detector}. Give one."
        )


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; see: facegauge recipes.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    data: Annotated[Path, typer.Option(help="Folder of landmark tables and pictures.")],
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an existing run.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that prepare crops.")] = 1,
    device: TrainingDevice = "cpu",
    stage: Annotated[
        list[str] | None, typer.Option(help="Only this stage of efficient-fiqa; may be repeated.")
    ] = None,
) -> None:
    """Train a model by a recipe; a killed run goes on with --resume."""
    with needing("train", "facegauge train"):
        from facegauge.train import journeys, recipes
    chosen = recipes.recipe(recipe, tuple(settings or ()))
    run = journeys.train(
        chosen,
        data,
        out,
        resume=resume,
        workers=workers,
        device=device,
        stages=tuple(stage or ()),
    )
    best = run.facts().get("best")
    if best is None:  # only some stages
        return
    typer.echo("  ".join(f"{key} {value:.4f}" for key, value in best.items()))
    typer.echo(f"Export it with: facegauge export {out} --out FILE.onnx")


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print only this one.")] = None,
) -> None:
    """Print the recipes, every field with its value."""
    with needing("train", "facegauge recipes"):
        from facegauge.train import recipes as known
    for each in [name] if name else list(known.RECIPES):
        typer.echo(f"[{each}]")
        for key, value in known.fields(known.recipe(each)).items():
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
            typer.echo(f"{key} = {shown}")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    settings: Settings = None,
    recogniser: Annotated[
        bool, typer.Option("--recogniser", help="Write what cr-fiqa or magface recognises with.")
    ] = False,
) -> None:
    """Write a finished run as one self-describing ONNX file.

    --set changes what only the card knows: name, version, licence, frame.
    """
    with needing("train", "facegauge export"):
        from facegauge.train.export import export_run
    card = export_run(run, out, tuple(settings or ()), recogniser=recogniser)
    typer.echo(f"{card.identifier}: {out} ({out.stat().st_size / 1e6:.2f} MB)")
