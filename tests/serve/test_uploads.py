import asyncio
import random
import sys
import threading

import pytest
from starlette.requests import Request

from broken_images import encoded, gradient
from facegauge.serve import uploads
from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem, Refused
from facegauge.serve.uploads import Upload, read_uploads
from served import BOUNDARY, FORM, form, part

SMALL = Limits(file_bytes=1000, request_bytes=3500, files=4, queue=8, upload_seconds=1.0)


def read(body, kind=FORM, chunk=65536, limits=SMALL, headers=(), pause=0.0, hold=lambda _: None):
    """The uploads in a body that arrives in chunks."""
    chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    places = iter(range(len(chunks)))

    async def receive():
        await asyncio.sleep(pause)
        place = next(places)
        more = place + 1 < len(chunks)
        return {"type": "http.request", "body": chunks[place], "more_body": more}

    told = [(b"content-type", kind), *headers]
    request = Request({"type": "http", "method": "POST", "headers": told}, receive)
    return asyncio.run(read_uploads(request, limits, hold))


def refused(body, **options) -> Problem:
    with pytest.raises(Refused) as refusal:
        read(body, **options)
    assert refusal.value.detail.endswith((".", "faces=all", "photo.jpg"))
    return refusal.value.problem


@pytest.mark.parametrize("chunk", [1, 7, 64, 65536])
def test_files_arrive_in_order_however_they_are_cut(chunk):
    contents = [b"one", b"", b"--between\r\n", bytes(range(256))]
    body = form(part(each) for each in contents)
    assert [each.content for each in read(body, chunk=chunk)] == contents


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="files"; filename="a.jpg"', "a.jpg"),
        (b'form-data; name=files; filename=""', ""),
        (b'form-data; name="files"; filename="../../etc/passwd"', "../../etc/passwd"),
        ('form-data; name="files"; filename="Gesicht Ä 顔.jpg"'.encode(), "Gesicht Ä 顔.jpg"),
        (b'form-data; name="files"; filename="\xff\xfe"', "��"),
        (b'form-data; name="files"; filename="' + b"n" * 999 + b'"', "n" * 255),
        (b'FORM-DATA; name="files"; filename="A.JPG"', "A.JPG"),
    ],
)
def test_names_are_kept_as_they_are_but_no_longer(disposition, name):
    [found] = read(form([part(b"x", disposition)]))
    assert found == Upload(name=name, content=b"x")
    assert "content" not in repr(found)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (form([part(bytes(1001))]), Problem.TOO_LARGE),
        (form([part(bytes(900)) for _ in range(4)]), Problem.TOO_LARGE),
        (form([part(b"x") for _ in range(5)]), Problem.TOO_MANY_FILES),
        (form([part(b"x", b'form-data; name="model"')]), Problem.UNEXPECTED_PART),
        (form([part(b"x", b'attachment; name="files"')]), Problem.UNEXPECTED_PART),
        (form([part(b"x", b'form-data; name="files"')]), Problem.UNEXPECTED_PART),
        (form([part(b"x", b"")]), Problem.UNEXPECTED_PART),
        (form([]), Problem.NO_FILES),
        (form([part(b"x")])[:-4], Problem.MALFORMED),
        (form([part(b"x")])[:-20], Problem.MALFORMED),
        (b"", Problem.MALFORMED),
        (b"no form at all", Problem.MALFORMED),
        (form([part(b"x", None, b"a: " + b"b" * 2900)]), Problem.MALFORMED),
        (form([part(b"x", None, *[b"a%d: b" % n for n in range(200)])]), Problem.MALFORMED),
    ],
)
@pytest.mark.parametrize("chunk", [11, 65536])
def test_what_is_no_upload_within_the_limits_is_refused(body, problem, chunk):
    assert refused(body, chunk=chunk) is problem


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"multipart/mixed; boundary=between",
        b"image/jpeg",
    ],
)
def test_other_content_types_are_refused(kind):
    assert refused(form([part(b"x")]), kind=kind) is Problem.NOT_MULTIPART


def test_a_boundary_without_end_is_refused():
    kind = b"multipart/form-data; boundary=" + b"b" * 300
    assert refused(b"", kind=kind) is Problem.MALFORMED


@pytest.mark.parametrize("length", [b"3501", b"9" * 30])
def test_what_announces_too_much_is_refused_unread(length):
    async def never():
        raise AssertionError("read")

    told = [(b"content-type", FORM), (b"content-length", length)]
    request = Request({"type": "http", "method": "POST", "headers": told}, never)
    with pytest.raises(Refused) as refusal:
        asyncio.run(read_uploads(request, SMALL, lambda _: None))
    assert refusal.value.problem is Problem.TOO_LARGE


def test_too_slow_is_refused():
    limits = Limits(upload_seconds=1.0)
    assert refused(form([part(b"x" * 50)]), chunk=1, pause=0.05, limits=limits) is Problem.TOO_SLOW


def test_bytes_are_counted_before_they_are_kept():
    counted: list[int] = []
    body = form([part(b"x" * 500)])
    read(body, chunk=100, hold=counted.append)
    assert sum(counted) == len(body)


def test_noise_is_refused_and_nothing_else():
    """Two thousand bodies that were damaged at random: an upload or a problem."""
    chance, whole = random.Random(0), form([part(b"abc" * 9), part(b"x")])
    outcomes = set()
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.choice(b'\r\n-:;="\0ab')
        try:
            outcomes.add(type(_parsed(bytes(body))))
        except Refused as refusal:
            outcomes.add(refusal.problem)
    assert outcomes >= {list, Problem.MALFORMED, Problem.UNEXPECTED_PART}


def _parsed(body):
    """The same without an event loop, which would take most of the time."""
    reading = uploads._Form(BOUNDARY, SMALL)

    async def chunks():
        yield body

    try:
        with pytest.raises(StopIteration):
            reading.read(chunks(), lambda _: None).send(None)
    except uploads.FormParserError as error:
        raise Refused(Problem.MALFORMED, str(error)) from error
    return reading.finished()


_written: list[str] = []
_watching = threading.Event()


def _watch(event: str, arguments: tuple) -> None:
    """An audit hook, which stays for ever: it sees every file that Python opens."""
    if _watching.is_set() and event in ("open", "os.mkdir", "os.open"):
        path, mode, flags = (*arguments, "", 0)[:3]
        if not isinstance(flags, int) or flags & 0o3 or any(c in str(mode) for c in "wax+"):
            _written.append(f"{event} {path} {mode} {flags}")


def test_nothing_is_written_to_disk(tiny):
    """Also of uploads larger than what forms keep in memory: one and five megabytes."""
    from facegauge.scoring import Scorer
    from facegauge.serve.app import create_app
    from served import served
    from toy_detector import squares

    sys.addaudithook(_watch)
    large = encoded(gradient(1800, 1000), "BMP")
    assert len(large) > 5_000_000
    with served(create_app(Scorer(tiny, detector=squares()))) as service:
        service.score(large)
        _watching.set()
        try:
            found = service.score(large, large[: 2 << 20], encoded(gradient(), "PNG"))
        finally:
            _watching.clear()
    outcomes = [each["assessments"][0]["outcome"] for each in found.json()["results"]]
    assert outcomes == ["scored", "unreadable", "scored"]
    assert _written == []


def test_the_watch_above_would_see_a_file(tmp_path):
    _watching.set()
    (tmp_path / "file").write_bytes(b"x")
    _watching.clear()
    assert len(_written) == 1
    _written.clear()
