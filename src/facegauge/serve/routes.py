"""What the service answers at which address.

Without ``from __future__ import annotations``: FastAPI reads the types of these inner functions.
"""

import asyncio
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from facegauge.choices import FaceChoice
from facegauge.serve import metrics
from facegauge.serve.admission import Admission
from facegauge.serve.answers import Health, ModelsAnswer, ScoreAnswer, score_answer
from facegauge.serve.catalogue import Catalogue, ModelFile
from facegauge.serve.desk import Desk
from facegauge.serve.limits import Limits
from facegauge.serve.metrics import Metrics
from facegauge.serve.problems import Problem, Refused, described
from facegauge.serve.scorers import Scorers
from facegauge.serve.uploads import FIELD, read_uploads

_OF_UPLOADS = (
    *(Problem.MALFORMED, Problem.TOO_SLOW, Problem.TOO_LARGE, Problem.TOO_MANY_FILES),
    *(Problem.NOT_MULTIPART, Problem.UNEXPECTED_PART, Problem.NO_FILES, Problem.INVALID),
    Problem.BUSY,
)
_FACES = Query(None, description="Which faces; single: a picture is to show one. Usually largest.")
_CURL = "curl -F files=@portrait.jpg -F files=@group.jpg http://127.0.0.1:8000/v1/score"


def version() -> str:
    """The version of facegauge."""
    return metadata.version("facegauge")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Service:
    """What the answers are made with."""

    limits: Limits
    scorers: Scorers
    catalogue: Catalogue
    admission: Admission
    metrics: Metrics
    desk: Desk


def score_routes(service: Service) -> APIRouter:
    """``POST /v1/score``."""
    router = APIRouter()
    names = {"enum": service.scorers.names}

    @router.post(
        "/v1/score",
        response_model=ScoreAnswer,
        responses=described(*_OF_UPLOADS, Problem.UNAUTHORISED, Problem.INTERNAL),
        openapi_extra=_body(service.limits),
        summary="Score the faces in one or many pictures",
    )
    async def score(
        request: Request,
        model: str = Query(
            None,
            description="Name of a model; as the service was started.",
            json_schema_extra=names,
        ),
        faces: FaceChoice = _FACES,
        explain: bool = Query(False, description="Say why a score is low."),
    ) -> JSONResponse:
        """Score the faces in one or many pictures.

        Pictures are sent as parts named files of multipart/form-data. Every file has its place in
        the answer: one that cannot be read has the outcome unreadable and the reason, and does not
        keep the others from their scores.
        """
        chosen = service.scorers.choose(model, faces, explain)
        with service.admission.request() as part:
            uploads = await read_uploads(request, service.limits, part.hold)
            with service.admission.queued(len(uploads)):
                found = await asyncio.gather(
                    *(service.desk.assess(upload, chosen) for upload in uploads)
                )
        for each in found:
            service.metrics.assessed(each)
        answer = score_answer(chosen.name, uploads, found)
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return router


def _body(limits: Limits) -> dict[str, Any]:
    """What OpenAPI says of the upload, which is parsed by ourselves (see uploads)."""
    pictures = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": limits.files,
        "description": f"Pictures of at most {limits.file_bytes} bytes and {limits.pixels} pixels.",
    }
    schema = {
        "type": "object",
        "properties": {FIELD: pictures},
        "required": [FIELD],
        "additionalProperties": False,
    }
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body, "x-codeSamples": [{"lang": "Shell", "source": _CURL}]}


def model_routes(service: Service) -> APIRouter:
    """``GET /v1/models`` and the files of models."""
    router = APIRouter()

    @router.get(
        "/v1/models",
        response_model=ModelsAnswer,
        responses=described(Problem.UNAUTHORISED),
        summary="List the models",
    )
    async def models() -> ModelsAnswer:
        """The models of this service: which of them score, and where their files are."""
        return ModelsAnswer(models=service.catalogue.entries())

    @router.get(
        "/v1/models/{name}/file",
        response_class=Response,
        responses={
            200: {"description": "The file.", "content": {"application/octet-stream": {}}},
            304: {"description": "It is the one that the client has."},
            **described(Problem.NOT_FOUND, Problem.UNAUTHORISED),
        },
        summary="Get a model as one ONNX file",
    )
    async def file(request: Request, name: str) -> Response:
        """A model that comes with the service as one ONNX file; its ETag is the file's sha256."""
        return _handed_out(request, service.catalogue.files.get(name))

    router.head("/v1/models/{name}/file", include_in_schema=False)(file)
    return router


def _handed_out(request: Request, file: ModelFile | None) -> Response:
    if file is None:
        raise Refused(Problem.NOT_FOUND, "No model of that name; see /v1/models for those here.")
    tag = f'"{file.sha256}"'
    headers = {"etag": tag, "cache-control": "no-cache"}  # kept by clients, and asked for again
    known = request.headers.get("if-none-match", "")
    if tag in [each.strip().removeprefix("W/") for each in known.split(",")] or known == "*":
        return Response(status_code=304, headers=headers)
    return FileResponse(file.path, headers=headers, media_type="application/octet-stream")


def health_routes(service: Service, locks: list[Any]) -> APIRouter:
    """``/healthz``, open to all, and ``/metrics``."""
    router = APIRouter()

    @router.get("/healthz", response_model=Health, summary="Say that the service answers")
    async def healthz() -> Health:
        """That the service answers, and its version."""
        return Health(status="ok", version=version())

    @router.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}},
            **described(Problem.UNAUTHORISED),
        },
        dependencies=locks,
        summary="Tell Prometheus how much passes",
    )
    async def counted() -> Response:
        """How much passes and how long it takes, for Prometheus."""
        return Response(service.metrics.text(), headers={"content-type": metrics.MEDIA_TYPE})

    return router
