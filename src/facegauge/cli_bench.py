"""The command line of measuring: bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facegauge import models
from facegauge.bench import measuring as benching
from facegauge.bench.measuring import Bench
from facegauge.choices import Input
from facegauge.devices import DEVICES
from facegauge.errors import OptionError
from facegauge.terminal import tell


def bench(
    path: Annotated[
        Path | None, typer.Argument(help="A folder of pictures; without one some are drawn.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Name or .onnx file; several with commas between.")
    ] = models.DEFAULT,
    input: Annotated[Input, typer.Option(help="What the pictures show.")] = Input.PHOTO,
    threads: Annotated[
        int | None,
        typer.Option("--threads", help="Workers of the road, each a core; default: all."),
    ] = None,
    device: Annotated[str, typer.Option(help=DEVICES)] = "cpu",
    count: Annotated[int, typer.Option(help="Pictures that are measured, at most.")] = 500,
    out: Annotated[Path | None, typer.Option(help="A .json file for the figures, too.")] = None,
) -> None:
    """Measure how fast this machine scores, where the time goes, and how much memory it takes."""
    found = benching.measure(
        path, model=model, input=input, workers=threads, device=device, count=count
    )
    if out is not None:
        _write(found, out)
    for table in (_road(found), _networks(found)):
        Console().print(table)
    for each in found.networks:
        if each.note:
            tell(f"{each.name} has no share: {each.note}")


def _write(found: Bench, out: Path) -> None:
    try:
        out.write_text(json.dumps(found.to_dict(), indent=2) + "\n")
    except OSError as error:
        raise OptionError(
            f"The figures need a place to write, got {out}: {error.strerror or error}. Pass "
            "another --out."
        ) from error


def _road(found: Bench) -> Table:
    """The stages on one thread, and all workers side by side."""
    title = f"{found.images} pictures ({found.source}, {found.input}), {found.machine}"
    table = Table("road", "ms an image", "images/s", "share", title=title, title_justify="left")
    for stage in found.stages:
        part = f"{stage.milliseconds / found.alone:.0%}"
        table.add_row(stage.name, f"{stage.milliseconds:.2f}", "", part)
    table.add_row("one thread", *_times(found.alone), "100%")
    table.add_row(f"{found.workers} workers, {found.device}", *_times(1e3 / found.rate), "")
    held = "unknown" if found.peak is None else f"{found.peak:.0f} MB"
    table.add_row("peak memory", held, "", "")
    return table


def _networks(found: Bench) -> Table:
    """Each network alone on one thread, beside what the thread multiplies at its best."""
    title = f"One thread of {found.device}; at its best {found.gigaflops:.0f} GFLOP/s"
    heads = ("network", "side", "ms, one in a call", "ms, as in the road", "M MACs", "share")
    table = Table(*heads, title=title, title_justify="left")
    for each in found.networks:
        macs = "" if each.macs is None else f"{each.macs / 1e6:.0f}"
        share = "" if each.share is None else f"{each.share:.0%}"
        times = f"{each.milliseconds:.2f}", f"{each.batched:.2f}"
        table.add_row(each.name, str(each.side), *times, macs, share)
    return table


def _times(milliseconds: float) -> tuple[str, str]:
    """Milliseconds an image, and images a second."""
    return f"{milliseconds:.2f}", f"{1e3 / milliseconds:.1f}"
