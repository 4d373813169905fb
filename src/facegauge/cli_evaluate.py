"""The command line of evaluation: embed, and evaluate set, edc, correlation, alignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegauge.errors import OptionError
from facegauge.tables import read_identities, read_labels, read_landmarks
from facegauge.terminal import counting, faces_known, tell

if TYPE_CHECKING:
    from facegauge.embeddings import Embeddings
    from facegauge.evaluate.edc_journey import Truth
    from facegauge.evaluate.template_pooling import TemplateTable

evaluate_app = typer.Typer(help="Find out how good a score is.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder for the report; files in it are replaced.")]
ScoreTables = Annotated[list[Path], typer.Option(help="A score table; may be repeated.")]
LandmarkFile = Annotated[Path | None, typer.Option(help="csv with five landmarks per face.")]
IdentityFile = Annotated[Path | None, typer.Option(help="csv path,identity: compare all.")]
PresetName = Annotated[str, typer.Option(help="difiqa, fiqat, crfiqa, nist or ofiq.")]
Fmr = Annotated[float | None, typer.Option(help="False match rate; default: the preset's, 1e-3.")]
Discard = Annotated[float | None, typer.Option(help="Where the area ends; default: the preset's.")]
PeopleResamples = Annotated[
    int, typer.Option(help="Resamples of the people for intervals; 0: none.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything drawn at random.")]


def embed(
    paths: Annotated[list[str], typer.Argument(help="Image files or folders.")],
    recogniser: Annotated[
        str, typer.Option(help="A recogniser of ours; see: facegauge models wrap.")
    ],
    out: Annotated[Path, typer.Option(help="A new .npz with paths and embeddings.")],
    landmarks: LandmarkFile = None,
    detector: Annotated[
        str | None, typer.Option(help="What finds the faces; default: the embedded one.")
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are aligned crops.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Reading threads; default: cores.")] = None,
) -> None:
    """Write a recogniser's embedding of the largest face of each picture."""
    from facegauge import models
    from facegauge.embedding import embed_images

    table, finder = faces_known(landmarks, detector, aligned)
    if out.exists():
        raise OptionError(f"{out} exists already and is not overwritten. Choose another --out.")
    with counting("images") as count:
        found = embed_images(
            paths,
            recogniser=models.open(recogniser),
            landmarks=table,
            detector=finder,
            aligned=aligned,
            workers=workers,
            progress=count,
        )
    for each in found.left_out:
        tell(str(each))
    if not len(found.embeddings):
        raise typer.Exit(1)
    found.embeddings.save(out)
    typer.echo(f"{len(found.embeddings)} embeddings in {out}, {len(found.left_out)} left out")


