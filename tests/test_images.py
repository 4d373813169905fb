from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from broken_images import (
    READABLE,
    encoded,
    gradient,
    make_broken_folder,
    oriented,
    png,
    png_chunk,
)
from facegauge.errors import FacegaugeError, InputError, OptionError, UnreadableImage
from facegauge.images import IMAGE_SUFFIXES, Picture, read
from facegauge.values import Landmarks

ORIENTATIONS = range(1, 9)


def colour(source: Any) -> list[int]:
    return read(source).pixels[0, 0].tolist()


def png_of(values: Any, dtype: Any = np.uint8, **options: Any) -> bytes:
    return encoded(Image.fromarray(np.array(values, dtype=dtype)), "PNG", **options)


# What a picture is


def test_every_source_gives_the_same_picture(tmp_path: Path) -> None:
    content = encoded(gradient(), "PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    expected = np.asarray(gradient())
    sources = [path, str(path), content, bytearray(content), gradient(), Image.open(path), expected]
    for source in sources:
        picture = read(source)
        np.testing.assert_array_equal(picture.pixels, expected)
        assert (picture.width, picture.height, picture.reduction) == (48, 32, 1)
        assert (picture.x_factor, picture.y_factor) == (1.0, 1.0)


@pytest.mark.parametrize(
    "source",
    [
        encoded(gradient(), "PNG"),
        oriented(gradient(), 6),
        gradient(),
        np.asarray(gradient()),
        np.asarray(gradient())[::-1, ::2],
        np.asarray(gradient())[..., 0],
        np.asfortranarray(np.asarray(gradient())),
    ],
)
def test_pixels_are_contiguous_writable_and_shared_with_nobody(source: Any) -> None:
    pixels = read(source).pixels
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    if isinstance(source, np.ndarray):
        assert not np.shares_memory(pixels, source)


def test_what_reads_bytes_is_a_source_and_may_fail() -> None:
    content = encoded(gradient(), "PNG")
    assert colour(lambda: content) == colour(content)

    def fails() -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableImage, match="input/output error"):
        read(fails)


def test_a_wrong_picture_never_exists() -> None:
    good = np.zeros((3, 5, 3), np.uint8)
    Picture(pixels=good, width=5, height=3)
    Picture(pixels=good, width=37, height=24, reduction=8)
    for pixels, width in ((good, 6), (good.astype(np.int32), 5), (good[..., 0], 5)):
        with pytest.raises(InputError, match="Expected uint8"):
            Picture(pixels=pixels, width=width, height=3)


def test_suffixes_are_lower_case() -> None:
    assert {".jpg", ".jpeg", ".png", ".webp", ".heic"} <= IMAGE_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)


# Orientation


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "MPO"])
def test_orientation_is_applied_once(orientation: int, kind: str) -> None:
    options: dict[str, Any] = {"WEBP": {"lossless": True}, "TIFF": {"compression": "lzw"}}.get(
        kind, {}
    )
    content = oriented(gradient(7, 5), orientation, kind, **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
    picture = read(content)
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.height, picture.width) == expected.shape[:2]
    assert picture.width == (5 if orientation >= 5 else 7)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_by_hand(orientation: int) -> None:
    """EXIF 2.32: where row 0 and column 0 of the stored picture lie when upright."""
    stored = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
    upright = {
        1: [[10, 20, 30], [40, 50, 60]],
        2: [[30, 20, 10], [60, 50, 40]],
        3: [[60, 50, 40], [30, 20, 10]],
        4: [[40, 50, 60], [10, 20, 30]],
        5: [[10, 40], [20, 50], [30, 60]],
        6: [[40, 10], [50, 20], [60, 30]],
        7: [[60, 30], [50, 20], [40, 10]],
        8: [[30, 60], [20, 50], [10, 40]],
    }[orientation]
    content = oriented(Image.fromarray(stored), orientation, "PNG")
    assert read(content).pixels[..., 0].tolist() == upright
    assert read(Image.open(io.BytesIO(content))).pixels[..., 0].tolist() == upright


