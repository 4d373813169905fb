"""The command line of techniques: label pictures with what a recogniser makes of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegauge.errors import OptionError, needing
from facegauge.tables import read_identities
from facegauge.terminal import counting, faces_known, tell

if TYPE_CHECKING:
    from facegauge.techniques.difiqa import DifFiqa, Disturb
    from facegauge.techniques.faceqan import Attack, FaceQan
    from facegauge.techniques.technique import Labels

FULL_REFERENCE = "full-reference"
"""The one technique that makes the pictures that it labels."""


def label(
    technique: Annotated[
        str,
        typer.Argument(
            help="ser-fiq, faceqan, sdd-fiqa, faceqnet, cr-fiqa, difiqa, probe, norm or "
            "full-reference."
        ),
    ],
    images: Annotated[Path, typer.Option(help="Folder of the pictures.")],
    out: Annotated[Path, typer.Option(help="A new .csv path,label; a .json goes with it.")],
    recogniser: Annotated[
        str | None,
        typer.Option(help="A recogniser of ours, for all but full-reference; see: models wrap."),
    ] = None,
    identities: Annotated[
        Path | None,
        typer.Option(
            help="csv path,identity; for sdd-fiqa, faceqnet, cr-fiqa, probe and, with split, "
            "full-reference."
        ),
    ] = None,
    diffusion: Annotated[
        Path | None, typer.Option(help="A finished run of the recipe difiqa; for difiqa.")
    ] = None,
    landmarks: Annotated[
        Path | None, typer.Option(help="csv with five landmarks per face.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="What finds the faces; default: the embedded one.")
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are aligned crops.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="constant=value; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn at random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed run.")] = False,
    workers: Annotated[int | None, typer.Option(help="Reading threads; default: cores.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images per network call.")] = 32,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Label the largest face of each picture by a technique; a killed run goes on with --resume.

    full-reference degrades clean pictures into a folder beside the table, and labels those.
    """
    if technique == FULL_REFERENCE:
        _need_nothing(recogniser=recogniser, landmarks=landmarks, detector=detector)
        _label_degraded(_folder(images), out, settings or [], identities, seed, resume)
        return
    if recogniser is None:
        raise OptionError(f"{technique} asks a recogniser, got none. Pass --recogniser FILE.")
    from facegauge import models
    from facegauge.techniques import catalogue
    from facegauge.techniques.labelling import label_images

    table, finder = faces_known(landmarks, detector, aligned)
    opened = models.open(recogniser, device=device)
    chosen = catalogue.make(
        technique,
        opened,
        settings=settings or (),
        seed=seed,
        attacker=partial(_attacker, device),
        disturber=None if diffusion is None else partial(_disturber, diffusion, device),
    )
    with counting("images") as count:
        labels = label_images(
            [_folder(images)],
            out,
            chosen,
            opened,
            identities=None if identities is None else read_identities(identities),
            landmarks=table,
            detector=finder,
            aligned=aligned,
            resume=resume,
            workers=workers,
            batch_size=batch_size,
            sources=_sources(diffusion),
            progress=count,
        )
    _told(labels, out)


def _told(labels: Labels, out: Path) -> None:
    for each in labels.left_out:
        tell(str(each))
    if not labels.paths:
        raise typer.Exit(1)
    typer.echo(f"{len(labels.paths)} labels in {out}, {len(labels.left_out)} left out")


def _label_degraded(
    images: Path, out: Path, settings: list[str], identities: Path | None, seed: int, resume: bool
) -> None:
    """Degrade the pictures of a folder and label what comes out, by torch and piq."""
    with needing("train", "facegauge label full-reference"):
        from facegauge.train.full_reference import label_folder
    with counting("images") as count:
        labels = label_folder(
            images, out, settings, identities=identities, seed=seed, resume=resume, progress=count
        )
    _told(labels, out)


def _need_nothing(**given: object) -> None:
    told = [f"--{name}" for name, value in given.items() if value is not None]
    if told:
        raise OptionError(
            f"{FULL_REFERENCE} looks at whole pictures and asks no recogniser, got "
            f"{', '.join(told)}. Leave it out."
        )


def _attacker(device: str, recogniser: Path, constants: FaceQan) -> Attack:
    """What gives FaceQAN gradients, by torch."""
    with needing("train", "facegauge label faceqan"):
        from facegauge.train.faceqan_gradients import attacker
    return attacker(recogniser, constants, device)


def _disturber(run: Path, device: str, constants: DifFiqa, seed: int) -> Disturb:
    """What noises and restores faces for DifFIQA, by torch and diffusers."""
    with needing("train", "facegauge label difiqa"):
        from facegauge.train.diffusion_labels import disturber
    return disturber(run, constants, seed, device)


def _sources(diffusion: Path | None) -> dict[str, Path]:
    """The weights of the diffusion network, where there is one."""
    if diffusion is None:
        return {}
    with needing("train", "facegauge label difiqa"):
        from facegauge.train.runs import Run
    return {"diffusion": Run(folder=diffusion).weights}


def _folder(images: Path) -> Path:
    if not images.is_dir():
        raise OptionError(f"Expected a folder of pictures, got {images}. Correct --images.")
    return images