@evaluate_app.command("set")
def benchmark_set(
    path: Annotated[Path, typer.Argument(help="Folder of the set, its .bin or its list.")],
    out: Annotated[Path, typer.Option(help="New or empty folder for the tables.")],
    layout: Annotated[
        str | None,
        typer.Option(help="lfw, xqlfw, insightface, adience, ijb or folder; default: recognised."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, where it is not the usual one.")
    ] = None,
) -> None:
    """Bring a benchmark set into the tables that score, embed and evaluate edc take."""
    from facegauge.evaluate import benchmark
    from facegauge.evaluate.set_writer import refuse_used, write_set

    refuse_used(out)
    typer.echo(str(write_set(benchmark.open(path, layout, images=images), out)))


@evaluate_app.command()
def edc(
    scores: ScoreTables,
    embeddings: Annotated[
        list[Path], typer.Option(help="Embeddings by one recogniser; may be repeated.")
    ],
    out: Out,
    pairs: Annotated[
        Path | None, typer.Option(help="csv path_a,path_b,mated: compare these.")
    ] = None,
    identities: IdentityFile = None,
    templates: Annotated[
        Path | None, typer.Option(help="csv path,template,media: the pairs are of templates.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The set's; default: its table's.")] = None,
    preset: PresetName = "difiqa",
    fmr: Fmr = None,
    discard: Discard = None,
    groups: Annotated[Path | None, typer.Option(help="csv path,group: rows by group.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, to show some faces.")
    ] = None,
    resamples: PeopleResamples = 1000,
    seed: Seed = 0,
) -> None:
    """Error versus discard: what is left of a recogniser's errors when low scores leave."""
    from facegauge.evaluate.edc_journey import chosen_preset, evaluate_edc
    from facegauge.evaluate.groups import read_groups
    from facegauge.evaluate.score_files import pictures_in, read_score_files

    chosen = chosen_preset(preset, fmr, discard)
    set_name, truth = _truth(pairs, identities)
    table = None if templates is None else _templates(templates, truth, images)
    files, found = read_score_files(scores), _by_recogniser(embeddings)
    if table is not None:
        pooled = table.pooled(files, found)
        files, found = pooled.scores, pooled.embeddings
    report = evaluate_edc(
        files,
        found,
        truth,
        preset=chosen,
        set_name=name or set_name,
        groups=None if groups is None else read_groups(groups),
        resamples=resamples,
        seed=seed,
    )
    report.write(out, None if images is None else pictures_in(images, files))
    typer.echo(str(report))


def _truth(pairs: Path | None, identities: Path | None) -> tuple[str, Truth]:
    """The name of the set, and what is compared in it."""
    from facegauge.evaluate.pairs import read_pairs

    if pairs is not None and identities is None:
        return pairs.stem, read_pairs(pairs)
    if identities is None or pairs is not None:
        raise OptionError(
            "What is compared comes from --pairs or from --identities, got "
            f"{'neither' if pairs is None else 'both'}. Give one of the two."
        )
    return identities.stem, read_identities(identities)


def _templates(file: Path, truth: Truth, images: Path | None) -> TemplateTable:
    """The templates whose pairs are compared."""
    from facegauge.evaluate.pairs import PairTable
    from facegauge.evaluate.template_pooling import read_templates

    if images is not None or not isinstance(truth, PairTable):
        raise OptionError(
            "--templates goes with --pairs of templates, which are no single faces to show, got "
            f"{'--identities' if images is None else '--images'}. Leave one of the two out."
        )
    table = read_templates(file)
    table.refuse_others(truth)
    return table


def _by_recogniser(files: Sequence[Path]) -> dict[str, Embeddings]:
    """Embeddings by the stem of their file."""
    from facegauge.embeddings import read

    stems = [file.stem for file in files]
    if len(set(stems)) < len(stems):
        raise OptionError(
            "Recognisers are named after their files, which need different names, got "
            f"{', '.join(stems)}. Rename one."
        )
    return {file.stem: read(file) for file in files}


@evaluate_app.command()
def correlation(
    scores: Annotated[Path, typer.Option(help="A score table.")],
    labels: Annotated[Path, typer.Option(help="csv path,label.")],
    out: Out,
    resamples: Annotated[
        int, typer.Option(help="Resamples of the images for intervals; 0: none.")
    ] = 1000,
    seed: Seed = 0,
) -> None:
    """Agreement of scores with labels: SRCC, PLCC, KRCC, RMSE."""
    from facegauge.evaluate.correlation_journey import evaluate_correlation
    from facegauge.evaluate.score_files import read_score_files

    [file] = read_score_files([scores])
    report = evaluate_correlation(file, read_labels(labels), resamples=resamples, seed=seed)
    report.write(out)
    typer.echo(str(report))


@evaluate_app.command("alignment")
def misalignment(
    images: Annotated[Path, typer.Option(help="Folder of the pictures.")],
    landmarks: Annotated[Path, typer.Option(help="csv with five landmarks per face.")],
    out: Out,
    model: Annotated[str, typer.Option(help="Name of a model, or an .onnx file.")] = "utility",
    identities: IdentityFile = None,
    embeddings: Annotated[
        list[Path] | None, typer.Option(help="For curves; may be repeated.")
    ] = None,
    jitter: Annotated[float, typer.Option(help="Noise of the landmarks, +- pixels.")] = 3.0,
    relative: Annotated[
        bool, typer.Option("--relative", help="Pixels of a 112-pixel crop, not of the picture.")
    ] = False,
    repeats: Annotated[int, typer.Option(help="Jitters of each picture.")] = 10,
    preset: PresetName = "difiqa",
    fmr: Fmr = None,
    discard: Discard = None,
    resamples: PeopleResamples = 1000,
    seed: Seed = 0,
) -> None:
    """Misaligned landmarks: how far scores move, and what curves lose."""
    from facegauge.evaluate.edc_journey import chosen_preset
    from facegauge.evaluate.misalignment import Jitter
    from facegauge.evaluate.misalignment_report import evaluate_misalignment
    from facegauge.scoring import Scorer

    noise = Jitter(pixels=jitter, relative=relative, repeats=repeats, seed=seed)
    with counting("images") as count:
        report = evaluate_misalignment(
            [images],
            read_landmarks(landmarks),
            Scorer(model, input="crop"),
            noise,
            identities=None if identities is None else read_identities(identities),
            embeddings=_by_recogniser(embeddings or []),
            preset=chosen_preset(preset, fmr, discard),
            set_name="set" if identities is None else identities.stem,
            resamples=resamples,
            progress=count,
        )
    report.write(out)
    typer.echo(str(report))