@pytest.mark.parametrize("value", [0, 9, 99, "6", 3.0])
def test_senseless_orientation_is_ignored(value: Any) -> None:
    image = gradient()
    image.getexif()[0x0112] = value
    expected = np.asarray(gradient())
    np.testing.assert_array_equal(
        read(image).pixels, expected[::-1, ::-1] if value == 3.0 else expected
    )


# Modes

GREY_128 = [128] * 3


@pytest.mark.parametrize(
    ("mode", "stored", "expected"),
    [
        ("1", 1, [255] * 3),
        ("1", 0, [0] * 3),
        ("L", 128, GREY_128),
        ("LA", (128, 255), GREY_128),
        ("LA", (128, 0), [255] * 3),
        ("RGB", (1, 2, 3), [1, 2, 3]),
        ("RGBA", (1, 2, 3, 255), [1, 2, 3]),
        ("RGBA", (1, 2, 3, 0), [255] * 3),
        ("RGBA", (0, 0, 0, 128), [127] * 3),
        ("RGBX", (1, 2, 3, 0), [1, 2, 3]),
        ("CMYK", (0, 0, 0, 0), [255] * 3),
        ("CMYK", (255, 0, 0, 0), [0, 255, 255]),
        ("CMYK", (0, 0, 0, 155), [100] * 3),
        ("YCbCr", (128, 128, 128), GREY_128),
        ("YCbCr", (76, 85, 255), [254, 0, 0]),
        ("HSV", (0, 0, 77), [77] * 3),
        ("HSV", (0, 255, 255), [255, 0, 0]),
        ("I", 0, [0] * 3),
        ("I", 65535, [255] * 3),
        ("I", 257 * 77, [77] * 3),
        ("I;16", 257 * 77, [77] * 3),
        ("I;16", 257 * 77 + 128, [77] * 3),
        ("I;16", 257 * 77 + 129, [78] * 3),
        ("I;16B", 257 * 77, [77] * 3),
        ("F", 1.0, [255] * 3),
        ("F", 0.5, GREY_128),
        ("F", 200.0, [200] * 3),
        ("F", 65535.0, [255] * 3),
    ],
)
def test_mode(mode: str, stored: Any, expected: list[int]) -> None:
    assert colour(Image.new(mode, (3, 2), stored)) == expected


@pytest.mark.parametrize(("lightness", "expected"), [(0, 0), (255, 255), (137, 128)])
def test_lab(lightness: int, expected: int) -> None:
    """L* is stored as 0..255; sRGB 128 is L* 53.6. The colour engine may round differently."""
    image = Image.new("LAB", (3, 2), (lightness, 128, 128))
    np.testing.assert_allclose(colour(image), [expected] * 3, atol=2)


