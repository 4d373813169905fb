"""A folder of odd and broken images, all drawn from one gradient, for every test that reads many.

    outcomes = make_broken_folder(tmp_path / "odd")  # {"truncated.jpg": "unreadable", ...}

A key is the file's name in the folder; a value is ``"readable"`` or ``"unreadable"``.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

READABLE = "readable"
UNREADABLE = "unreadable"

WIDTH, HEIGHT = 48, 32


def gradient(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """RGB: red grows to the right, green downwards, blue is constant."""
    x = np.linspace(20, 230, width)[np.newaxis, :].repeat(height, 0)
    y = np.linspace(30, 220, height)[:, np.newaxis].repeat(width, 1)
    return Image.fromarray(np.dstack([x, y, np.full_like(x, 90)]).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(name: bytes, content: bytes, crc: int | None = None) -> bytes:
    """One PNG chunk; a wrong ``crc`` can be given."""
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png(
    width: int, height: int, idat: bytes, *, extra: bytes = b"", crc: int | None = None
) -> bytes:
    """An 8-bit grey PNG put together by hand: its header may claim anything."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), crc)
    return (
        b"\x89PNG\r\n\x1a\n" + header + extra + png_chunk(b"IDAT", idat) + png_chunk(b"IEND", b"")
    )


