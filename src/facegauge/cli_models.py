"""The command line of model files: list, show, check, wrap, annotate, kinds, import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facegauge.cards import Card, Crop, View
from facegauge.errors import MissingExtra, OptionError, needing

models_app = typer.Typer(help="Look at, check and make model files.", no_args_is_help=True)


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
    """Print the card of a model as JSON, and what it costs: parameters and MACs."""
    from facegauge import costs, models

    content = json.loads(models.read_card(model).to_json())
    try:
        content["costs"] = costs.measure(model).to_dict()
    except MissingExtra as error:
        typer.echo(f"costs are left out: {error}", err=True)
    typer.echo(json.dumps(content, indent=2))


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
    convention: Annotated[str, typer.Option(help="arcface, adaface, bgr-unit, raw, ...")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    resampling: Annotated[
        str, typer.Option(help="Alignment: smooth, or reference as in published evaluations.")
    ] = "smooth",
) -> None:
    """Make a recogniser self-describing: uint8 RGB in, unit-length embeddings out."""
    from facegauge.baking import wrap_recogniser

    card = wrap_recogniser(file, convention, out, resampling=resampling)
    typer.echo(f"{card.identifier}: {out}")


@models_app.command()
def annotate(
    model: Annotated[str, typer.Argument(help="Name or .onnx file of a quality model.")],
    operating: Annotated[Path, typer.Argument(help="operating.json of facegauge evaluate edc.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
) -> None:
    """Put into a model's card what thresholds on its score cost: its operating tables."""
    from facegauge import baking, models
    from facegauge.operating import read_operating

    tables = read_operating(operating)
    name = models.read_card(model).identifier
    if name not in tables:
        raise OptionError(
            f"Expected operating tables of {name} in {operating}, got those of "
            f"{', '.join(tables) or 'none'}. Evaluate score tables made with this model."
        )
    card = baking.annotate(model, tables[name], out)
    typer.echo(f"{card.identifier} with {len(card.operating)} operating tables: {out}")


@models_app.command("import")
def import_checkpoint(
    kind: Annotated[str, typer.Argument(help="What is published; see: facegauge models kinds.")],
    file: Annotated[Path, typer.Argument(help="The checkpoint: torch or safetensors.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    calibrate: Annotated[
        Path | None,
        typer.Option(help="Folder of crops; the score becomes the percentile among them."),
    ] = None,
    commercial_only: Annotated[
        bool, typer.Option("--commercial-only", help="Refuse licences against commercial use.")
    ] = False,
    any_version: Annotated[
        bool, typer.Option("--any-version", help="Take a file of another sha256, too.")
    ] = False,
) -> None:
    """Write a published quality model as one self-describing ONNX file."""
    with needing("train", "facegauge models import"):
        from facegauge.train.imports import import_model
    card = import_model(
        kind,
        file,
        out,
        faces=calibrate,
        commercial_only=commercial_only,
        any_version=any_version,
    )
    typer.echo(f"{card.identifier}: {out} ({out.stat().st_size / 1e6:.2f} MB)")


@models_app.command("kinds")
def list_kinds() -> None:
    """What can be imported: input, meaning of the score, licence and source."""
    from facegauge.train.kinds import KINDS

    for kind in KINDS.values():
        use = "commercial use allowed" if kind.commercial else "not for commercial use"
        typer.echo(f"{kind.name}: {kind.judges}, {_view(kind.crop)}, {kind.scale}")
        typer.echo(f"  licence: {kind.licence} ({use})\n  source: {kind.source}")


def _input(card: Card) -> str:
    return f"photo, {card.crop.size} long" if card.crop.view is View.PHOTO else _view(card.crop)


def _view(crop: Crop) -> str:
    return f"{crop.view} {crop.size}x{crop.size}"
