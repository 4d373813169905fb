"""What passes the door: timed, counted, logged without names, and sent with security headers.

Errors that nobody foresaw end here, as an answer: the connection stays, and other requests with it.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facegauge.serve import problems
from facegauge.serve.metrics import Metrics

_log = logging.getLogger("facegauge.serve")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",  # a page may run ONNX Runtime's WebAssembly
        "worker-src 'self' blob:",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",  # of a page's workers, too: else no threads
}
_HTML = {
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
_SCRIPT = {
    "content-security-policy": PAGE_POLICY
}  # a worker's policy is its script's, not the page's
_OF_KIND = {"text/html": _HTML, "text/javascript": _SCRIPT, "application/javascript": _SCRIPT}


class Traffic:
    """ASGI middleware around the whole service.

    Logged are method, route, status and time: no address, query, file name, client or score.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, answering = time.perf_counter(), 500, False

        async def sent(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                _secure(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:  # of whatever kind: it is told here, as a server cuts the connection
            if answering:
                raise
            _log.exception("an unforeseen error")
            await problems.unforeseen()(scope, receive, sent)
        finally:
            self._tell(scope, status, time.perf_counter() - begun)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        self._metrics.answered(method, route, status, seconds)
        _log.info("%s %s %d %.0f ms", method, route, status, 1000 * seconds)


def _secure(headers: MutableHeaders) -> None:
    kind = headers.get("content-type", "").partition(";")[0]
    for name, value in (_ALWAYS | _OF_KIND.get(kind, {})).items():
        headers.setdefault(name, value)


def _route(scope: Scope) -> str:
    """The pattern that an address fits, as addresses themselves are anybody's."""
    found: Any = scope.get("route")
    return str(getattr(found, "path", "")) or "other"
