"""A published checkpoint becomes one self-describing ONNX file.

The weights are read without running code, fitted to the kind's network by name and shape, exported,
and baked with the preprocessing and the calibration that the kind's entry states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from facegauge import baking
from facegauge.cards import Calibration, Card, Training, View, calibrate, today
from facegauge.choices import Input
from facegauge.errors import ModelError, OptionError
from facegauge.scoring import Scorer
from facegauge.train import kinds, layouts
from facegauge.train.checkpoints import read_checkpoint, require_file
from facegauge.train.kinds import ImportKind
from facegauge.train.onnx_export import to_onnx
from facegauge.values import Outcome
from facegauge.walk import find_images

FEWEST_FACES = 50
"""What a calibration needs at least (see cards.calibrate)."""
_UNKNOWN = Calibration(population="not yet known", date="-", raw=(-1e6, 1e6), score=(0.0, 100.0))


def import_model(
    name: str,
    file: Path,
    out: Path,
    *,
    faces: Path | None = None,
    commercial_only: bool = False,
    any_version: bool = False,
) -> Card:
    """Write a published model as one file that knows its preprocessing and what its score means.

    Args:
        name: a kind, see ``kinds.KINDS``.
        file: the checkpoint, a file of torch or safetensors.
        out: the ``.onnx`` file to write.
        faces: a folder of crops as the model wants them (aligned, or loose for a whole view); the
            score becomes the percentile among them. Needed where the kind has no scale of its own.
        commercial_only: refuse kinds whose licence does not allow commercial use.
        any_version: take a file whose sha256 is not the publisher's.

    Returns:
        The card as written.

    Raises:
        OptionError: an unknown kind, a licence that does not allow what was asked, ``faces``
            that are no folder, or none where they are needed.
        ModelError: no checkpoint, other weights than the kind's, another version than the
            publisher's, or too few usable faces.
    """
    kind = kinds.find(name)
    if commercial_only and not kind.commercial:
        raise OptionError(
            f"Expected a kind that allows commercial use, got {name}, whose licence does not: "
            f"{kind.licence}. Kinds that do: {', '.join(_commercial())}."
        )
    if faces is not None and not faces.is_dir():
        raise OptionError(f"Expected a folder of crops for --calibrate, found none at {faces}.")
    training = _training(kind, file, _checked(kind, file, any_version))
    bare, scale = _exported(kind, file, scaled=faces is not None)
    if faces is not None:
        scale = _of_faces(kind, bare, faces, out)
    return _baked(kind, bare, scale, out, training)


def _commercial() -> list[str]:
    return [kind.name for kind in kinds.KINDS.values() if kind.commercial]


def _checked(kind: ImportKind, file: Path, any_version: bool) -> str:
    """The file's sha256, in hex.

    Raises:
        ModelError: no such file, or the publisher states another one.
    """
    require_file(file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if kind.sha256 and digest != kind.sha256 and not any_version:
        raise ModelError(
            f"Expected the published {kind.name} with sha256 {kind.sha256}, got {file} with "
            f"{digest}. Download it again from {kind.source}, or pass --any-version."
        )
    return digest


def _exported(kind: ImportKind, file: Path, *, scaled: bool) -> tuple[Any, Calibration]:
    """The bare network with the file's weights, and its own scale; torch's copies are let go.

    Raises:
        OptionError: it has no scale of its own, and will not be ``scaled`` by real faces.
    """
    network, layout = layouts.loaded(kind, read_checkpoint(file), file)
    if layout.calibration is None and not scaled:
        raise OptionError(
            f"The raw number of {layout.network} has no scale of its own, so its score must be "
            f"that of real faces. Give {FEWEST_FACES} or more crops: --calibrate FOLDER."
        )
    side = kind.crop.size
    bare = to_onnx(network, torch.zeros(2, 3, side, side), ("quality",))
    return bare, layout.calibration or _UNKNOWN


def _baked(
    kind: ImportKind, bare: Any, calibration: Calibration, out: Path, training: Training
) -> Card:
    card = baking.draft_card(
        kind.name, "1", kind.judges, kind.crop, calibration=calibration, training=training
    )
    return baking.bake_quality(bare, kind.preprocessing, card, out)


def _training(kind: ImportKind, file: Path, digest: str) -> Training:
    return Training(
        data=kind.data,
        licence=kind.licence,
        recipe=f"published at {kind.source}",
        notes=f"imported from {file.name}, sha256 {digest}",
    )


def _of_faces(kind: ImportKind, bare: Any, faces: Path, out: Path) -> Calibration:
    """The percentiles of the raw numbers of the crops in a folder.

    Raises:
        ModelError: fewer than ``FEWEST_FACES`` that can be scored, or raw numbers that hardly
            differ.
    """
    with _draft(kind, bare, out) as draft:
        raw = list(_raw(kind, draft, faces))
    if len(raw) < FEWEST_FACES:
        raise ModelError(
            f"Expected {FEWEST_FACES} or more crops with a face in {faces}, got {len(raw)}. Make "
            "some with: facegauge align PHOTOS --out FOLDER --mode reference"
        )
    return calibrate(
        raw,
        population=f"{len(raw)} crops in the folder {faces.resolve().name}",
        date=today(),
    )


@contextmanager
def _draft(kind: ImportKind, bare: Any, out: Path) -> Iterator[Path]:
    """The model without its calibration, beside where it is to be written; removed afterwards."""
    path = out.with_name(f"{out.stem}.uncalibrated.onnx")
    try:
        _baked(kind, bare, _UNKNOWN, path, Training())
        yield path
    finally:
        path.unlink(missing_ok=True)


def _raw(kind: ImportKind, model: Path, faces: Path) -> Iterator[float]:
    """The raw number of each crop in a folder that can be scored."""
    whole = kind.crop.view is View.WHOLE
    scorer = Scorer(model, input=Input.CROP if whole else Input.ALIGNED)
    for found in find_images([faces]):
        for each in scorer.assess(found.source):
            if each.outcome is Outcome.SCORED and each.raw is not None:
                yield each.raw
