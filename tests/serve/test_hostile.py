"""What hostile clients send, and the answer of each; the service is alive after all of them.

pytest -s prints the list. Sizes are small here, since the limits of the service are.
"""

import re
import socket
import sys

import pytest

from broken_images import READABLE, make_broken_folder
from facegauge.scoring import Scorer
from facegauge.serve import running
from facegauge.serve.app import create_app
from facegauge.serve.limits import Limits
from hostile_files import FILES, File
from hostile_requests import GOOD, REQUESTS, Wire, get
from served import ONE, Service, png, post, served, status, until
from toy_detector import squares

LIMITS = Limits(
    file_bytes=1_000_000,
    request_bytes=2_000_000,
    held_bytes=8_000_000,
    pixels=1_000_000,
    files=8,
    queue=16,
    upload_seconds=1.0,
)
PHOTO = png(ONE)


def say(line: str) -> None:
    """A line of the list."""
    sys.stdout.write(f"{line}\n")


@pytest.fixture(scope="module")
def service(tiny):
    usual, running.Connection.patience = running.Connection.patience, 1.0
    with served(create_app(Scorer(tiny, detector=squares()), limits=LIMITS)) as started:
        yield started
    running.Connection.patience = usual


@pytest.fixture(autouse=True)
def alive(service):
    """After whatever came: well, with the same score, and nothing kept."""
    before = service.assessment(PHOTO)["score"]
    yield
    assert service.client.get("/healthz").json()["status"] == "ok"
    assert service.assessment(PHOTO)["score"] == before
    until(lambda: "facegauge_held_bytes 0.0" in service.client.get("/metrics").text)
    assert 'status="500"' not in service.client.get("/metrics").text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_is_a_row(service: Service, file: File):
    assert len(file.content) <= LIMITS.file_bytes
    results = service.score(file.content, PHOTO).json()["results"]
    [found], [beside] = (each["assessments"] for each in results)
    say(f"{file.name}: 200, {found['outcome']}, {found['detail']}")
    assert beside["outcome"] == "scored"
    assert found["outcome"] == file.outcome or file.outcome is None
    assert file.detail in found["detail"]
    assert (found["score"] is None) == (found["outcome"] != "scored")
    assert not re.search(r"\b0x[0-9a-f]{6}|/home|/tmp|\.py", found["detail"])  # nothing of ours


@pytest.mark.parametrize("wire", REQUESTS, ids=lambda wire: wire.name)
def test_a_hostile_request_has_an_answer(service: Service, wire: Wire):
    answer = service.raw(*wire.pieces, pause=wire.pause)
    kind = re.search(rb'"type":"/docs#([a-z-]+)"', answer)
    told = f"{status(answer)} {kind[1].decode() if kind else ''}".strip()
    say(f"{wire.name}: {told}")
    assert told == wire.answer or (wire.answer is None and 0 < status(answer) < 500)
    assert b"root:" not in answer


def test_the_list_is_long_enough():
    assert len(FILES) + len(REQUESTS) >= 80


def test_odd_files_of_all_kinds_are_rows(service, tmp_path):
    """The folder that every reader of pictures is tested with."""
    expected = make_broken_folder(tmp_path / "odd")
    paths = [path for path in sorted((tmp_path / "odd").iterdir()) if path.is_file()]
    assert len(paths) > 60
    for path in paths:
        if not path.is_symlink() and path.stat().st_size <= LIMITS.file_bytes:
            found = service.assessment(path.read_bytes())
            assert (found["outcome"] != "unreadable") == (expected[path.name] == READABLE), (
                path.name
            )


def test_clients_that_leave_are_forgotten(service):
    for cut in (40, 300, len(post(GOOD)) // 2, len(post(GOOD))):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", service.port)) as client:
                client.sendall(post(GOOD)[:cut])
    until(lambda: "facegauge_queue_files 0.0" in service.client.get("/metrics").text)


def test_many_slow_clients_at_once_hold_up_nobody_else(service):
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
    for each in slow:
        each.sendall(post(b"--between\r\n", length=5000))
    assert service.assessment(PHOTO)["outcome"] == "scored"
    for each in slow:
        each.settimeout(10)
        assert status(each.recv(4096)) == 408
        each.close()


def test_two_requests_in_one_piece_are_two_answers(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(post(GOOD) + get(b"/healthz"))
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 2 or not answers.endswith(b"}"):
            answers += client.recv(65536)
    assert b'"results"' in answers
