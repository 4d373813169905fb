"""What the service answers, described for OpenAPI, and made from assessments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from facegauge.serve.uploads import Upload
from facegauge.values import Assessment, Outcome


class FaceFound(BaseModel):
    """Where a face is, in pixels of the upright picture."""

    box: list[float] | None = Field(description="x0, y0, x1, y1")
    landmarks: list[list[float]] | None = Field(
        description="(x, y) of left eye, right eye, nose, left and right corner of the mouth."
    )
    confidence: float | None = Field(description="How sure the detector was, 0..1.")


class MeasureFound(BaseModel):
    """One capture measure: a reason for a score, and what to do about it."""

    name: str
    score: float = Field(description="0..100, higher is better.")
    value: float = Field(description="What was measured, in its unit.")
    unit: str
    advice: str


class AssessmentFound(BaseModel):
    """What is known of one face or, without one, of the picture."""

    outcome: Outcome
    score: float | None = Field(description="0..100, higher is better; only when scored.")
    raw: float | None = Field(description="The network's own output.")
    face: FaceFound | None
    model: str
    measures: list[MeasureFound] = Field(description="Reasons, with explain=true.")
    detail: str = Field(description="Why there is no score, or what to know of it.")
    further: list[AssessmentFound] | None = Field(
        None, description="What further models say of the same face, where the service has some."
    )


class FileFound(BaseModel):
    """One file of the request."""

    file: int = Field(description="Its place in the request, from 0.")
    name: str = Field(description="The name it was sent with.")
    assessments: list[AssessmentFound] = Field(description="One per face, or one without a score.")


_EXAMPLE: dict[str, Any] = {
    "model": "utility-1",
    "results": [
        {
            "file": 0,
            "name": "portrait.jpg",
            "assessments": [
                {
                    "outcome": "scored",
                    "score": 62.07,
                    "raw": -0.045,
                    "face": {
                        "box": [177.1, 56.5, 268.2, 176.9],
                        "landmarks": [
                            [203.7, 101.2],
                            [246.6, 103.7],
                            [224.1, 128.6],
                            [201.2, 139.2],
                            [243.8, 141.4],
                        ],
                        "confidence": 0.786,
                    },
                    "model": "utility-1",
                    "measures": [],
                    "detail": "",
                }
            ],
        },
        {
            "file": 1,
            "name": "report.pdf",
            "assessments": [
                {
                    "outcome": "unreadable",
                    "score": None,
                    "raw": None,
                    "face": None,
                    "model": "utility-1",
                    "measures": [],
                    "detail": "not an image in a supported format",
                }
            ],
        },
    ],
}


class ScoreAnswer(BaseModel):
    """What became of every file of a request, in their order."""

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    model: str = Field(description="Name and version of the model that scored.")
    results: list[FileFound]


class ModelFound(BaseModel):
    """A model that comes with the service."""

    name: str
    version: str
    kind: str = Field(description="utility, perceptual, or detector")
    scores: bool = Field(description="Whether POST /v1/score?model=NAME takes it.")
    default: bool = Field(description="Whether it scores where no model is asked for.")
    file: str | None = Field(description="Where to get it as one ONNX file.")
    bytes: int | None = Field(description="Size of that file.")
    sha256: str | None = Field(description="Digest of that file.")
    card: dict[str, Any] = Field(description="What the file says of itself.")


class ModelsAnswer(BaseModel):
    """The models of this service."""

    models: list[ModelFound]


class Health(BaseModel):
    """That the service answers, and which version it is."""

    status: str
    version: str


def score_answer(
    model: str, uploads: Sequence[Upload], found: Sequence[Sequence[Assessment]]
) -> dict[str, Any]:
    """The content of a ``ScoreAnswer``."""
    results = [
        {"file": place, "name": upload.name, "assessments": [each.to_dict() for each in own]}
        for place, (upload, own) in enumerate(zip(uploads, found, strict=True))
    ]
    return {"model": model, "results": results}
