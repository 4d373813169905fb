"""Requests that nobody should send, as bytes on the wire, and the answer of each.

Written for a service that takes 8 files, a million bytes each and two together, within a second.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from hostile_files import JPEG, NOISE
from served import FORM, form, part, post


@dataclass(frozen=True, slots=True)
class Wire:
    """What is sent in pieces, and the status and type of the answer.

    None stands for any answer, 0 for a connection that is closed without one.
    """

    name: str
    answer: str | None
    pieces: tuple[bytes, ...]
    pause: float


def case(name: str, answer: str | None, *pieces: bytes, pause: float = 0.0) -> Wire:
    """One request."""
    return Wire(name, answer, pieces, pause)


def named(disposition: bytes) -> bytes:
    return post(form([part(JPEG, disposition)]))


def chunked(*chunks: bytes, end: bool = False) -> bytes:
    head = post(b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    body = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    return head + body + (b"0\r\n\r\n" if end else b"")


def get(target: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"host: here", *headers, b"", b""])


GOOD = form([part(JPEG)])
MB = bytes(1 << 20)
REQUESTS = [
    case(
        "name ../../etc/passwd",
        "200",
        named(b'form-data; name="files"; filename="../../etc/passwd"'),
    ),
    case("name /dev/null", "200", named(b'form-data; name="files"; filename="/dev/null"')),
    case("name with a NUL", "200", named(b'form-data; name="files"; filename="a\0.jpg"')),
    case(
        "name of no encoding",
        "200",
        named(b'form-data; name="files"; filename="\xff\xfe\xed\xa0\x80"'),
    ),
    case(
        "name with line breaks, encoded",
        "422 unexpected-part",
        named(b"form-data; name=files; filename*=utf-8''a%0d%0ax: y"),
    ),
    case(
        "name of 100 KB",
        "400 malformed-upload",
        named(b'form-data; name="files"; filename="' + b"n" * 100_000 + b'"'),
    ),
    case(
        "name is an address",
        "200",
        named(b'form-data; name="files"; filename="http://127.0.0.1:9/a.jpg"'),
    ),
    case("a part of another name", "422 unexpected-part", named(b'form-data; name="url"')),
    case("a part without a name", "422 unexpected-part", named(b"form-data")),
    case(
        "a part without headers",
        "422 unexpected-part",
        post(b"--between\r\n\r\nx\r\n--between--\r\n"),
    ),
    case(
        "two dispositions in a part",
        "422 unexpected-part",
        post(form([part(JPEG, None, b'content-disposition: form-data; name="url"')])),
    ),
    case(
        "two names in a disposition",
        "422 unexpected-part",
        named(b'form-data; name="files"; name="url"; filename="a"'),
    ),
    case("the same field 8 times", "200", post(form([part(b"x")] * 8))),
    case("9 files", "422 too-many-files", post(form([part(b"x")] * 9))),
    case("10,000 parts", "422 too-many-files", post(form([part(b"")] * 10_000))),
    case(
        "1,000 headers in a part",
        "400 malformed-upload",
        post(form([part(b"x", None, *[b"a: b"] * 1000)])),
    ),
    case(
        "a header without end in a part",
        "400 malformed-upload",
        post(b"--between\r\na: " + bytes(500_000)),
    ),
    case("a form of nothing", "422 no-files", post(form([]))),
    case("no closing boundary", "400 malformed-upload", post(GOOD[:-6])),
    case("a body that is no form", "400 malformed-upload", post(NOISE)),
    case("a form twice in a body", "200", post(GOOD + GOOD)),
    case("no body", "400 malformed-upload", post(b"")),
    case("a file of 1.5 MB", "413 too-large", post(form([part(MB + MB[: 1 << 19])]))),
    case("3 MB announced", "413 too-large", post(b"", length=3_000_000)),
    case("10^30 bytes announced", "400", post(b"", length=10**30)),
    case("an endless body", "413 too-large", chunked(part(b"")[:-2], *[bytes(9999)] * 300)),
    case(
        "a zip bomb as content-encoding",
        "400 malformed-upload",
        post(zlib.compress(GOOD + MB), b"content-encoding: deflate"),
    ),
    case(
        "too large, expecting 100",
        "413 too-large",
        post(b"", b"expect: 100-continue", length=10**9),
    ),
    case("no content type", "415 not-multipart", post(GOOD, kind=b"")),
    case(
        "JSON with an address",
        "415 not-multipart",
        post(b'{"url": "http://127.0.0.1:9/"}', kind=b"application/json"),
    ),
    case(
        "a form of another kind",
        "415 not-multipart",
        post(b"files=http://127.0.0.1:9/", kind=b"application/x-www-form-urlencoded"),
    ),
    case(
        "multipart without a boundary", "415 not-multipart", post(GOOD, kind=b"multipart/form-data")
    ),
    case("a boundary of 4 KB", "400 malformed-upload", post(GOOD, kind=FORM + b"b" * 4000)),
    case("an image as it is", "415 not-multipart", post(JPEG, kind=b"image/jpeg")),
    case("two content types", "200", post(GOOD, b"content-type: text/plain")),
    case("half a body, then silence", "408 too-slow", post(GOOD)[:900]),
    case(
        "a byte now and then",
        "408 too-slow",
        post(b"--between\r\n", length=900),
        *[b"a"] * 12,
        pause=0.1,
    ),
    case("headers that never end", "0", b"POST /v1/score HTTP/1.1\r\nhost: here\r\n"),
    case("nothing at all", "0", b""),
    case("headers of 1 MB", "400", get(b"/healthz", b"a: " + b"b" * 1_000_000)),
    case("100,000 headers", "400", get(b"/healthz", *[b"a: b"] * 100_000)),
    case("an address of 1 MB", "400", get(b"/" + b"a" * 1_000_000)),
    case("a negative length", "400", post(GOOD, length=-1)),
    case("two lengths", "400", post(GOOD, b"content-length: 3")),
    case("length and chunks", "400", post(GOOD, b"transfer-encoding: chunked")),
    case("chunks of no number", "400", chunked() + b"xyz\r\n"),
    case("noise", "400", NOISE + b"\r\n\r\n"),
    case("TLS", "400", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + NOISE[:200] + b"\r\n\r\n"),
    case("HTTP/2", "404 not-found", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    case("a proxy's request", "404 not-found", get(b"http://127.0.0.1:9/healthz")),
    case("CONNECT", "404 not-found", get(b"127.0.0.1:9", method=b"CONNECT")),
    case("TRACE", "405 method-not-allowed", get(b"/v1/score", method=b"TRACE")),
    case("an invented method", "405 method-not-allowed", get(b"/v1/score", method=b"BREW")),
    case(
        "a websocket",
        "405 method-not-allowed",
        get(b"/v1/score", b"connection: upgrade", b"upgrade: websocket"),
    ),
    case(
        "a model by a path",
        "422 invalid-parameter",
        post(GOOD).replace(b"/v1/score", b"/v1/score?model=../../etc/passwd"),
    ),
    case(
        "a model by an address",
        "422 invalid-parameter",
        post(GOOD).replace(b"/v1/score", b"/v1/score?model=http://127.0.0.1:9/m.onnx"),
    ),
    case("a file by a path", "404 not-found", get(b"/v1/models/..%2f..%2f..%2fetc%2fpasswd/file")),
    case("a file by dots", "404 not-found", get(b"/v1/models/../../../etc/passwd")),
    case(
        "a file in 1,000 ranges",
        None,
        get(
            b"/v1/models/detector/file",
            b"range: bytes=" + b",".join(b"%d-%d" % (2 * n, 2 * n) for n in range(1000)),
        ),
    ),
    case(
        "3,000 parameters", "415 not-multipart", get(b"/v1/score?" + b"a=b&" * 3000, method=b"POST")
    ),
]
