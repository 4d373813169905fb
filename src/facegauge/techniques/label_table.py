"""Labels on disk: ``labels.csv`` (path,label), and beside it ``labels.json``: what made them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from facegauge.detection import Detector
from facegauge.errors import OptionError
from facegauge.models import Model
from facegauge.pictures import Cut
from facegauge.tables import LABEL_COLUMNS, LandmarkTable, read_labels
from facegauge.techniques.technique import Labels, Technique

_DIGITS = 7
"""Significant digits of a label: other batches move it by less."""


class MadeBy(Protocol):
    """What made a table of labels, in words and numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How labels were made: technique, constants, recogniser, alignment, seed.

    ``sources`` has the sha256 of what else took part, such as weights of a diffusion network.
    """

    technique: str
    constants: Mapping[str, int | float]
    recogniser: str
    recogniser_sha256: str
    faces: str
    crop_size: int
    crop_resampling: str
    seed: int
    sources: Mapping[str, str]

    @classmethod
    def by(
        cls, technique: Technique, recogniser: Model, cut: Cut, sources: Mapping[str, Path]
    ) -> Made:
        """What a technique, a recogniser, a way to know the face and other files come to."""
        return cls(
            technique=technique.name,
            constants=asdict(technique.constants),
            recogniser=recogniser.card.identifier,
            recogniser_sha256=sha256(recogniser.path),
            faces=_faces(cut.table, cut.detector),
            crop_size=cut.crop.size,
            crop_resampling=cut.crop.resampling,
            seed=technique.seed,
            sources={name: sha256(path) for name, path in sources.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def write_labels(
    out: Path, labels: Labels, made: MadeBy, more: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write the table last, so that it is there only when all is.

    ``more`` are further columns by name, a cell for each label.

    Raises:
        OptionError: there is no place to write.
    """
    facts = {**made.to_dict(), "labels": len(labels.paths), "left_out": len(labels.left_out)}
    draft, columns = out.with_name(out.name + ".draft"), more or {}
    numbers = (f"{value:.{_DIGITS}g}" for value in labels.values.tolist())
    try:
        sidecar(out).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        with draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*LABEL_COLUMNS, *columns))
            writer.writerows(zip(labels.paths, numbers, *columns.values(), strict=True))
        draft.replace(out)
    except OSError as error:
        raise OptionError(
            f"Labels need a place to write, got {out}: {error.strerror or error}. Pass another "
            "--out."
        ) from error


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sidecar(out: Path) -> Path:
    """Where it is said how a table was made.

    Example:
        >>> sidecar(Path("run/labels.csv")).as_posix()
        'run/labels.json'
    """
    return out.with_suffix(".json")


def finished(out: Path, made: MadeBy) -> Labels:
    """The labels of a table that is complete.

    Raises:
        OptionError: they were made in another way.
    """
    try:
        stored = json.loads(sidecar(out).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = {}
    expected = json.loads(json.dumps(made.to_dict()))
    other = [key for key in expected if stored.get(key) != expected[key]]
    if other:
        raise OptionError(
            f"{out} is to be resumed and was made with other {', '.join(other)}, see "
            f"{sidecar(out)}. Pass the same options, or another --out."
        )
    labels = read_labels(out)
    return Labels(paths=tuple(labels), values=np.array(list(labels.values())), left_out=())


def require_new(out: Path) -> None:
    """Refuse a table that exists or is no csv.

    Raises:
        OptionError: either.
    """
    if out.suffix.lower() != ".csv":
        raise OptionError(f"Labels are a .csv file, got {out}. Give --out this suffix.")
    for each in (out, sidecar(out)):
        if each.exists():
            raise OptionError(
                f"{each} exists already and is not overwritten. Choose another --out."
            )


def _faces(table: LandmarkTable | None, detector: Detector | None) -> str:
    if table is not None:
        digest = hashlib.sha256(table.points.tobytes())
        digest.update("\n".join(table.first).encode("utf-8", "surrogateescape"))
        return f"landmarks {digest.hexdigest()[:16]}"
    if detector is not None:
        return f"detector {detector.name} (confidence >= {detector.confidence:g})"
    return "aligned"