@pytest.mark.parametrize(
    ("transparency", "expected"),
    [(None, [10, 20, 30]), (b"\x00", [255] * 3), (b"\xff", [10, 20, 30]), (0, [255] * 3)],
)
def test_palette(transparency: Any, expected: list[int]) -> None:
    image = Image.new("P", (3, 2), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    options = {} if transparency is None else {"transparency": transparency}
    assert colour(encoded(image, "PNG", **options)) == expected


def test_palette_with_alpha() -> None:
    image = Image.new("P", (3, 2), 1)
    image.putpalette([10, 20, 30, 255, 40, 50, 60, 0], "RGBA")
    assert colour(image) == [255, 255, 255]
    for alpha, expected in ((255, [40, 50, 60]), (0, [255, 255, 255])):
        image = Image.new("PA", (3, 2), (1, alpha))
        image.putpalette([10, 20, 30, 40, 50, 60])
        assert colour(image) == expected


@pytest.mark.parametrize("image", [Image.new("L", (3, 2), 5), Image.new("RGB", (3, 2), (5, 5, 5))])
def test_colour_declared_transparent(image: Image.Image) -> None:
    key = 5 if image.mode == "L" else (5, 5, 5)
    assert colour(encoded(image, "PNG", transparency=key)) == [255, 255, 255]
    assert colour(encoded(image, "PNG")) == [5, 5, 5]


@pytest.mark.parametrize("subsampling", [0, 2])
def test_cmyk_jpeg_is_not_a_negative(subsampling: int) -> None:
    light = Image.new("CMYK", (32, 32), (20, 60, 80, 10))
    content = encoded(light, "JPEG", quality=95, subsampling=subsampling)
    np.testing.assert_allclose(colour(content), light.convert("RGB").getpixel((0, 0)), atol=3)
    reduced = read(content, largest_reduction=4)
    assert reduced.reduction == 4
    np.testing.assert_allclose(reduced.pixels[3, 3], colour(content), atol=3)


@pytest.mark.parametrize("frame_options", [{}, {"save_all": True}])
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame(kind: str, frame_options: dict[str, Any]) -> None:
    first, second = Image.new("RGB", (9, 9), (255, 0, 0)), Image.new("RGB", (9, 9), (0, 0, 255))
    options = frame_options | ({"append_images": [second]} if frame_options else {})
    options |= {"lossless": True} if kind == "WEBP" else {}
    assert colour(encoded(first, kind, **options)) == [255, 0, 0]


def test_pil_image_gives_its_current_frame() -> None:
    pages = encoded(
        gradient(), "TIFF", save_all=True, append_images=[Image.new("RGB", (4, 4), (9, 8, 7))]
    )
    image = Image.open(io.BytesIO(pages))
    image.seek(1)
    assert colour(image) == [9, 8, 7]


# Reduced decoding


@pytest.mark.parametrize(
    ("short_side", "largest", "expected"),
    [
        (None, None, 1),
        (None, 1.0, 1),
        (None, 0.3, 1),
        (None, 1.99, 1),
        (None, 2.0, 2),
        (None, 7.9, 4),
        (None, 100.0, 8),
        (None, float("inf"), 8),
        (None, float("nan"), 1),
        (641, None, 1),
        (640, None, 1),
        (321, None, 1),
        (320, None, 2),
        (160, None, 4),
        (80, None, 8),
        (1, None, 8),
        (80, 4.0, 4),
        (160, 100.0, 4),
    ],
)
def test_reduction_keeps_both_limits(
    short_side: int | None, largest: float | None, expected: int
) -> None:
    content = encoded(gradient(800, 640), "JPEG")
    picture = read(content, short_side=short_side, largest_reduction=largest)
    assert picture.reduction == expected
    assert (picture.width, picture.height) == (800, 640)
    assert picture.pixels.shape == (640 // expected, 800 // expected, 3)
    assert picture.x_factor == picture.y_factor == 1 / expected


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_other_formats_are_decoded_in_full(kind: str) -> None:
    assert read(encoded(gradient(800, 640), kind), short_side=10).reduction == 1


def test_a_pil_image_handed_in_is_never_reduced() -> None:
    image = Image.open(io.BytesIO(encoded(gradient(800, 640), "JPEG")))
    assert read(image, short_side=10).pixels.shape == (640, 800, 3)
    assert image.size == (800, 640)


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (15, 1), (17, 100)])
def test_tiny_pictures_are_reduced_to_something(size: tuple[int, int]) -> None:
    picture = read(encoded(gradient(*size), "JPEG"), largest_reduction=8)
    assert (picture.width, picture.height) == size
    assert picture.reduction <= min(size)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
@pytest.mark.parametrize("progressive", [False, True])
def test_reduced_is_the_mean_of_blocks(mode: str, kind: str, progressive: bool) -> None:
    content = encoded(gradient(160, 80).convert(mode), kind, quality=98, progressive=progressive)
    full = read(content).pixels.astype(float)
    for factor in (2, 4, 8):
        reduced = read(content, largest_reduction=factor)
        blocks = full.reshape(80 // factor, factor, 160 // factor, factor, 3).mean(axis=(1, 3))
        assert reduced.reduction == factor
        np.testing.assert_allclose(reduced.pixels, blocks, atol=3)


def blob(width: int, height: int, x: float, y: float) -> Image.Image:
    """A bright spot around (x, y), pixel centres at whole numbers."""
    rows, columns = np.mgrid[:height, :width]
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 30**2))
    return Image.fromarray(np.repeat(spot[..., np.newaxis], 3, axis=2).astype(np.uint8))


