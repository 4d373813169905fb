"""Labels without a human panel: clean pictures are degraded, and measures say by how much.

Each picture of a folder is degraded by known operations (``operations``) and compared with what it
was by full-reference measures (``full_reference_metrics``); the label is their consensus over the
whole set (``techniques.consensus``). A network that learns these labels needs no reference.

``NAME.csv`` and the degraded pictures in ``NAME/`` beside it are a table of a data folder. What is
done to a picture follows from the seed and its name alone; a killed run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facegauge import framing, images
from facegauge.errors import OptionError, UnreadableImage
from facegauge.places import below
from facegauge.tables import same_path
from facegauge.techniques.consensus import consensus
from facegauge.techniques.journal import Journal, kept
from facegauge.techniques.label_table import finished, require_new, sha256, write_labels
from facegauge.techniques.technique import Labels, changed, require, source_of_chance
from facegauge.train.data_tables import Person, read_people
from facegauge.train.full_reference_metrics import SMALLEST, nearness, require_metrics
from facegauge.train.operations import Treatment, applied, chosen_kinds, drawn, ladder, named
from facegauge.values import Pixels
from facegauge.walk import find_images

Row = npt.NDArray[np.float32] | str
"""What was measured of a picture, or why nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullReference:
    """What is made of each picture, and what it is compared by.

    ``versions`` random treatments, ``clean`` 1 for the picture as it is besides; or, with a
    ``ladder`` of so many severities, every kind alone at each of them. ``only`` and ``without``
    choose kinds, ``metrics`` the measures. ``splits`` are those of the table of identities whose
    pictures are taken, ``longest`` the long side in pixels above which a picture is reduced first.

    Raises:
        OptionError: numbers that make no sense, or an unknown kind.
    """

    versions: int = 3
    clean: int = 0
    ladder: int = 0
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("ssim", "vif", "haarpsi", "mdsi", "gmsd", "dss")
    splits: tuple[str, ...] = ("train", "validation")
    longest: int = 512

    def __post_init__(self) -> None:
        good = self.versions >= 0 and self.ladder >= 0 and self.clean in (0, 1)
        require(good, "versions and ladder of 0 or more, and clean 0 or 1", self)
        require(bool(self.versions + self.ladder + self.clean), "something to make", self)
        require(self.longest >= SMALLEST, f"a longest side of {SMALLEST} or more", self)
        chosen_kinds(self.only, self.without)

    def treatments(self, name: str, seed: int) -> tuple[Treatment, ...]:
        """What befalls the picture of a name."""
        kinds = chosen_kinds(self.only, self.without)
        whole: tuple[Treatment, ...] = ((),) if self.clean else ()
        if self.ladder:
            return whole + tuple(each for kind in kinds for each in ladder(kind, self.ladder))
        rngs = (source_of_chance(seed, f"{name}|{at}") for at in range(self.versions))
        return whole + tuple(drawn(rng, kinds) for rng in rngs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """One degraded picture: its name in the table, its source, and what befell it."""

    name: str
    source: str
    treatment: Treatment
    chance: str

    def made(self, pixels: Pixels, seed: int) -> Pixels:
        """The picture, of the pixels of its source."""
        return applied(pixels, self.treatment, source_of_chance(seed, self.chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOf:
    """How the labels of a set were made."""

    technique: str
    constants: Mapping[str, Any]
    piq: str
    identities_sha256: str
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def label_folder(
    folder: Path,
    out: Path,
    settings: Sequence[str] = (),
    *,
    identities: Path | None = None,
    seed: int = 0,
    resume: bool = False,
    progress: Callable[[int], None] = lambda count: None,
) -> Labels:
    """Degrade the pictures of a folder into ``NAME/`` and label them in ``out``, ``NAME.csv``.

    Args:
        folder: clean pictures.
        out: the table to write; ``NAME.json`` beside it says what made it.
        settings: ``key=value`` for the constants of ``FullReference``.
        identities: a table ``path,identity`` and perhaps ``split``: only pictures in there are
            taken, and the columns are handed on.
        seed: of everything drawn.
        resume: go on with a killed run, or leave a finished one as it is.
        progress: is told how many more pictures of the folder are done.

    Raises:
        OptionError: constants or places that cannot be used, see ``labelling.label_images``.
        InputError: fewer than two degraded pictures.
        MissingExtra: piq is not installed.
    """
    constants, people = (
        changed(FullReference(), settings),
        None if identities is None else read_people(identities),
    )
    made = MadeOf(
        technique="full-reference",
        constants=asdict(constants),
        piq=require_metrics(constants.metrics),
        identities_sha256="" if identities is None else sha256(identities),
        seed=seed,
    )
    if resume and out.exists():
        return finished(out, made)
    require_new(out)
    _require_folder(out.with_suffix(""), folder, resume)
    with kept(out, made.to_dict(), resume=resume) as journal:
        for _ in _degrade(_taken(folder, people, constants), out, constants, journal, seed):
            progress(1)
        labels, columns = _labelled(journal, folder, constants, people, seed)
        if labels.paths:
            write_labels(out, labels, made, columns)
    return labels


def _degrade(
    sources: Iterable[tuple[str, Path, str]],
    out: Path,
    constants: FullReference,
    journal: Journal,
    seed: int,
) -> Iterator[str]:
    """Degrade and measure what is not in the journal yet, picture by picture."""
    for name, path, problem in sources:
        missing = [each for each in _versions(name, constants, seed) if each.name not in journal]
        if missing and name not in journal:
            pixels = _clean(path, problem, constants)
            if isinstance(pixels, str):
                journal.add([name], [pixels])
            else:
                for each in missing:
                    picture = each.made(pixels, seed)
                    _write(picture, below(out.with_suffix(""), each.name))
                    journal.add([each.name], [_measured(pixels, picture, constants)])
        yield name


def _versions(name: str, constants: FullReference, seed: int) -> list[Degraded]:
    """What is made of one picture; rungs of a ladder share their angle, colours and noise."""
    return [
        Degraded(
            name=f"{name}_{at}_{named(treatment)}.png",
            source=name,
            treatment=treatment,
            chance=f"{name}|{treatment[0].kind if constants.ladder and treatment else at}|applied",
        )
        for at, treatment in enumerate(constants.treatments(name, seed))
    ]


def _measured(clean: Pixels, degraded: Pixels, constants: FullReference) -> Row:
    found = nearness(clean, degraded, constants.metrics)
    return found if np.isfinite(found).all() else "a measure has no value"


def _clean(path: Path, problem: str, constants: FullReference) -> str | Pixels:
    """The clean picture, H×W×3, or why it cannot serve."""
    if problem:
        return problem
    try:
        pixels = images.read(path).pixels
    except UnreadableImage as error:
        return str(error)
    factor = min(1.0, constants.longest / max(pixels.shape[:2]))
    height, width = (round(side * factor) for side in pixels.shape[:2])
    if min(height, width) < SMALLEST:
        return f"{width}×{height} pixels, {SMALLEST} are needed on both sides"
    pixels = framing.resized(pixels, width, height)
    return framing.blank(pixels) or pixels


def _write(pixels: Pixels, path: Path) -> None:
    """A PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(data.tobytes())
    draft.replace(path)


def _labelled(
    journal: Journal,
    folder: Path,
    constants: FullReference,
    people: Mapping[str, Person] | None,
    seed: int,
) -> tuple[Labels, dict[str, list[str]]]:
    """Labels of all that was measured, and the columns that stand beside them."""
    measured, left_out = journal.measured()
    if not measured.paths:
        return Labels(paths=(), values=np.empty(0), left_out=left_out), {}
    found = consensus(measured.values)
    known = {
        each.name: each
        for name, _, _ in _taken(folder, people, constants)
        for each in _versions(name, constants, seed)
    }
    rows = [known[path] for path in measured.paths]
    columns = {
        "operation": ["+".join(step.kind for step in each.treatment) for each in rows],
        "severity": ["+".join(f"{s.severity:.2f}" for s in each.treatment) for each in rows],
        "doubt": [f"{value:.4f}" for value in found.doubt.tolist()],
        "source": [each.source for each in rows],
    }
    if people is not None:
        columns["identity"] = [people[each.source].identity for each in rows]
        columns["split"] = [people[each.source].split for each in rows]
    return Labels(paths=measured.paths, values=found.labels, left_out=left_out), columns


def _taken(
    folder: Path, people: Mapping[str, Person] | None, constants: FullReference
) -> Iterator[tuple[str, Path, str]]:
    """Name, path and problem of every picture that is to be degraded."""
    for found in find_images([folder]):
        person = Person() if people is None else people.get(same_path(found.name))
        if person is not None and (not person.split or person.split in constants.splits):
            yield found.name, found.path, found.problem


def _require_folder(target: Path, source: Path, resume: bool) -> None:
    """Refuse a target with something in it, or inside of what is degraded."""
    if target.resolve().is_relative_to(source.resolve()):
        raise OptionError(
            f"Degraded pictures in {target} would be degraded again. Choose an --out outside of "
            f"{source}."
        )
    if not resume and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OptionError(
            f"Degraded pictures need a new or empty folder, and {target} has something in it. "
            "Choose another --out, or pass --resume to go on with it."
        )
