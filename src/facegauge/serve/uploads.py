"""Files in a multipart upload, read as they arrive: in memory only, every bound kept on the way.

Written on python-multipart's push parser instead of Starlette's forms, since those put files on
disk and know no bounds of bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem, Refused

FIELD = "files"
"""Name of the parts that hold pictures."""
MOST_HEADER_BYTES = 2048
"""Most bytes of headers of one part."""
MOST_NAME = 255
"""Most characters of a file's name that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent: its name, to be shown and used for nothing else, and its bytes."""

    name: str
    content: bytes = field(repr=False)


async def read_uploads(
    request: Request, limits: Limits, hold: Callable[[int], None]
) -> list[Upload]:
    """The files in a request's body; ``hold`` is told how many bytes are about to be kept.

    Raises:
        Refused: anything that is no upload of at least one file within the limits and in time.
    """
    form = _Form(boundary(request.headers.get("content-type", "")), limits)
    _check_length(request.headers.get("content-length", "0"), limits)
    try:
        async with asyncio.timeout(limits.upload_seconds):
            await form.read(request.stream(), hold)
    except TimeoutError as error:
        raise Refused(
            Problem.TOO_SLOW,
            f"Expected the whole upload within {limits.upload_seconds:g} seconds. Send less.",
        ) from error
    except ClientDisconnect as error:
        raise Refused(Problem.MALFORMED, "The client left before its upload was here.") from error
    except FormParserError as error:
        raise Refused(Problem.MALFORMED, f"Not multipart/form-data: {error}.") from error
    return form.finished()


def boundary(content_type: str) -> bytes:
    """What separates the parts.

    Raises:
        Refused: another content type, or no boundary.
    """
    kind, options = parse_options_header(content_type)
    found = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not found:
        raise Refused(
            Problem.NOT_MULTIPART,
            "Expected the content type multipart/form-data with a boundary, got another one. "
            "With curl: -F files=@photo.jpg",
        )
    return found


def _check_length(told: str, limits: Limits) -> None:
    """Refuse what says beforehand that it is too large."""
    if told.isdecimal() and int(told[:20]) > limits.request_bytes:
        raise _too_large("request", limits.request_bytes)


def _too_large(what: str, most: int) -> Refused:
    return Refused(
        Problem.TOO_LARGE, f"Expected at most {most} bytes in a {what}, got more. Send less."
    )


class _Form:
    """A form under way: parts done, and the one that is arriving."""

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        self._limits = limits
        self._bytes = 0
        self._uploads: list[Upload] = []
        self._ended = False
        self._begin()
        self._parser = _parser(boundary, self)

    async def read(self, chunks: AsyncIterator[bytes], hold: Callable[[int], None]) -> None:
        """Parse a body as it arrives."""
        async for chunk in chunks:
            self._bytes += len(chunk)
            if self._bytes > self._limits.request_bytes:
                raise _too_large("request", self._limits.request_bytes)
            hold(len(chunk))
            self._parser.write(chunk)

    def finished(self) -> list[Upload]:
        """The files of a form that has ended as it should."""
        if not self._ended:
            raise Refused(
                Problem.MALFORMED,
                "Expected a closing boundary, but the body ended without it. Send it again.",
            )
        if not self._uploads:
            raise Refused(Problem.NO_FILES, f"Expected parts named {FIELD}, got none. Add one.")
        return self._uploads

    def _begin(self) -> None:
        self._key, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._name = ""
        self._parts: list[bytes] = []
        self._size = 0

    def on_part_begin(self) -> None:
        """A part begins: the parser's callbacks are called what it calls them."""
        most = self._limits.files
        if len(self._uploads) >= most:
            raise Refused(
                Problem.TOO_MANY_FILES,
                f"Expected at most {most} files, got more. Send them in several requests.",
            )
        self._begin()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Some of a header's name."""
        self._key += self._header_part(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Some of a header's value."""
        self._value += self._header_part(data, start, end)

    def _header_part(self, data: bytes, start: int, end: int) -> bytes:
        self._header_bytes += end - start
        if self._header_bytes > MOST_HEADER_BYTES:
            raise Refused(
                Problem.MALFORMED,
                f"Expected at most {MOST_HEADER_BYTES} bytes of headers in a part, got more.",
            )
        return data[start:end]

    def on_header_end(self) -> None:
        """A header is complete."""
        self._headers[self._key.lower()] = self._value
        self._key, self._value = b"", b""

    def on_headers_finished(self) -> None:
        """The part's content is next."""
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        named = options.get(b"name") == FIELD.encode() and b"filename" in options
        if kind != b"form-data" or not named:
            raise Refused(
                Problem.UNEXPECTED_PART,
                f"Expected files named {FIELD} only, got another part. "
                "Options go into the address: /v1/score?faces=all",
            )
        self._name = options[b"filename"].decode("utf-8", "replace")[:MOST_NAME]

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Some of a part's content."""
        self._size += end - start
        if self._size > self._limits.file_bytes:
            raise _too_large("file", self._limits.file_bytes)
        self._parts.append(data[start:end])

    def on_part_end(self) -> None:
        """The part is complete."""
        self._uploads.append(Upload(name=self._name, content=b"".join(self._parts)))
        self._parts = []

    def on_end(self) -> None:
        """The closing boundary is here."""
        self._ended = True


def _parser(boundary: bytes, form: _Form) -> MultipartParser:
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": form.on_part_begin,
                "on_part_data": form.on_part_data,
                "on_part_end": form.on_part_end,
                "on_header_field": form.on_header_field,
                "on_header_value": form.on_header_value,
                "on_header_end": form.on_header_end,
                "on_headers_finished": form.on_headers_finished,
                "on_end": form.on_end,
            },
        )
    except FormParserError as error:
        raise Refused(Problem.MALFORMED, f"Not a usable boundary: {error}.") from error
