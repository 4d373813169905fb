"""The service as an ASGI app: create_app(scorer), and nothing runs until something serves it.

Uploads are kept in memory and forgotten with their answer; no address in a request is ever fetched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import Match, Mount
from starlette.types import Scope

import facegauge.serve
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve import manual, problems
from facegauge.serve.admission import Admission
from facegauge.serve.catalogue import Catalogue
from facegauge.serve.desk import Desk
from facegauge.serve.keys import guards
from facegauge.serve.limits import Limits
from facegauge.serve.metrics import Metrics
from facegauge.serve.routes import Service, health_routes, model_routes, score_routes, version
from facegauge.serve.scorers import Scorers
from facegauge.serve.traffic import Traffic

PAGE = Path(facegauge.serve.__path__[0]) / "page"
"""Folder of the page for browsers; the service does without one, too."""

_ABOUT = (
    "Face image quality, 0..100. Uploads are kept in memory until they are answered, are written "
    "nowhere, and no address is ever fetched."
)


class Page(Mount):
    """The page's files and no other address: those of the service keep their 404 and 405."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder, html=True)
        super().__init__("/", self._files, name="page")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether there is such a file."""
        try:
            _, found = self._files.lookup_path(scope.get("path", "").lstrip("/") or "index.html")
        except (OSError, ValueError):  # a name too long, or one that no file can have
            found = None
        return super().matches(scope) if found else (Match.NONE, {})


def create_app(
    scorer: Scorer | Panel,
    *,
    also: Sequence[Scorer] = (),
    limits: Limits | None = None,
    workers: int | None = None,
    api_key: str | None = None,
    page: Path = PAGE,
) -> FastAPI:
    """The service.

    Args:
        scorer: answers where a request names no model.
        also: further scorers, asked for by the names of their models.
        limits: bounds; None takes the usual ones.
        workers: threads that decode, find faces and crop; None takes one per core.
        api_key: what clients must show as ``Authorization: Bearer KEY``; None asks for nothing.
        page: folder with an ``index.html`` for browsers, shown at ``/`` if it is there.

    Raises:
        OptionError: a key that no header can hold, or fewer than one worker.
    """
    service = _service(Scorers(scorer, also), limits or Limits(), workers)
    app = _bare(service)
    locks = guards(api_key)
    app.include_router(score_routes(service), dependencies=locks)
    app.include_router(model_routes(service), dependencies=locks)
    app.include_router(health_routes(service, locks))
    problems.tell_all(app)
    app.add_middleware(Traffic, metrics=service.metrics)
    _show_manual(app)
    _show_page(app, page)
    return app


def _service(scorers: Scorers, limits: Limits, workers: int | None) -> Service:
    admission = Admission(limits)
    metrics = Metrics(admission)
    return Service(
        limits=limits,
        scorers=scorers,
        catalogue=Catalogue(scorers),
        admission=admission,
        metrics=metrics,
        desk=Desk(limits, workers=workers, called=metrics.called),
    )


def _bare(service: Service) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.desk.close()

    return FastAPI(
        title="facegauge",
        version=version(),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )


def _show_manual(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        headers = {"content-security-policy": manual.POLICY}
        return HTMLResponse(manual.page(app.openapi()), headers=headers)


def _show_page(app: FastAPI, folder: Path) -> None:
    """The page at ``/``; the documentation where there is none."""
    if (folder / "index.html").is_file():
        app.router.routes.append(Page(folder))
        return

    @app.get("/", include_in_schema=False)
    async def front() -> RedirectResponse:
        return RedirectResponse("/docs")