def oriented(image: Image.Image, orientation: int, kind: str = "JPEG", **options: Any) -> bytes:
    """The image stored as it is, with an EXIF orientation that asks to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif, **options)


def make_broken_folder(folder: Path) -> dict[str, str]:
    """Write about sixty odd files into ``folder`` (made if missing): name -> outcome expected."""
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, str] = {}
    for outcome, files in ((READABLE, _readable()), (UNREADABLE, _unreadable())):
        for name, content in files:
            (folder / name).write_bytes(content)
            outcomes[name] = outcome
    outcomes.update(_strange_entries(folder))
    return outcomes


def _readable() -> Iterator[tuple[str, bytes]]:
    yield from _plain_formats()
    yield from _modes()
    yield from _several_frames()
    yield from _odd_names()
    image = gradient()
    jpeg = encoded(image, "JPEG")
    yield "one pixel.png", encoded(gradient(1, 1), "PNG")
    yield "one_pixel.jpg", encoded(gradient(1, 1), "JPEG")
    yield "strip_1x5000.png", encoded(gradient(1, 5000), "PNG")
    yield "strip_5000x1.jpg", encoded(gradient(5000, 1), "JPEG")
    yield "exif_rotated.jpg", oriented(image, 6)
    yield "exif_orientation_99.jpg", oriented(image, 99)
    yield "exif_garbage.jpg", _jpeg_with_segment(jpeg, 0xE1, b"Exif\0\0" + b"\xff\x00garbage" * 5)
    yield "trailing_garbage.jpg", jpeg + b"<html>" * 500
    yield "jpeg_named.png", jpeg
    yield "no_suffix", jpeg
    yield "UPPER.JPEG", jpeg
    yield "icc_garbage.jpg", encoded(image, "JPEG", icc_profile=b"not a profile")


def _plain_formats() -> Iterator[tuple[str, bytes]]:
    image = gradient()
    for name, kind in (
        ("plain.jpg", "JPEG"),
        ("plain.png", "PNG"),
        ("plain.bmp", "BMP"),
        ("plain.tif", "TIFF"),
        ("plain.webp", "WEBP"),
        ("plain.ppm", "PPM"),
        ("plain.tga", "TGA"),
        ("plain.pcx", "PCX"),
        ("plain.sgi", "SGI"),
    ):
        yield name, encoded(image, kind)
    yield "progressive.jpg", encoded(image, "JPEG", progressive=True)
    for name, kind in (("plain.avif", "AVIF"), ("plain.jp2", "JPEG2000")):
        with suppress(KeyError, OSError):  # not in every build of Pillow
            yield name, encoded(image, kind)


def _modes() -> Iterator[tuple[str, bytes]]:
    image = gradient()
    grey = image.convert("L")
    yield "grey.jpg", encoded(grey, "JPEG")
    yield "cmyk.jpg", encoded(image.convert("CMYK"), "JPEG")
    yield "one_bit.png", encoded(image.convert("1"), "PNG")
    sixteen = np.asarray(grey).astype(np.uint16) * 257
    yield "sixteen_bit.png", encoded(Image.fromarray(sixteen), "PNG")
    yield "palette_transparent.png", encoded(image.quantize(8), "PNG", transparency=b"\0\x80\xff")
    yield "grey_alpha.png", encoded(grey.convert("LA"), "PNG")
    clear = image.convert("RGBA")
    clear.putalpha(grey)
    yield "rgba.png", encoded(clear, "PNG")
    yield "rgba_all_clear.webp", encoded(Image.new("RGBA", (9, 9)), "WEBP")
    yield "float.tif", encoded(Image.fromarray(np.asarray(grey).astype(np.float32) / 255), "TIFF")


def _several_frames() -> Iterator[tuple[str, bytes]]:
    image = gradient()
    frames: dict[str, Any] = {"save_all": True, "append_images": [image.rotate(180)]}
    yield "animated.gif", encoded(image, "GIF", **frames)
    yield "animated.webp", encoded(image, "WEBP", **frames)
    yield "animated.png", encoded(image, "PNG", **frames)
    yield "two_pages.tif", encoded(image, "TIFF", **frames)
    yield "two_pictures.mpo", encoded(image, "MPO", **frames)


def _odd_names() -> Iterator[tuple[str, bytes]]:
    content = encoded(gradient(), "JPEG")
    for name in (
        "Gesicht Ä 顔 😀.jpg",
        "new\nline.jpg",
        "comma,semi;colon.jpg",
        'quote".jpg',
        "apostrophe'.jpg",
        "-leading dash.jpg",
        "=1+1.jpg",
        " space .jpg",
        "percent%20%s.jpg",
        "star*[a]?.jpg",
        ".hidden.jpg",
    ):
        yield name, content


def _unreadable() -> Iterator[tuple[str, bytes]]:
    image = gradient()
    jpeg, picture = encoded(image, "JPEG"), encoded(image, "PNG")
    noise = np.random.default_rng(7).integers(0, 256, 4096, dtype=np.uint8).tobytes()
    yield "empty.jpg", b""
    yield "truncated.jpg", jpeg[: len(jpeg) * 3 // 4]
    yield "truncated_in_header.jpg", jpeg[:30]
    yield "two_bytes.jpg", jpeg[:2]
    yield "truncated.png", picture[: len(picture) // 2]
    yield "truncated.webp", _truncated("WEBP")
    yield "truncated.gif", _truncated("GIF")
    yield "truncated.tif", _truncated("TIFF")
    yield "truncated.bmp", _truncated("BMP")
    yield "text.jpg", b"This is no picture.\n" * 20
    yield "page.png", b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
    yield "noise.jpg", noise
    yield "zeros.jpg", bytes(4096)
    yield "bad_header.jpg", b"\xff\xd8\xff" + noise[:200]
    yield "bad_crc.png", png(4, 4, zlib.compress(bytes(20)), crc=0xDEADBEEF)
    yield "garbage_idat.png", png(40, 40, noise)
    yield "bomb.png", png(100_000, 100_000, zlib.compress(bytes(100_000)))
    yield "text_bomb.png", _text_bomb()
    yield "zero_size.gif", _gif_of_size(0, 0)
    yield "zero_width.png", png(0, 10, zlib.compress(b""))
    yield "nan.tif", encoded(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF")
    yield "negative.tif", encoded(Image.fromarray(np.full((9, 9), -5, np.int32)), "TIFF")
    yield from _other_documents()


def _other_documents() -> Iterator[tuple[str, bytes]]:
    image = gradient()
    yield "postscript.jpg", encoded(image, "EPS")
    yield "document.jpg", encoded(image, "PDF")
    yield "drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    yield "icon.ico", encoded(image, "ICO")
    yield "archive.jpg", b"PK\x03\x04" + bytes(60)
    yield "video.jpg", b"\0\0\0\x18ftypmp42" + bytes(60)
    yield "photo.heic", b"\0\0\0\x18ftypheic" + bytes(60)
    yield "._resource.jpg", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        " + bytes(60)
    yield "pickle.jpg", b"\x80\x04\x95" + bytes(60)


def _strange_entries(folder: Path) -> Iterator[tuple[str, str]]:
    """What is no plain file: all refused, but a link to a good picture."""
    good = folder / "plain.jpg"
    (folder / "directory.jpg").mkdir()
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "loop_a.jpg").symlink_to(folder / "loop_b.jpg")
    (folder / "loop_b.jpg").symlink_to(folder / "loop_a.jpg")
    (folder / "device.jpg").symlink_to("/dev/zero")
    for name in ("directory.jpg", "dangling.jpg", "loop_a.jpg", "loop_b.jpg", "device.jpg"):
        yield name, UNREADABLE
    (folder / "link.jpg").symlink_to(good)
    yield "link.jpg", READABLE
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "fifo.jpg")
        yield "fifo.jpg", UNREADABLE
    locked = folder / "locked.jpg"
    locked.write_bytes(good.read_bytes())
    locked.chmod(0)
    yield "locked.jpg", READABLE if os.access(locked, os.R_OK) else UNREADABLE  # root reads all


def _truncated(kind: str) -> bytes:
    content = encoded(gradient(200, 150), kind)
    return content[: len(content) // 2]


def _text_bomb() -> bytes:
    """A PNG of 4x4 pixels whose compressed text unpacks to 64 MiB."""
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 1))
    return png(4, 4, zlib.compress(bytes(20)), extra=text)


def _gif_of_size(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return screen + frame + b"\x02\x02\x44\x01\x00;"


def _jpeg_with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """The JPEG with one more segment right after its start."""
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + jpeg[2:]
