"""Self-describing ONNX files: open, check, list, show. One model is one file.

Every file takes ``image``, uint8 RGB N×H×W×3, and holds preprocessing, network and, for scores,
calibration in one graph, and a card (see cards) in its metadata. A file is trusted only after it
has reproduced the golden vectors in its card on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from facegauge import devices, golden
from facegauge.candidates import Candidates
from facegauge.cards import METADATA_KEY, Card, Kind, golden_inputs
from facegauge.errors import GoldenMismatch, ModelError, ModelNotFound, OptionError
from facegauge.values import Pixels

DEFAULT = "utility"
DETECTOR_STEP = 32
"""Height and width of what a detector takes are multiples of this many pixels."""
SQUARE = 64
"""Side in pixels of the squares that a detector's judge takes."""

_BLACK = np.zeros((1, SQUARE, SQUARE, 3), dtype=np.uint8)
JUDGED = "face_"
"""What the names of a judge's input and output begin with."""
_OUTPUTS = {
    Kind.UTILITY: ("raw", "score"),
    Kind.PERCEPTUAL: ("raw", "score"),
    Kind.RECOGNISER: ("embedding", "norm"),
    Kind.DETECTOR: ("boxes", "landmarks", "confidence"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Raw outputs and scores (0..100) of N crops, float32 N each."""

    raw: npt.NDArray[np.float32]
    score: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """Unit-length embeddings, float32 N×D, and their lengths before normalisation, float32 N."""

    embedding: npt.NDArray[np.float32]
    norm: npt.NDArray[np.float32]


class Model:
    """An opened model file: its card and the means to run it. Made by ``open``."""

    def __init__(self, session: onnxruntime.InferenceSession, card: Card, path: Path) -> None:
        self._session = session
        self.card = card
        self.path = path

    def predict(self, images: Pixels) -> Predictions:
        """Score crops, uint8 RGB N×H×W×3 of the card's size."""
        self._require(Kind.UTILITY, Kind.PERCEPTUAL)
        raw, score = self._run(images)
        return Predictions(raw=raw, score=score)

    def embed(self, images: Pixels) -> Embeddings:
        """Embed aligned faces, uint8 RGB N×H×W×3 of the card's size."""
        self._require(Kind.RECOGNISER)
        embedding, norm = self._run(images)
        return Embeddings(embedding=embedding, norm=norm)

    def detect(self, images: Pixels) -> Candidates:
        """Candidates in photographs, uint8 RGB N×H×W×3; H and W are multiples of 32."""
        self._require(Kind.DETECTOR)
        boxes, landmarks, confidence = self._run(images)
        return Candidates(boxes=boxes, landmarks=landmarks, confidence=confidence)

    @property
    def judges(self) -> bool:
        """Whether the file holds a judge of what its detector finds."""
        return f"{JUDGED}image" in {each.name for each in self._session.get_inputs()}

    def judge(self, squares: Pixels) -> npt.NDArray[np.float32]:
        """A judge's confidences 0..1 of squares, uint8 RGB N×SQUARE×SQUARE×3: float32 N."""
        if not self.judges:
            raise ModelError(f"{self.path} holds no judge. Export a run of the recipe judge.")
        return self._fetch((f"{JUDGED}confidence",), f"{JUDGED}image", squares)[0]

    def golden_difference(self) -> float:
        """Largest difference between this machine's answers and the card.

        The golden vectors must come back, and the scores be those of the card's own calibration.
        """
        seed, stored = self.card.golden.seed, np.array(self.card.golden.outputs)
        outputs = self._run(golden.inputs(self.card, seed))
        answers = self._answers(outputs, seed)
        if answers.shape != stored.shape:
            return float("inf")
        difference = float(np.abs(answers - stored).max())
        if self.card.calibration is None:
            return difference
        raw, score = outputs
        table = float(np.abs(self.card.calibration.apply(raw) - score).max())
        return max(difference, table)

    def golden_answers(self, seed: int) -> npt.NDArray[np.float64]:
        """Answers to the golden inputs of a seed: 3×1 scores or 3×8 numbers (9 with a judge)."""
        return self._answers(self._run(golden.inputs(self.card, seed)), seed)

    def _answers(self, found: list[npt.NDArray[np.float32]], seed: int) -> npt.NDArray[np.float64]:
        """The golden part of outputs, and of what a judge says of the same seed's squares."""
        said = [self.judge(golden_inputs(seed, SQUARE))] if self.judges else []
        return golden.answers(self.card.kind, found, said)

    @property
    def golden_tolerance(self) -> float:
        """Largest difference allowed: score points, units of an embedding of length 1, pixels."""
        return golden.tolerance(self.card.kind)

    def reproduces_golden(self) -> bool:
        """Whether this machine gives the golden vectors back."""
        return self.golden_difference() <= self.golden_tolerance

    def _require(self, *kinds: Kind) -> None:
        if self.card.kind not in kinds:
            raise ModelError(
                f"{self.card.identifier} is a {self.card.kind} model; expected "
                f"{' or '.join(kinds)}. Recognisers embed, quality models predict, detectors "
                "detect."
            )

    def _takes(self, images: Pixels) -> bool:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            return False
        sides, size = images.shape[1:3], self.card.crop.size
        if self.card.kind is Kind.DETECTOR:
            return all(side > 0 and side % DETECTOR_STEP == 0 for side in sides)
        return sides == (size, size)

    def _run(self, images: Pixels) -> list[npt.NDArray[np.float32]]:
        if self._takes(images):
            return self._fetch(_OUTPUTS[self.card.kind], "image", images)
        size = self.card.crop.size
        expected = f"N×{size}×{size}×3", "Crop with facegauge.alignment first."
        if self.card.kind is Kind.DETECTOR:
            sides = f"N×H×W×3 with H and W multiples of {DETECTOR_STEP}"
            expected = sides, "Pad it, or use facegauge.detection."
        raise ModelError(
            f"{self.card.identifier} takes uint8 {expected[0]}, got {images.dtype} "
            f"{'×'.join(map(str, images.shape))}. {expected[1]}"
        )

    def _fetch(
        self, outputs: tuple[str, ...], name: str, images: Pixels
    ) -> list[npt.NDArray[np.float32]]:
        """Some outputs; what they do not need is shown a black square and not run."""
        fed = {each.name: _BLACK for each in self._session.get_inputs()}
        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        return list(self._session.run(list(outputs), {**fed, name: images}, options))


def open(
    name: str | Path = DEFAULT,
    *,
    threads: int | None = None,
    device: str = "cpu",
    check: bool = True,
) -> Model:
    """Open a model by name (embedded in the package) or by path.

    Args:
        name: of a model in the package (see ``available``), or the path of an ``.onnx`` file.
        threads: threads for one run; None leaves the choice to ONNX Runtime (all cores).
        device: see ``devices``.
        check: compare with the golden vectors; False only to inspect a file that fails.

    Raises:
        ModelNotFound: no such model or file.
        ModelError: not an ONNX file, no card, or a broken card.
        GoldenMismatch: the file does not give its own golden scores back.
        OptionError: the device is not available here.
    """
    path = locate(name)
    return of_session(session(path, threads, device), path, check=check)


def of_session(session: onnxruntime.InferenceSession, path: Path, *, check: bool = True) -> Model:
    """The model in an opened ONNX file; ``path`` is for messages. Raises as ``open`` does."""
    model = Model(session, _card(session, path), path)
    if check:
        _refuse_mismatch(model)
    return model


def has_card(session: onnxruntime.InferenceSession) -> bool:
    """Whether an opened ONNX file says of itself what it is."""
    return METADATA_KEY in session.get_modelmeta().custom_metadata_map


def locate(name: str | Path) -> Path:
    """The file behind a name or a path.

    Raises:
        ModelNotFound: neither.
    """
    path = Path(name)
    embedded = _embedded_folder() / f"{name}.onnx"
    if path.suffix != ".onnx" and embedded.is_file():
        return embedded
    if path.is_file():
        return path
    known = ", ".join(sorted(_embedded())) or "none"
    raise ModelNotFound(
        f"No model {str(name)!r}: expected the path of an .onnx file or one of: {known}."
    )


def available() -> list[Card]:
    """The cards of the models that come with the package, sorted by name."""
    return [read_card(path) for _, path in sorted(_embedded().items())]


def read_card(name: str | Path) -> Card:
    """The card of a model, without checking its golden vectors."""
    path = locate(name)
    return _card(session(path, 1, "cpu"), path)


def _refuse_mismatch(model: Model) -> None:
    if not model.reproduces_golden():
        raise GoldenMismatch(
            f"{model.path} differs from its golden vectors by {model.golden_difference():.3g} "
            f"(allowed {model.golden_tolerance:g}). The file is damaged, or this ONNX Runtime "
            "computes differently; fetch or export the model again."
        )


def session(path: Path, threads: int | None, device: str) -> onnxruntime.InferenceSession:
    """Open any ONNX file; raises as ``open`` does."""
    try:
        return devices.session(str(path), threads, device)
    except OptionError:
        raise
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ModelError(
            f"{path} cannot be opened as an ONNX model: {str(error).splitlines()[0]}"
        ) from error


def _card(session: onnxruntime.InferenceSession, path: Path) -> Card:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path} is an ONNX file without a facegauge card, so its preprocessing is unknown. "
            "A recogniser becomes usable with: facegauge models wrap FILE --convention NAME "
            "--out OUT.onnx. Published detectors are opened by facegauge.detection as they are."
        )
    card = Card.from_json(text)
    outputs = {output.name for output in session.get_outputs()}
    missing = set(_OUTPUTS[card.kind]) - outputs
    if missing:
        raise ModelError(f"{path} is a {card.kind} without the output {', '.join(missing)}.")
    came = session.get_inputs()[0].shape[1:]
    if card.kind is Kind.DETECTOR:
        if len(came) != 3 or came[2] != 3 or any(isinstance(side, int) for side in came[:2]):
            raise ModelError(
                f"{path} takes pictures of {came}; a detector takes any height×width×3."
            )
        return card
    expected = [card.crop.size, card.crop.size, 3]
    if came != expected:
        raise ModelError(f"{path} takes pictures of {came}, its card says {expected}.")
    return card


def _embedded_folder() -> Path:
    return Path(str(resources.files("facegauge"))) / "models"


def _embedded() -> dict[str, Path]:
    return {path.stem: path for path in _embedded_folder().glob("*.onnx")}
