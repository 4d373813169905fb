"""The app on a socket: uvicorn, one process, stopped by SIGTERM or Ctrl+C without losing a request.

On a stop no new connection is taken, what was accepted is answered, and the exit code is 0.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from facegauge.errors import OptionError
from facegauge.serve.limits import Limits

PATIENCE = 10.0
"""Seconds a connection may take to send a request's headers, or go on after its answer."""
MOST_HEADER_BYTES = 16_384
"""Most bytes of a request's headers."""


class Connection(H11Protocol):
    """A connection that must get to the point: it is closed when nothing comes of it.

    uvicorn waits for headers without end, and lets a client go on sending a body whose request has
    long been refused. Both end here after ``PATIENCE`` seconds.
    """

    patience = PATIENCE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here."""
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._look_again()

    def on_response_complete(self) -> None:
        """A request has its answer."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _look_again(self) -> None:
        self.loop.call_later(self.patience / 2, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and self.loop.time() - self._idle_since >= self.patience:
            self.transport.close()
        else:
            self._look_again()


def configured(app: FastAPI, *, host: str, port: int, limits: Limits) -> uvicorn.Config:
    """How uvicorn runs the service: logging is the command line's, and no proxy is trusted."""
    options: dict[str, Any] = {
        "http": Connection,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "h11_max_incomplete_event_size": MOST_HEADER_BYTES,
        "timeout_graceful_shutdown": round(limits.grace_seconds),
    }
    return uvicorn.Config(app, host=host, port=port, **options)


def run(app: FastAPI, *, host: str = "127.0.0.1", port: int = 8000, limits: Limits) -> None:
    """Serve until SIGTERM or Ctrl+C, and leave the process with exit code 0.

    Raises:
        OptionError: the address cannot be had.
    """
    server = uvicorn.Server(configured(app, host=host, port=port, limits=limits))
    for each in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has stopped
        signal.signal(each, _leave)
    with _listening(host, port) as listening:
        server.run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OptionError(
            f"{host}:{port} cannot be had: in use, or not of this machine. Pass another --port."
        ) from error


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
