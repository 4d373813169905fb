"""What the student must answer: labels and embeddings from frozen recognisers, computed once.

A frozen teacher that sees fixed crops gives fixed answers, so each view is embedded once and kept
(see ``answers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import models
from facegauge.cards import Kind
from facegauge.errors import TrainingError
from facegauge.models import Model
from facegauge.train.answers import Advance, Array, kept_answers
from facegauge.train.faces import UNKNOWN, Faces
from facegauge.train.recipe_first import First
from facegauge.train.views import Views

LABELS = ("confidence", "centre")
"""The columns of the labels: length of the embedding, and cosine to the centre of the person."""

_LIMIT = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Per face and view, in standard deviations of clean training faces; nan where unknown.

    ``labels``: N×V×2 (see ``LABELS``). ``embeddings``: one N×D array per recogniser, unit length,
    of the clean view.
    """

    labels: Array
    embeddings: tuple[Array, ...]


def find_recognisers(
    folder: Path, patterns: tuple[str, ...], size: int | None = None
) -> list[Model]:
    """Open the recognisers that a recipe names, relative to the data folder.

    Raises:
        TrainingError: a pattern without a file, a model that is no recogniser, or one that does
            not take crops of ``size`` (None: any).
    """
    paths = []
    for pattern in patterns:
        literal = Path(pattern)
        found = [literal] if literal.is_absolute() else sorted(folder.glob(pattern))
        if not found:
            raise TrainingError(
                f"Expected a recogniser at {folder / pattern}, found none. Wrap one with: "
                "facegauge models wrap FILE --convention NAME --out OUT.onnx, and pass --set "
                "recognisers=OUT.onnx"
            )
        paths += found
    if not paths:
        raise TrainingError("Expected a recogniser or more, got none. Pass --set recognisers=FILE.")
    opened = [models.open(path) for path in paths]
    for model in opened:
        if model.card.kind is not Kind.RECOGNISER:
            raise TrainingError(f"{model.path} is a {model.card.kind}; expected a recogniser.")
        if size is not None and model.card.crop.size != size:
            raise TrainingError(
                f"{model.path} takes crops of {model.card.crop.size} pixels, the recipe makes "
                f"{size}. Pass --set size={model.card.crop.size}."
            )
    return opened


def make_targets(
    faces: Faces,
    recipe: First,
    recognisers: list[Model],
    cache: Path,
    advance: Advance = lambda done, total: None,
) -> Targets:
    """Labels and embeddings of all views, from the cache where it has them.

    Args:
        faces: training and validation faces.
        recipe: says how many views, and the seed.
        recognisers: the frozen teachers.
        cache: a folder for the parts; safe to delete.
        advance: told (faces done, faces in all).
    """
    views = Views(faces=faces, recipe=recipe)
    found = [kept_answers(views, model, cache, advance) for model in recognisers]
    columns = [_labels(each.embeddings, each.norms, faces) for each in found]
    clean = tuple(np.ascontiguousarray(each.embeddings[:, 0]) for each in found)
    return Targets(labels=np.mean(columns, axis=0, dtype=np.float32), embeddings=clean)


def _labels(embeddings: Array, norms: Array, faces: Faces) -> Array:
    """N×V×2 labels of one recogniser, standardised on clean training faces."""
    centre = cosines_to_others(embeddings, faces.identities)
    columns = [norms, centre]
    return np.stack([_standardised(column, ~faces.validation) for column in columns], axis=2)


def cosines_to_others(embeddings: Array, identities: npt.NDArray[np.int64]) -> Array:
    """Cosine, N×V, to the centre of the clean embeddings of the person's other pictures."""
    cosine = np.full(embeddings.shape[:2], np.nan, dtype=np.float32)
    for person in np.unique(identities[identities != UNKNOWN]):
        members = np.flatnonzero(identities == person)
        if len(members) < 2:
            continue
        clean = embeddings[members, 0]
        others = clean.sum(axis=0) - clean
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        cosine[members] = np.einsum("nvd,nd->nv", embeddings[members], others)
    return cosine


def _standardised(values: Array, training: npt.NDArray[np.bool_]) -> Array:
    """In standard deviations of the clean training faces, limited to +-4; nan stays nan."""
    reference = values[training, 0]
    reference = reference[np.isfinite(reference)]
    if not reference.size:
        return np.full_like(values, np.nan)
    spread = float(reference.std()) or 1.0
    return np.clip((values - reference.mean()) / spread, -_LIMIT, _LIMIT)
