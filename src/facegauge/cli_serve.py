"""The command line of the service: serve."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import typer

from facegauge import models, panel
from facegauge.choices import FaceChoice, Input
from facegauge.detection import Detector
from facegauge.devices import DEVICES
from facegauge.errors import needing
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve.limits import Limits, explained
from facegauge.terminal import tell

_USUAL = Limits()
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _bound(name: str) -> Any:
    return typer.Option(help=explained(name))


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.", min=0, max=65535)] = 8000,
    model: Annotated[
        str, typer.Option(help="What scores unless a request says so; several with commas.")
    ] = models.DEFAULT,
    input: Annotated[Input, typer.Option(help="What the pictures show.")] = Input.PHOTO,
    detector: Annotated[str | None, typer.Option(help="What finds faces; default: ours.")] = None,
    faces: Annotated[
        FaceChoice, typer.Option(help="Which faces, unless a request says so.")
    ] = FaceChoice.LARGEST,
    device: Annotated[str, typer.Option(help=DEVICES)] = "cpu",
    workers: Annotated[int | None, typer.Option(help="Reading threads; default: cores.")] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="FACEGAUGE_API_KEY", help="Key to ask for; better in the variable."),
    ] = None,
    file_bytes: Annotated[int, _bound("file_bytes")] = _USUAL.file_bytes,
    request_bytes: Annotated[int, _bound("request_bytes")] = _USUAL.request_bytes,
    held_bytes: Annotated[int, _bound("held_bytes")] = _USUAL.held_bytes,
    pixels: Annotated[int, _bound("pixels")] = _USUAL.pixels,
    files: Annotated[int, _bound("files")] = _USUAL.files,
    queue: Annotated[int, _bound("queue")] = _USUAL.queue,
    requests: Annotated[int, _bound("requests")] = _USUAL.requests,
    upload_seconds: Annotated[float, _bound("upload_seconds")] = _USUAL.upload_seconds,
    grace_seconds: Annotated[float, _bound("grace_seconds")] = _USUAL.grace_seconds,
    batch_size: Annotated[int, _bound("batch_size")] = _USUAL.batch_size,
) -> None:
    """Score over HTTP, until stopped: POST /v1/score, see /docs.

    Uploads stay in memory. SIGTERM or Ctrl+C answers what was accepted, then ends with 0.
    """
    with needing("serve", "facegauge serve"):
        from facegauge.serve.app import create_app
        from facegauge.serve.running import run
    limits = Limits(
        file_bytes=file_bytes,
        request_bytes=request_bytes,
        held_bytes=held_bytes,
        pixels=pixels,
        files=files,
        queue=queue,
        requests=requests,
        upload_seconds=upload_seconds,
        grace_seconds=grace_seconds,
        batch_size=batch_size,
    )
    scorer = panel.open(model, input=input, faces=faces, detector=detector, device=device)
    also = _others(scorer, device)
    app = create_app(scorer, also=also, limits=limits, workers=workers, api_key=api_key)
    _greet(host, port, guarded=api_key is not None)
    run(app, host=host, port=port, limits=limits)


def _others(scorer: Scorer | Panel, device: str) -> list[Scorer]:
    """The other embedded models that score, with the same detector."""
    first, *rest = scorer.scorers if isinstance(scorer, Panel) else (scorer,)
    taken = {each.model.card.name for each in (first, *rest)}
    shared: Detector | None = first.detector
    return [
        Scorer(card.name, input=first.input, faces=first.faces, detector=shared, device=device)
        for card in models.available()
        if card.kind in ("utility", "perceptual") and card.name not in taken
    ]


def _greet(host: str, port: int, *, guarded: bool) -> None:
    """Say where the service is, log what it answers, and warn when anyone may use it."""
    logging.getLogger("facegauge.serve").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # else a line a bad upload
    shown = f"[{host}]" if ":" in host else host
    tell(f"facegauge answers at http://{shown}:{port}, its documentation is at /docs")
    if host not in _LOOPBACK and not guarded:
        tell("Whoever reaches this address may use it: set FACEGAUGE_API_KEY to ask for a key.")