def centre(pixels: Any) -> tuple[float, float]:
    weights = np.where(pixels[..., 0] < 8, 0.0, pixels[..., 0])
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    return (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("size", [(601, 455), (602, 460), (600, 456), (607, 449)])
def test_landmarks_follow_into_the_reduced_picture(orientation: int, size: tuple[int, int]) -> None:
    """The spot lies within 0.05 pixel of where the factors say, odd sizes and turned ones too."""
    content = oriented(blob(*size, 430, 320), orientation, quality=98)
    full = read(content)
    x, y = centre(full.pixels)
    points = Landmarks.from_array([x, y, 1, 1, 2, 2, 3, 3, 4, 4])
    for largest in (2, 4, 8):
        picture = read(content, largest_reduction=largest)
        assert (picture.width, picture.height) == (full.width, full.height)
        expected = points.scaled(picture.x_factor, picture.y_factor).left_eye
        np.testing.assert_allclose(centre(picture.pixels), expected, atol=0.05)


@pytest.mark.parametrize(
    ("orientation", "size", "expected"),
    [
        (1, (601, 455), 8),
        (3, (601, 455), 1),
        (3, (602, 460), 2),
        (6, (601, 456), 8),
        (6, (600, 455), 1),
        (8, (600, 455), 8),
        (8, (601, 456), 1),
        (5, (601, 455), 8),
        (7, (604, 460), 4),
    ],
)
def test_where_mirrored_a_reduction_divides_the_side(
    orientation: int, size: tuple[int, int], expected: int
) -> None:
    picture = read(oriented(gradient(*size), orientation), largest_reduction=8)
    assert picture.reduction == expected


@pytest.mark.parametrize("short_side", [0, -5])
def test_senseless_short_side(short_side: int) -> None:
    with pytest.raises(OptionError, match="short_side"):
        read(gradient(), short_side=short_side)


# Arrays


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), [7, 7, 7]),
        (np.full((2, 3, 1), 7, np.uint8), [7, 7, 7]),
        (np.full((2, 3, 3), (1, 2, 3), np.uint8), [1, 2, 3]),
        (np.full((2, 3, 4), (1, 2, 3, 255), np.uint8), [1, 2, 3]),
        (np.full((2, 3, 4), (1, 2, 3, 0), np.uint8), [255, 255, 255]),
        (np.full((2, 3), True), [255, 255, 255]),
        (np.full((2, 3), 65535, np.uint16), [255, 255, 255]),
        (np.full((2, 3, 3), 257 * 9, ">u2"), [9, 9, 9]),
        (np.full((2, 3), 1.0), [255, 255, 255]),
        (np.full((2, 3), 1.0005, np.float32), [255, 255, 255]),
        (np.array([[-0.0005, 1.0]]), [0, 0, 0]),
        (np.zeros((2, 3)), [0, 0, 0]),
        (np.full((2, 3), 0.5, np.float16), [128, 128, 128]),
        (np.full((2, 3), 255.0, np.float64), [255, 255, 255]),
        (np.full((2, 3), 2.0), [2, 2, 2]),
        (np.full((2, 3), 510.0), [2, 2, 2]),
        (np.full((2, 3), 65535.0, np.float32), [255, 255, 255]),
    ],
)
def test_array(array: Any, expected: list[int]) -> None:
    picture = read(array)
    assert picture.pixels[0, 0].tolist() == expected
    assert (picture.height, picture.width) == array.shape[:2]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((0, 3, 3), np.uint8), r"got \(0, 3, 3\)"),
        (np.zeros((2, 0), np.uint8), r"got \(2, 0\)"),
        (np.zeros((3, 8, 9), np.uint8), "put channels last"),
        (np.zeros((8, 9, 2), np.uint8), "expected H×W"),
        (np.zeros((1, 8, 9, 3), np.uint8), "expected H×W"),
        (np.zeros(8, np.uint8), "expected H×W"),
        (np.array(8, np.uint8), "expected H×W"),
        (np.zeros((8, 9), np.int64), "got int64; use .astype"),
        (np.zeros((8, 9), np.uint32), "got uint32"),
        (np.zeros((8, 9), np.complex128), "got complex128"),
        (np.full((8, 9), "a"), "got <U1"),
        (np.full((8, 9), None), "got object"),
        (np.full((8, 9), np.nan), "finite floats"),
        (np.array([[0.0, np.nan, 1.0]]), "finite floats"),
        (np.full((8, 9), np.inf), "finite floats"),
        (np.array([[-np.inf, 1.0]]), "finite floats"),
        (np.array([[-1.0, 1.0]]), r"got -1..1; scale them to 0..1"),
        (np.array([[0.0, 1.2]]), r"got 0..1.2"),
        (np.array([[0.0, 300.0]]), r"got 0..300"),
        (np.array([[0.0, 1e6]]), r"got 0..1e\+06"),
    ],
)
def test_array_refused(array: Any, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        read(array)


# What cannot be read


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "^no such file$"),
        (lambda path: path.mkdir(), "^is a directory$"),
        (lambda path: path.symlink_to("nowhere"), "^a link to a missing file$"),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: path.symlink_to("/dev/zero"), "^not a regular file$"),
        (os.mkfifo, "^not a regular file$"),
        (lambda path: path.touch(), r"^empty \(0 bytes\)$"),
        (lambda path: path.write_bytes(b"hello"), "^not an image in a supported format$"),
        (lambda path: path.write_bytes(b"\xff\xd8"), "^not an image in a supported format$"),
        (lambda path: path.write_bytes(encoded(gradient(), "EPS")), "^not an image in a supp"),
        (lambda path: path.write_bytes(encoded(gradient(), "PNG")[:-30]), "^truncated: "),
        (lambda path: path.write_bytes(encoded(gradient(), "JPEG")[:30]), "^truncated: JPEG head"),
        (lambda path: path.write_bytes(b"\xff\xd8\xff" + bytes(99)), "^broken: JPEG header: "),
    ],
)
def test_reason_for_a_file(tmp_path: Path, make: Callable[[Path], Any], reason: str) -> None:
    path = tmp_path / "picture.jpg"
    make(path)
    with pytest.raises(UnreadableImage, match=reason):
        read(path)


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        with pytest.raises(UnreadableImage, match="not a regular file"):
            read("socket.jpg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked.jpg"
    path.write_bytes(encoded(gradient(), "JPEG"))
    path.chmod(0)
    with pytest.raises(UnreadableImage, match="permission denied"):
        read(path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"x", "not an image"),
        (7, "expected a path, bytes, a PIL image or an array, got int"),
        (None, "got NoneType"),
        ([[1, 2], [3, 4]], "got list"),
        ("a\0b.jpg", "null"),
        ("x" * 5000, "file name too long"),
        (Image.new("RGB", (0, 5)), "no pixels: 0x5"),
        (Image.new("I", (2, 2), 70000), r"expected 0..65535, got 70000..70000"),
        (Image.new("F", (2, 2), float("nan")), "finite"),
    ],
)
def test_reason_for_a_source(source: Any, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        read(source)


def test_memory_error_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any) -> None:
        raise MemoryError

    image = gradient()
    monkeypatch.setattr(image, "load", load)
    with pytest.raises(UnreadableImage, match="not enough memory"):
        read(image)


