"""The networks that find faces: our own, and published SCRFD and YuNet files as they are.

All of them become one thing, a ``Network``: a picture in, ``Candidates`` out, undecided. A file
that others published is recognised by what it answers to a black picture, never by its name.

* SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021):
  RGB, (x - 127.5) / 128; one or two anchors per point. Boxes are the distances left, top, right and
  bottom from the anchor (j stride, i stride), landmarks the offsets from it, both in strides.
* YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023): BGR, 0..255. Confidence
  is sqrt(cls obj); a box's centre is ((j + dx) stride, (i + dy) stride), its size exp(w, h) stride;
  landmarks are offsets from the anchor in strides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from facegauge import models
from facegauge.candidates import Candidates, joined
from facegauge.cards import Kind
from facegauge.errors import ModelError
from facegauge.values import Pixels

Floats = npt.NDArray[np.float32]

STRIDES = (8, 16, 32)
"""Picture pixels per point of the three levels, fine to coarse, of the published networks."""
PUBLISHED_SIZE = 640
"""Long side in pixels that published networks are best at."""
CONFIDENCE = {"detector": 0.5, "SCRFD": 0.5, "YuNet": 0.7}
"""The least confidence (0..1) of a face, for our own detectors and the published ones."""

_PROBE = (64, 96)
_LARGEST_EXPONENT = 12.0
_WAY_OUT = (
    "Give a facegauge model of kind detector, or a published SCRFD (9 outputs, with landmarks) or "
    "YuNet (12 outputs) file; other networks can be baked with facegauge.baking.bake_detector."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A detector's network, whatever its origin.

    ``look`` takes one picture, uint8 RGB H×W×3 with sides that are multiples of 32 (or of the one
    ``shape``, height and width, that a fixed network takes), and may be called by several threads.
    ``size`` is the long side in pixels it is best at, ``confidence`` (0..1) the least it calls a
    face, ``voting`` says that neighbouring candidates are worth averaging, ``twice`` that a second
    look at a face betters its landmarks, and ``judge`` says of squares around candidates how surely
    they are faces (see judging).
    """

    name: str
    look: Callable[[Pixels], Candidates]
    confidence: float
    size: int = PUBLISHED_SIZE
    voting: bool = False
    twice: bool = False
    judge: Callable[[Pixels], Floats] | None = None
    shape: tuple[int, int] | None = None


def open(name: str | Path, *, threads: int | None = 1, device: str = "cpu") -> Network:
    """Open a detector's network by name or path.

    Raises:
        ModelNotFound: no such model or file.
        ModelError: neither a facegauge detector nor a published network that is known here.
        GoldenMismatch: a facegauge detector that does not give its own golden numbers back.
        OptionError: the device is not available here.
    """
    path = models.locate(name)
    session = models.session(path, threads, device)
    if models.has_card(session):
        return _own(models.of_session(session, path))
    return _published(session, path)


