"""Files that nobody should send, and what becomes of each: a row of a good answer.

Sizes fit a service that takes a million bytes and a million pixels.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from broken_images import encoded, gradient, png, png_chunk
from served import form, part

JPEG = encoded(gradient(400, 300), "JPEG")
NOISE = np.random.default_rng(7).integers(0, 256, 4096, dtype=np.uint8).tobytes()


@dataclass(frozen=True, slots=True)
class File:
    """A file, its outcome (None: any), and a word of its detail."""

    name: str
    outcome: str | None
    content: bytes
    detail: str = ""


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(10_000_000))
    return stream.getvalue()


def one_bit(side: int) -> bytes:
    """A picture of many pixels in few bytes."""
    return encoded(Image.new("1", (side, side)), "PNG")


def scans() -> bytes:
    jpeg = encoded(gradient(400, 300), "JPEG", progressive=True)
    begin = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[begin:-2] * 300 + jpeg[-2:]


def text_bomb() -> bytes:
    text = b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9)
    return png(4, 4, zlib.compress(bytes(20)), extra=png_chunk(b"zTXt", text))


def endless_tiff() -> bytes:
    """A directory whose next directory is itself."""
    return b"II*\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x09\0\0\0\x08\0\0\0"


def frames() -> bytes:
    many = [Image.new("P", (64, 64), n % 256) for n in range(500)]
    return encoded(many[0], "GIF", save_all=True, append_images=many[1:])


FILES = [
    File("0 bytes", "unreadable", b"", "empty"),
    File("1 byte", "unreadable", b"\xff"),
    File("4 KB of noise", "unreadable", NOISE),
    File("truncated JPEG", "unreadable", JPEG[: len(JPEG) // 2]),
    File("truncated in the header", "unreadable", JPEG[:30]),
    File("JPEG header, then noise", "unreadable", JPEG[:200] + NOISE),
    File("100000x100000 in a header", "unreadable", png(100_000, 100_000, b""), "too large"),
    File("2^31-1 wide", "unreadable", png(2**31 - 1, 1, b""), "too large"),
    File("0x0", "unreadable", png(0, 0, b"")),
    File("9 megapixels in 1 KB", "unreadable", one_bit(3000), "too large"),
    File("100 MB behind 4x4 pixels", None, png(4, 4, zlib.compress(bytes(10**8)))),
    File("64 MB of compressed text", "unreadable", text_bomb()),
    File("JPEG of 300 scans", "unreadable", scans(), "too many scans"),
    File("500 frames", "no_face", frames()),
    File("zip called .jpg", "unreadable", archive()),
    File("JPEG and zip in one", None, JPEG + archive()),
    File("GIF and script in one", "unreadable", b"GIF89a/*" + bytes(20) + b"*/=alert(1)//;"),
    File("JPEG and PHP in one", None, JPEG + b"<?php system('id'); ?>"),
    File("HTML called .jpg", "unreadable", b"<html><script>alert(1)</script>"),
    File(
        "SVG that loads an address", "unreadable", b'<svg><image href="http://127.0.0.1:9/"/></svg>'
    ),
    File("PostScript with commands", "unreadable", b"%!PS\n(%pipe%id) (w) file"),
    File("PDF", "unreadable", encoded(gradient(), "PDF")),
    File("ImageMagick script", "unreadable", b"push graphic-context\nfill 'url(http://x/)'"),
    File("icon of another size than it says", "unreadable", encoded(gradient(), "ICO")),
    File("pickle", "unreadable", b"\x80\x04cposix\nsystem\n(S'id'\ntR."),
    File("TIFF that goes in circles", "unreadable", endless_tiff()),
    File("HDR, EXR, DICOM prefix", "unreadable", b"\0" * 128 + b"DICM"),
    File("symbolic link's text", "unreadable", b"/etc/passwd"),
    File("data address", "unreadable", b"data:image/png;base64,AAAA"),
    File("nested multipart", "unreadable", form([part(JPEG)]).replace(b"between", b"inner")),
]