def test_interrupting_is_not_an_unreadable_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any) -> None:
        raise KeyboardInterrupt

    image = gradient()
    monkeypatch.setattr(image, "load", load)
    with pytest.raises(KeyboardInterrupt):
        read(image)


def test_postscript_opened_elsewhere_is_not_run() -> None:
    image = Image.open(io.BytesIO(encoded(gradient(), "EPS")))
    with pytest.raises(UnreadableImage, match="EPS is not a supported format"):
        read(image)


@pytest.mark.parametrize("turn", [bytes, lambda content: Image.open(io.BytesIO(content))])
def test_pixel_limit(turn: Callable[[bytes], Any]) -> None:
    content = encoded(gradient(100, 50), "JPEG")
    assert read(turn(content), max_pixels=5000).width == 100
    with pytest.raises(UnreadableImage, match=r"too large: 100x50 = 0.0 megapixels, limit 0.0"):
        read(turn(content), max_pixels=4999, short_side=1)


def test_bomb_is_refused_from_its_header() -> None:
    bomb = png(60_000, 60_000, b"never unpacked")
    with pytest.raises(UnreadableImage, match=r"60000x60000 = 3600.0 megapixels, limit 179.0"):
        read(bomb)


def test_pillow_limit_neither_warns_nor_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones of 108 megapixels lie above the size at which Pillow warns; here it would raise."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read(encoded(gradient(), "PNG")).width == 48
    assert Image.MAX_IMAGE_PIXELS == 10


