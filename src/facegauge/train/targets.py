"""What the student must answer: labels and embeddings from frozen recognisers, computed once.

A frozen teacher that sees fixed crops gives fixed answers, so each view is embedded once and kept
in parts on disk; a run that is killed while embedding goes on with the next part.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from facegauge import models
from facegauge.cards import Kind
from facegauge.errors import TrainingError
from facegauge.models import Model
from facegauge.train.degradation import VERSION
from facegauge.train.faces import UNKNOWN, Faces
from facegauge.train.recipe_first import First
from facegauge.train.views import Views

Array = npt.NDArray[np.float32]
LABELS = ("confidence", "centre")
"""The columns of the labels: length of the embedding, and cosine to the centre of the person."""

_PART = 512
_LIMIT = 4.0
_log = logging.getLogger(__name__)


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
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Targets:
    """Labels and embeddings of all views, from the cache where it has them.

    Args:
        faces: training and validation faces.
        recipe: says how many views, and the seed.
        recognisers: the frozen teachers.
        cache: a folder for the parts; safe to delete.
        advance: told (faces done, faces in all).
    """
    found = [_embedded(faces, recipe, model, cache, advance) for model in recognisers]
    columns = [_labels(embeddings, norms, faces) for embeddings, norms in found]
    clean = tuple(np.ascontiguousarray(embeddings[:, 0]) for embeddings, _ in found)
    return Targets(labels=np.mean(columns, axis=0, dtype=np.float32), embeddings=clean)


def _embedded(
    faces: Faces,
    recipe: First,
    model: Model,
    cache: Path,
    advance: Callable[[int, int], None],
) -> tuple[Array, Array]:
    """Embeddings N×V×D and norms N×V of one recogniser."""
    folder = cache / _key(faces, recipe, model)
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(faces), _PART):
        path, shape = folder / f"{start:08d}.npz", (min(_PART, len(faces) - start), recipe.views)
        part = _read_part(path, shape)
        if part is None:
            _write_part(path, Views(faces=faces, recipe=recipe), model, start)
            part = _read_part(path, shape)
        if part is None:
            raise TrainingError(f"{path} cannot be read back after writing. Is the disk full?")
        parts.append(part)
        advance(min(start + _PART, len(faces)), len(faces))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _read_part(path: Path, shape: tuple[int, int]) -> tuple[Array, Array] | None:
    """A part of the answers; None when it is not there or damaged."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as stored:
            part = stored["embedding"].astype(np.float32), stored["norm"]
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        _log.warning("%s is damaged (%s) and is computed again.", path, error)
        return None
    return part if part[0].shape[:2] == shape == part[1].shape else None


def _write_part(path: Path, views: Views, model: Model, start: int) -> None:
    stop, count = min(start + _PART, len(views.faces)), views.recipe.views
    wanted = [(face, view) for face in range(start, stop) for view in range(count)]
    embeddings, norms = [], []
    with ThreadPoolExecutor(2) as pool:
        for begin in range(0, len(wanted), 64):
            crops = pool.map(lambda pair: views.aligned(*pair), wanted[begin : begin + 64])
            answer = model.embed(np.stack(list(crops)))
            embeddings.append(answer.embedding.astype(np.float16))
            norms.append(answer.norm)
    shape = (stop - start, count)
    draft = path.with_suffix(".draft.npz")
    np.savez(
        draft,
        embedding=np.concatenate(embeddings).reshape(*shape, -1),
        norm=np.concatenate(norms).reshape(shape),
    )
    draft.replace(path)


def _key(faces: Faces, recipe: First, model: Model) -> str:
    """Names what an answer depends on: the faces, the views and the recogniser."""
    digest = hashlib.sha256(model.path.read_bytes())
    digest.update("\n".join(map(str, faces.paths)).encode())
    digest.update(faces.landmarks.tobytes())
    digest.update(json.dumps([recipe.size, recipe.views, recipe.seed, VERSION]).encode())
    return f"{model.card.name}-{digest.hexdigest()[:12]}"


def _labels(embeddings: Array, norms: Array, faces: Faces) -> Array:
    """N×V×2 labels of one recogniser, standardised on clean training faces."""
    centre = _cosine_to_others(embeddings, faces.identities)
    columns = [norms, centre]
    return np.stack([_standardised(column, ~faces.validation) for column in columns], axis=2)


def _cosine_to_others(embeddings: Array, identities: npt.NDArray[np.int64]) -> Array:
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
