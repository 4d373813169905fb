"""Why a request has no answer, as problem+json (RFC 9457): typed, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(Enum):
    """A kind of problem: its name in ``type``, its HTTP status, and its title."""

    MALFORMED = "malformed-upload", 400, "The upload is not well-formed multipart/form-data"
    UNAUTHORISED = "unauthorised", 401, "This service asks for a key"
    NOT_FOUND = "not-found", 404, "There is nothing at this address"
    NOT_ALLOWED = "method-not-allowed", 405, "This address takes other methods"
    TOO_SLOW = "too-slow", 408, "The upload took too long to arrive"
    TOO_LARGE = "too-large", 413, "More bytes than this service takes"
    TOO_MANY_FILES = "too-many-files", 422, "More files than this service takes in a request"
    NOT_MULTIPART = "not-multipart", 415, "Pictures are sent as multipart/form-data"
    UNEXPECTED_PART = "unexpected-part", 422, "A part of the upload that is none of its files"
    NO_FILES = "no-files", 422, "An upload without files"
    INVALID = "invalid-parameter", 422, "A parameter with a value that it does not take"
    INTERNAL = "internal", 500, "Something went wrong in the service"
    BUSY = "busy", 503, "The queue is full"

    def __init__(self, word: str, status: int, title: str) -> None:
        self.word = word
        self.status = status
        self.title = title

    @property
    def uri(self) -> str:
        """What stands in ``type``: where the service's own documentation explains it."""
        return f"/docs#{self.word}"


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [each.uri for each in Problem]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, what came, what to do."},
    },
}


class Refused(Exception):
    """A request that gets a problem instead of an answer; never leaves the service."""

    def __init__(
        self, problem: Problem, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.headers = dict(headers or {})


def answer(refused: Refused) -> JSONResponse:
    """The response that tells a problem."""
    problem = refused.problem
    content = {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "detail": refused.detail,
    }
    headers = {"cache-control": "no-store"} | refused.headers
    return JSONResponse(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def described(*problems: Problem) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI description says of problems, by status."""
    titles: dict[int | str, str] = {}
    for each in problems:
        known = titles.get(each.status)
        titles[each.status] = f"{known}; or: {each.title}" if known else each.title
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {status: {"description": told, "content": content} for status, told in titles.items()}


def tell_all(app: FastAPI) -> None:
    """Have every error that an app may foresee answered as a problem; see traffic for others."""
    app.exception_handler(Refused)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)


async def _refused(_: Request, refused: Refused) -> JSONResponse:
    return answer(refused)


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Parameters that do not validate; their values are not repeated."""
    told = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return answer(Refused(Problem.INVALID, f"{told}. See /docs for what it takes."))


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    """What the framework refuses: addresses and methods that are not there."""
    known = {each.status: each for each in (Problem.NOT_FOUND, Problem.NOT_ALLOWED)}
    problem = known.get(error.status_code, Problem.INTERNAL)
    detail = f"{request.method} is not answered here. See /docs for what is."
    return answer(Refused(problem, detail, error.headers))


def unforeseen() -> JSONResponse:
    """The response to an error of ours, of which the log has more."""
    return answer(Refused(Problem.INTERNAL, "An unforeseen error, now in the service's log."))
