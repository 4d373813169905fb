"""What frozen recognisers make of fixed crops: computed once, kept on disk.

Each view of each face is embedded once and kept in parts; a run that is killed while embedding goes
on with the next part.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from facegauge.errors import TrainingError
from facegauge.models import Model
from facegauge.train.faces import Faces
from facegauge.values import Pixels

Array = npt.NDArray[np.float32]
Advance = Callable[[int, int], None]
"""Told (faces done, faces in all)."""

_PART = 512
_BATCH = 64
_log = logging.getLogger(__name__)


class Seen(Protocol):
    """Faces, and V views of each that never change."""

    @property
    def faces(self) -> Faces:
        """All of them."""
        ...

    @property
    def count(self) -> int:
        """V."""
        ...

    def aligned(self, face: int, view: int) -> Pixels:
        """A view of a face."""
        ...

    def key(self) -> list[Any]:
        """What a view depends on beside the faces, ready for JSON."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """Unit embeddings N×V×D of N faces, and their lengths before, N×V."""

    embeddings: Array
    norms: Array


def kept_answers(
    seen: Seen, model: Model, cache: Path, advance: Advance = lambda done, total: None
) -> Answers:
    """What a recogniser makes of all views, from the cache where it has them.

    Args:
        seen: the views.
        model: the recogniser.
        cache: a folder for the parts; safe to delete.
        advance: told (faces done, faces in all).

    Raises:
        TrainingError: a part cannot be read back after writing.
    """
    folder = cache / _key(seen, model)
    folder.mkdir(parents=True, exist_ok=True)
    total, parts = len(seen.faces), []
    for start in range(0, total, _PART):
        path, shape = folder / f"{start:08d}.npz", (min(_PART, total - start), seen.count)
        part = _read_part(path, shape)
        if part is None:
            _write_part(path, seen, model, start)
            part = _read_part(path, shape)
        if part is None:
            raise TrainingError(f"{path} cannot be read back after writing. Is the disk full?")
        parts.append(part)
        advance(min(start + _PART, total), total)
    return Answers(
        embeddings=np.concatenate([part.embeddings for part in parts]),
        norms=np.concatenate([part.norms for part in parts]),
    )


def _read_part(path: Path, shape: tuple[int, int]) -> Answers | None:
    """A part of the answers; None when it is not there or damaged."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as stored:
            embeddings, norms = stored["embedding"].astype(np.float32), stored["norm"]
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        _log.warning("%s is damaged (%s) and is computed again.", path, error)
        return None
    if not embeddings.shape[:2] == shape == norms.shape:
        return None
    return Answers(embeddings=embeddings, norms=norms)


def _write_part(path: Path, seen: Seen, model: Model, start: int) -> None:
    stop, count = min(start + _PART, len(seen.faces)), seen.count
    wanted = [(face, view) for face in range(start, stop) for view in range(count)]
    embeddings, norms = [], []
    with ThreadPoolExecutor(2) as pool:
        for begin in range(0, len(wanted), _BATCH):
            crops = pool.map(lambda pair: seen.aligned(*pair), wanted[begin : begin + _BATCH])
            answer = model.embed(np.stack(list(crops)))
            embeddings.append(answer.embedding.astype(np.float16))
            norms.append(answer.norm)
    shape = (stop - start, count)
    draft = path.with_suffix(f".{os.getpid()}.npz")  # runs that share a cache do not meet
    np.savez(
        draft,
        embedding=np.concatenate(embeddings).reshape(*shape, -1),
        norm=np.concatenate(norms).reshape(shape),
    )
    draft.replace(path)


def _key(seen: Seen, model: Model) -> str:
    """Names what an answer depends on: the faces, the views and the recogniser."""
    digest = hashlib.sha256(model.path.read_bytes())
    digest.update("\n".join(map(str, seen.faces.paths)).encode())
    digest.update(seen.faces.landmarks.tobytes())
    digest.update(json.dumps(seen.key()).encode())
    return f"{model.card.name}-{digest.hexdigest()[:12]}"
