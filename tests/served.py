"""The service on a socket of this machine, inside the test's own process.

with served(create_app(scorer)) as service:
    service.client.post("/v1/score", files=[("files", ("a.jpg", content))])
    service.raw(b"GET / HTTP/1.1\\r\\n\\r\\n")
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI
from PIL import Image

from broken_images import encoded
from facegauge.serve import running
from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem
from toy_detector import scene

BOUNDARY = b"between"
FORM = b"multipart/form-data; boundary=" + BOUNDARY


ONE = scene((60, 60, 90))
TWO = scene((60, 60, 90), (300, 100, 80))
"""Photographs with one and two faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that runs: a client for it, and its port for what no client would send."""

    client: httpx.Client
    port: int

    def score(self, *contents: bytes, name: str = "a.jpg", **query: Any) -> httpx.Response:
        """Send files to be scored."""
        files = [("files", (name, content)) for content in contents]
        return self.client.post("/v1/score", files=files, params=query)

    def assessment(self, content: bytes, **query: Any) -> dict[str, Any]:
        """The only assessment of one file."""
        response = self.score(content, **query)
        assert response.status_code == 200, response.text
        [result] = response.json()["results"]
        [found] = result["assessments"]
        return found

    def metrics(self) -> dict[str, float]:
        """What Prometheus is told."""
        lines = self.client.get("/metrics").text.splitlines()
        told = (line.rpartition(" ") for line in lines if line[:1] != "#")
        return {key: float(value) for key, _, value in told}

    def raw(self, *pieces: bytes, pause: float = 0.0, patience: float = 10.0) -> bytes:
        """Send bytes as they are, with pauses, and return what comes until the other side closes.

        It is also returned as soon as one whole answer is here.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as client:
            for piece in pieces:
                try:
                    client.sendall(piece)
                except OSError:  # closed by the service: what it said may still be there
                    break
                time.sleep(pause)
            return _answer(client)


def png(pixels: np.ndarray) -> bytes:
    """A picture as a file."""
    return encoded(Image.fromarray(pixels), "PNG")


def problem(response: httpx.Response, kind: Problem) -> str:
    """The detail of a problem, which has the form of one."""
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert response.status_code == told["status"] == kind.status
    assert (told["type"], told["title"]) == (f"/docs#{kind.word}", kind.title)
    assert set(told) == {"type", "title", "status", "detail"}
    return str(told["detail"])


def until(condition: Callable[[], object], patience: float = 10.0) -> None:
    """Wait for what comes soon: a request is counted just after its answer has been sent."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def post(body: bytes, *headers: bytes, kind: bytes = FORM, length: int | None = None) -> bytes:
    """A whole request to /v1/score."""
    told = b"%d" % (len(body) if length is None else length)
    lines = [b"POST /v1/score HTTP/1.1", b"host: here", b"content-length: " + told]
    return b"\r\n".join([*lines, b"content-type: " + kind, *headers, b"", body])


def part(content: bytes, disposition: bytes | None = None, *headers: bytes) -> bytes:
    """One part of a form; a file of the expected name unless told otherwise."""
    usual = b'form-data; name="files"; filename="a.jpg"'
    told = b"content-disposition: " + (usual if disposition is None else disposition)
    return b"\r\n".join([b"--" + BOUNDARY, told, *headers, b"", content, b""])


def form(parts: Iterable[bytes]) -> bytes:
    """Parts and the closing boundary."""
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


@contextmanager
def served(app: FastAPI, limits: Limits | None = None) -> Iterator[Service]:
    """The app on a free port, until the block ends."""
    config = running.configured(app, host="127.0.0.1", port=0, limits=limits or Limits())
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            base = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
                yield Service(client=client, port=port)
        finally:
            server.should_exit = True
            thread.join(30)


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 when the connection was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def _answer(client: socket.socket) -> bytes:
    found = b""
    try:
        while not _whole(found) and (more := client.recv(65536)):
            found += more
    except ConnectionResetError:
        pass
    return found


def _whole(answer: bytes) -> bool:
    head, gap, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(gap and lengths) and len(body) >= int(lengths[0].split(b":")[1])
