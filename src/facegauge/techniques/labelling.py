"""Pictures become labels: what ``facegauge label`` runs.

Pictures are measured ``batch_size`` at a time along a fixed grid. A resumed run measures the chunk
in which it was interrupted anew and notes what is missing: its table is the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.detection import Detector
from facegauge.errors import OptionError
from facegauge.models import Model
from facegauge.pictures import Cut, Picture, Prepared, chunks, pictures_under, recogniser_crop
from facegauge.tables import LandmarkTable
from facegauge.techniques.journal import Journal, kept
from facegauge.techniques.label_table import Made, finished, require_new, write_labels
from facegauge.techniques.technique import Labels, Technique


def label_images(
    paths: Sequence[Path | str],
    out: Path,
    technique: Technique,
    recogniser: Model,
    *,
    identities: Mapping[str, str] | None = None,
    landmarks: LandmarkTable | None = None,
    detector: Detector | None = None,
    aligned: bool = False,
    resume: bool = False,
    workers: int | None = None,
    batch_size: int = 32,
    sources: Mapping[str, Path] | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Labels:
    """Label every picture under ``paths`` into the table ``out``, with ``.json`` beside it.

    Nothing is written without a label. Until the end what was measured is in
    ``out.partial.jsonl``, which ``resume`` goes on with; a finished table it leaves as it is.
    ``sources`` are files that took part, by name, for the ``.json``.

    Raises:
        OptionError: ``out`` exists or is no .csv; an unfinished run is there and ``resume`` is not
            set, or it is of another run; else as ``label_pictures``.
        InputError, ModelError: as ``label_pictures``.
    """
    _require_people(technique, identities)
    cut = crop_for(recogniser, landmarks=landmarks, detector=detector, aligned=aligned)
    made = Made.by(technique, recogniser, cut, sources or {})
    if resume and out.exists():
        return finished(out, made)
    require_new(out)
    with kept(out, made.to_dict(), resume=resume) as journal:
        labels = label_pictures(
            pictures_under(paths),
            technique,
            cut,
            identities=identities,
            journal=journal,
            workers=workers,
            batch_size=batch_size,
            progress=progress,
        )
        if labels.paths:
            write_labels(out, labels, made)
    return labels


def label_pictures(
    pictures: Iterable[Picture],
    technique: Technique,
    cut: Cut,
    *,
    identities: Mapping[str, str] | None = None,
    journal: Journal | None = None,
    workers: int | None = None,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda count: None,
) -> Labels:
    """Label pictures, in their order.

    A picture that cannot be read, shows no face or nothing at all, that the recogniser answers with
    zeros, or that cannot be compared, has no label but a reason.

    Args:
        pictures: their names must differ.
        technique: see ``catalogue.make``.
        cut: how a picture becomes a crop for its recogniser, see ``crop_for``.
        identities: who is in which picture, for techniques that compare people.
        journal: what was measured before, and where more is noted.
        workers: threads that read and align, one per core unless told.
        batch_size: pictures in one run of the network.
        progress: is told how many more pictures are finished.

    Raises:
        OptionError: identities are needed and missing, or workers or batch_size below 1.
        InputError: fewer than two people for a technique that compares them.
    """
    _require_people(technique, identities)
    notes = Journal() if journal is None else journal
    missing = _missing(iter(pictures), notes, max(1, batch_size), progress)
    with closing(chunks(missing, cut, workers=workers, batch_size=batch_size)) as prepared:
        for chunk in prepared:
            notes.add([each.name for each in chunk], _measured(chunk, technique))
            progress(len(chunk))
    measured, left_out = notes.measured()
    if not measured.paths:
        return Labels(paths=(), values=np.empty(0), left_out=left_out)
    labels = technique.labels(measured, identities or {})
    return replace(labels, left_out=(*left_out, *labels.left_out))


def crop_for(
    recogniser: Model,
    *,
    landmarks: LandmarkTable | None = None,
    detector: Detector | None = None,
    aligned: bool = False,
) -> Cut:
    """How pictures become a recogniser's crops; a blank one is none.

    Raises:
        ModelError: the model is no recogniser.
        OptionError: not exactly one way to know the face.
    """
    crop = recogniser_crop(recogniser)
    return Cut(crop=crop, table=landmarks, detector=detector, aligned=aligned, refuse_blank=True)


def _require_people(technique: Technique, identities: Mapping[str, str] | None) -> None:
    if technique.needs_people and not identities:
        raise OptionError(
            f"{technique.name} compares pictures of people and needs to know who is in them, got "
            "no identities. Pass --identities CSV with the columns path,identity."
        )


def _missing(
    pictures: Iterator[Picture], journal: Journal, size: int, progress: Callable[[int], None]
) -> Iterator[Picture]:
    """The pictures of every chunk of the grid in which one is not done."""
    while chunk := list(islice(pictures, size)):
        if all(each.name in journal for each in chunk):
            progress(len(chunk))
        else:
            yield from chunk


def _measured(
    chunk: Sequence[Prepared], technique: Technique
) -> list[npt.NDArray[np.float32] | str]:
    """What is measured of each picture, or why nothing is."""
    seen = [(each.name, each.crop) for each in chunk if each.crop is not None]
    crops = np.stack([crop for _, crop in seen]) if seen else None
    found = [] if crops is None else list(technique.measure([name for name, _ in seen], crops))
    rows = iter(found)
    return [each.reason if each.crop is None else next(rows) for each in chunk]