def test_broken_exif_does_not_cost_the_picture() -> None:
    with_exif = encoded(gradient(), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    np.testing.assert_array_equal(read(with_exif).pixels, np.asarray(gradient()))


def test_exif_after_the_pixels_counts() -> None:
    content = oriented(gradient(), 1, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    late = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    plain = encoded(gradient(), "PNG")
    assert read(plain[:-12] + late + plain[-12:]).width == 32
    assert read(content).width == 48


# Many at once


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("odd") / "files"
    return folder, make_broken_folder(folder)


def outcome(path: Path) -> str:
    try:
        return READABLE if read(path, short_side=8).pixels.size else "no pixels"
    except FacegaugeError as error:
        assert isinstance(error, UnreadableImage)
        assert 4 < len(str(error)) < 200
        assert "\n" not in str(error)
        assert str(path) not in str(error)
        return "unreadable"


def test_broken_folder(odd_folder: tuple[Path, dict[str, str]]) -> None:
    folder, expected = odd_folder
    assert len(expected) >= 60
    assert set(expected) == set(os.listdir(folder))  # noqa: PTH208
    for name, outcome_expected in expected.items():
        begun = time.perf_counter()
        assert outcome(folder / name) == outcome_expected, name
        assert time.perf_counter() - begun < 1.0, name


def test_broken_folder_in_threads(odd_folder: tuple[Path, dict[str, str]]) -> None:
    folder, expected = odd_folder
    names = list(expected) * 5
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda name: outcome(folder / name), names))
    assert outcomes == [expected[name] for name in names]


def test_threads_give_the_same_pixels() -> None:
    content = oriented(gradient(301, 203), 6)
    expected = read(content).pixels
    with ThreadPoolExecutor(8) as pool:
        for picture in pool.map(read, [content] * 64):
            np.testing.assert_array_equal(picture.pixels, expected)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_every_file_is_closed(odd_folder: tuple[Path, dict[str, str]]) -> None:
    folder, expected = odd_folder
    outcome(folder / "plain.jpg")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for name in expected:
        outcome(folder / name)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_first_reads_in_a_fresh_process_may_be_concurrent() -> None:
    """Pillow registers its formats on the first read: no thread may see half of them."""
    code = """
import io, sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
sys.path[:0] = sys.argv[1:]
from PIL import Image
import facegauge.images as images
assert "torch" not in sys.modules
assert not Image.OPEN, "importing registers nothing"
barrier = Barrier(8)
content = bytes.fromhex(sys.stdin.read())
def one(_):
    barrier.wait()
    return images.read(content).width
with ThreadPoolExecutor(8) as pool:
    print(*pool.map(one, range(8)))
"""
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(source)],
        input=encoded(gradient(), "TIFF").hex(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["48"] * 8, done.stderr
