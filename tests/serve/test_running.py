"""The service as a process: started by the command line, stopped by a signal."""

import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI

from broken_images import encoded
from facegauge.errors import OptionError
from facegauge.serve import running
from facegauge.serve.app import create_app
from facegauge.serve.limits import Limits
from served import form, part, post, served, status, until

COMMAND = [sys.executable, "-W", "error", "-c", "from facegauge.cli import main; main()", "serve"]


@pytest.fixture(scope="module")
def portrait() -> bytes:
    from PIL import Image
    from skimage import data

    return encoded(Image.fromarray(data.astronaut()), "JPEG")


@contextmanager
def process(*options: str):
    """``facegauge serve`` on a free port, ready: the process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*COMMAND, "--port", str(port), *options]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: _answers(port, child), 60)
        yield child, port
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


def _answers(port: int, child: subprocess.Popen) -> bool:
    assert child.poll() is None, child.stderr.read()
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def waiting(port: int) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return float(re.search(r"^facegauge_queue_files (\S+)", text, re.MULTILINE)[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_loses_nothing_that_was_accepted(portrait, number):
    files = [("files", ("a.jpg", portrait))] * 4

    def ask(port):
        address = f"http://127.0.0.1:{port}/v1/score"
        return httpx.post(address, files=files, timeout=60, trust_env=False)

    with process("--workers", "1") as (child, port), ThreadPoolExecutor(6) as clients:
        begun = [clients.submit(ask, port) for _ in range(6)]
        until(lambda: waiting(port) >= 20)
        child.send_signal(number)
        time.sleep(0.3)
        with pytest.raises(OSError):  # nobody new
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        answers = [each.result() for each in begun]
        assert child.wait(30) == 0
        log = child.stderr.read()
    assert [each.status_code for each in answers] == [200] * 6
    scores = {
        result["assessments"][0]["score"] for each in answers for result in each.json()["results"]
    }
    assert max(scores) - min(scores) < 1e-3
    assert "Traceback" not in log
    assert "a.jpg" not in log
    assert log.count("POST /v1/score 200") == 6


def test_a_stop_waits_for_an_upload_that_is_arriving(portrait):
    request = post(form([part(portrait)]))
    with process() as (child, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(request[:2000])
        time.sleep(0.5)
        child.terminate()
        time.sleep(0.5)
        client.sendall(request[2000:])
        assert status(client.recv(65536)) == 200
        assert child.wait(30) == 0


def test_a_stop_does_not_wait_for_ever():
    with (
        process("--grace-seconds", "1") as (child, port),
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        client.sendall(post(b"--between\r\n", length=5000))
        time.sleep(0.3)
        child.terminate()
        begun = time.monotonic()
        child.wait(30)
        assert time.monotonic() - begun < 10


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND, "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be had" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_it_listens_at_this_machine_unless_told_otherwise():
    config = running.configured(None, host="127.0.0.1", port=1, limits=Limits())
    assert (config.access_log, config.server_header, config.proxy_headers) == (False, False, False)
    assert running.run.__kwdefaults__["host"] == "127.0.0.1"


@pytest.fixture
def impatient(monkeypatch, tiny):
    from facegauge.scoring import Scorer
    from toy_detector import squares

    monkeypatch.setattr(running.Connection, "patience", 0.4)
    with served(create_app(Scorer(tiny, detector=squares()))) as service:
        yield service


def test_who_says_nothing_is_shown_the_door(impatient):
    begun = time.monotonic()
    assert impatient.raw(b"GET / HTT", patience=5) == b""
    assert time.monotonic() - begun < 3


def test_who_goes_on_after_the_answer_is_shown_the_door(impatient):
    """A refused body is read a while, so that its sender sees why, but not without end."""
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=5) as client:
        client.sendall(post(b"", length=10**9))
        assert status(client.recv(65536)) == 413
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 5:
                client.sendall(bytes(1000))
                time.sleep(0.01)


def test_who_works_is_not(impatient):
    """Requests over one connection for longer than the patience, and one that takes longer."""
    for _ in range(8):
        assert impatient.client.get("/healthz").status_code == 200
        time.sleep(0.1)
    body = form([part(b"x" * 100)])
    request = post(body)
    pieces = [request[:200], request[200:220], request[220:240], request[240:]]
    assert status(impatient.raw(*pieces, pause=0.3)) == 200


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 80), ("no such name", 80)])
def test_an_address_that_cannot_be_had_is_told(monkeypatch, host, port):
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    with pytest.raises(OptionError, match="cannot be had"):
        running.run(FastAPI(), host=host, port=port, limits=Limits())