def _own(model: models.Model) -> Network:
    card = model.card
    if card.kind is not Kind.DETECTOR:
        raise _unknown(model.path, f"it is a {card.kind} model")
    return Network(
        name=card.identifier,
        look=lambda picture: model.detect(picture[None])[0],
        confidence=CONFIDENCE["detector"],
        size=card.crop.size,
        voting=True,
        twice=True,
        judge=model.judge if model.judges else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Level:
    """What a published network says at one stride: numbers P each, boxes P×4, landmarks P×10."""

    numbers: list[Floats]
    boxes: Floats
    landmarks: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """A published format: its preprocessing and how the answers of one level are read."""

    name: str
    anchors: tuple[int, ...]
    planes: Callable[[Pixels], Floats]
    read: Callable[[_Level, Floats, int], Candidates]


def _scrfd_planes(picture: Pixels) -> Floats:
    return (picture.astype(np.float32) - np.float32(127.5)) / np.float32(128.0)


def _read_scrfd(level: _Level, anchors: Floats, stride: int) -> Candidates:
    ends = level.boxes.reshape(-1, 2, 2) * np.array([[-stride], [stride]], dtype=np.float32)
    return Candidates(
        boxes=(anchors[:, None] * stride + ends).reshape(-1, 4),
        landmarks=_landmarks(level, anchors, stride),
        confidence=level.numbers[0],
    )


def _yunet_planes(picture: Pixels) -> Floats:
    return picture[..., ::-1].astype(np.float32)


def _read_yunet(level: _Level, anchors: Floats, stride: int) -> Candidates:
    kind, presence = (np.clip(numbers, 0.0, 1.0) for numbers in level.numbers)
    middle = (anchors + level.boxes[:, :2]) * stride
    half = np.exp(np.minimum(level.boxes[:, 2:], _LARGEST_EXPONENT)) * (stride / 2)
    return Candidates(
        boxes=np.hstack([middle - half, middle + half]),
        landmarks=_landmarks(level, anchors, stride),
        confidence=np.sqrt(kind * presence),
    )


def _landmarks(level: _Level, anchors: Floats, stride: int) -> Floats:
    points = (anchors[:, None] + level.landmarks.reshape(-1, 5, 2)) * np.float32(stride)
    return points.reshape(-1, 10)


_FAMILIES = {
    (3, 3, 3): _Family(name="SCRFD", anchors=(1, 2), planes=_scrfd_planes, read=_read_scrfd),
    (6, 3, 3): _Family(name="YuNet", anchors=(1,), planes=_yunet_planes, read=_read_yunet),
}
"""The published formats, by their number of outputs of width 1, 4 and 10."""


def _published(session: onnxruntime.InferenceSession, path: Path) -> Network:
    shape = _fixed_shape(session, path)
    family = _recognised(session, np.zeros((*(shape or _PROBE), 3), dtype=np.uint8), path)
    return Network(
        name=path.stem,
        look=lambda picture: _look(session, family, picture),
        confidence=CONFIDENCE[family.name],
        shape=shape,
    )


def _fixed_shape(session: onnxruntime.InferenceSession, path: Path) -> tuple[int, int] | None:
    """The only height and width that a network takes; None where it takes many."""
    entries = [(entry.type, entry.shape) for entry in session.get_inputs()]
    kind, shape = entries[0] if len(entries) == 1 else ("", [])
    if kind != "tensor(float)" or len(shape) != 4 or shape[1] not in (3, None):
        came = f"it takes {entries}, not one float N×3×H×W"
        raise _unknown(path, came)
    sides = [side for side in shape[2:] if isinstance(side, int)]
    if not sides:
        return None
    if len(sides) == 1 or any(side < 1 or side % STRIDES[-1] for side in sides):
        came = f"it takes pictures of {shape[2:]}, not of any size or of multiples of {STRIDES[-1]}"
        raise _unknown(path, came)
    return sides[0], sides[1]


def _recognised(session: onnxruntime.InferenceSession, black: Pixels, path: Path) -> _Family:
    """The format of a network, from the shapes of what it answers to a black picture."""
    try:
        outputs = _run(session, black.astype(np.float32))
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise _unknown(path, f"it fails on a picture: {str(error).splitlines()[0]}") from error
    shapes = [np.shape(output) for output in outputs]
    widths = [shape[-1] if len(shape) > 1 else 0 for shape in shapes]
    counts = (widths.count(1), widths.count(4), widths.count(10))
    if counts == (len(STRIDES), len(STRIDES), 0) and len(outputs) == sum(counts):
        raise _unknown(path, "it finds boxes only, and facegauge needs landmarks")
    family = _FAMILIES.get(counts)
    if family is None or len(outputs) != sum(counts) or not _fits(family, outputs, black):
        size = "×".join(map(str, black.shape[:2]))
        raise _unknown(path, f"for a {size} picture its outputs have the shapes {shapes}")
    return family


def _unknown(path: Path, came: str) -> ModelError:
    return ModelError(f"{path} is no detector that facegauge knows: {came}. {_WAY_OUT}")


def _fits(family: _Family, outputs: Sequence[Floats], picture: Pixels) -> bool:
    """Whether each level has as many rows in all its outputs as its anchors need."""
    anchors = set()
    for level, stride in zip(_levels(outputs), STRIDES, strict=True):
        points = len(_grid(picture, stride))
        rows = {len(values) for values in (*level.numbers, level.boxes, level.landmarks)}
        anchors |= {count / points for count in rows}
    return len(anchors) == 1 and anchors <= set(family.anchors)


def _levels(outputs: Sequence[Floats]) -> list[_Level]:
    """Outputs by level, fine to coarse: the finer, the more rows, in whatever order they come."""
    count = len(STRIDES)
    numbers, boxes, landmarks = (
        sorted(
            (values.reshape(-1, width) for values in outputs if values.shape[-1] == width),
            key=len,
            reverse=True,
        )
        for width in (1, 4, 10)
    )
    each = len(numbers) // count
    return [
        _Level(
            numbers=[values[:, 0] for values in numbers[at * each : (at + 1) * each]],
            boxes=boxes[at],
            landmarks=landmarks[at],
        )
        for at in range(count)
    ]


def _grid(picture: Pixels, stride: int) -> Floats:
    """The points (j, i) of a level, row by row, P×2."""
    height, width = picture.shape[0] // stride, picture.shape[1] // stride
    rows, columns = np.indices((height, width), dtype=np.float32)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _look(session: onnxruntime.InferenceSession, family: _Family, picture: Pixels) -> Candidates:
    parts = []
    levels = _levels(_run(session, family.planes(picture)))
    for level, stride in zip(levels, STRIDES, strict=True):
        points = _grid(picture, stride)
        anchors = np.repeat(points, len(level.boxes) // len(points), axis=0)
        with np.errstate(over="ignore", invalid="ignore"):  # a broken candidate is no face
            parts.append(family.read(level, anchors, stride))
    return joined(parts)


def _run(session: onnxruntime.InferenceSession, planes: Floats) -> list[Floats]:
    """All answers to one picture, H×W×3 in the network's own scale and colour order."""
    batch = np.ascontiguousarray(planes.transpose(2, 0, 1)[None])
    outputs: list[Floats] = session.run(None, {session.get_inputs()[0].name: batch})
    return outputs
