"""A path, bytes, PIL image or array becomes one upright RGB picture, read safely.

Whatever cannot be read raises UnreadableImage with a short reason. Nothing here changes a setting
of Pillow or runs another program, and any number of threads may read at once.
"""

from __future__ import annotations

import io
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facegauge.errors import InputError, OptionError, UnreadableImage
from facegauge.values import Pixels

_SUFFIXES = """jpg jpeg jpe jfif mpo png apng webp avif heic heif gif bmp dib tif tiff
    ppm pgm pbm pnm pfm jp2 j2k jpx tga pcx sgi"""
IMAGE_SUFFIXES = frozenset(f".{name}" for name in _SUFFIXES.split())
"""Lower-case suffixes of images in a folder; HEIC too, so that it is reported, not passed over."""
MAX_PIXELS = 178_956_970
"""Largest picture decoded unless told otherwise; it takes 2 to 3.5 GB. Pillow's limit, too."""

# Left out on purpose: EPS, PDF and WMF, which start or embed programs, and ICO, whose header does
# not hold the size it decodes to. MPO files are opened as JPEG. TGA has no signature: it is last.
_FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000")
_FORMATS += ("PPM", "PCX", "SGI", "DIB", "TGA")

# EXIF orientation (EXIF 2.32, tag 0x0112) -> steps along the stored rows and columns; from 5 on,
# rows and columns are swapped afterwards.
_STEPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1)}
_STEPS |= {5: (1, 1), 6: (-1, 1), 7: (-1, -1), 8: (1, -1)}
_ORIENTATION_TAG, _FIRST_SWAPPED = 0x0112, 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """An upright RGB picture, and the size in pixels it had before any reduced decoding.

    ``pixels`` is uint8, H×W×3, C-contiguous, writable and shared with nobody; ``width`` and
    ``height`` are those of the upright original; ``reduction`` is 1, 2, 4 or 8.
    """

    pixels: Pixels
    width: int
    height: int
    reduction: int = 1

    def __post_init__(self) -> None:
        rows, columns = -(-self.height // self.reduction), -(-self.width // self.reduction)
        if self.pixels.dtype != np.uint8 or self.pixels.shape != (rows, columns, 3):
            raise InputError(f"Expected uint8 {(rows, columns, 3)}, got {self.pixels.shape}.")

    @property
    def x_factor(self) -> float:
        """Decoded pixels per original pixel: exactly 1 / reduction, for ``Landmarks.scaled``.

        Of 1001 columns reduced to 126 the last is mostly padding: 126 / 1001 would be off.
        """
        return 1.0 / self.reduction

    y_factor = x_factor


def read(
    source: str | os.PathLike[str] | bytes | Callable[[], bytes] | Image.Image | npt.NDArray[Any],
    *,
    short_side: int | None = None,
    largest_reduction: float | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Picture:
    """Read the first frame of a picture as upright 8-bit RGB.

    EXIF orientation is applied, transparency is laid on white (as viewers show it), 16-bit values
    are divided by 257, and embedded ICC profiles are ignored. Floats span 0..1, 0..255 or 0..65535,
    the first that holds their maximum. Arrays are H×W, H×W×1, H×W×3 (RGB) or H×W×4 (RGBA) of bool,
    uint8, uint16 or floats, already upright. A PIL image gives its current frame.

    JPEG files and bytes are decoded at 1/2, 1/4 or 1/8, several times faster, where every limit
    given allows it. Without a limit nothing is reduced.

    Args:
        source: A path, an encoded image as bytes or what reads them, a PIL image or an array.
        short_side: Reduce only while the short side keeps at least this many pixels.
        largest_reduction: Reduce at most this many times; below 2 means not at all.
        max_pixels: Refuse pictures of more pixels before decoding them. Arrays are never too large.

    Raises:
        UnreadableImage: There is no picture in the source; the message is the reason.
        OptionError: ``short_side`` is below 1.

    Example:
        >>> read(np.zeros((2, 3), dtype=np.uint8)).pixels.shape
        (2, 3, 3)
    """
    if short_side is not None and short_side < 1:
        raise OptionError(f"short_side needs at least 1 pixel, got {short_side}; leave it out.")
    with _as_unreadable():
        if isinstance(source, np.ndarray):
            return _whole(_rgb_of_array(source))
        if isinstance(source, Image.Image):
            _check_image(source, max_pixels)
            return _whole(_upright(source))
        with _stream(source) as stream:
            image = _identified(stream)
            _check_image(image, max_pixels)
            return _decoded(image, short_side, largest_reduction)


def check(content: bytes, *, max_pixels: int) -> None:
    """Read no more than the header of an encoded picture; raises UnreadableImage as ``read``."""
    with _as_unreadable(), _stream(content) as stream:
        _check_image(_identified(stream), max_pixels)


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """Turn whatever a decoder raises into UnreadableImage: Pillow uses a dozen kinds of error."""
    try:
        yield
    except UnreadableImage:
        raise
    except MemoryError as error:
        raise UnreadableImage("not enough memory to decode it") from error
    except Exception as error:
        text = str(error) or type(error).__name__
        reason = f"{'truncated' if 'truncated' in text.lower() else 'broken'}: {text}"
        system = error.strerror if isinstance(error, OSError) else None
        raise UnreadableImage(system.lower() if system else reason) from error


@contextmanager
def _stream(source: object) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    elif callable(source):
        yield io.BytesIO(source())
    elif isinstance(source, str | os.PathLike):
        _check_file(Path(source))
        with Path(source).open("rb") as file:
            yield file
    else:
        came = type(source).__name__
        raise UnreadableImage(f"expected a path, bytes, a PIL image or an array, got {came}")


def _check_file(path: Path) -> None:
    """Refuse what is no plain file before it is opened: opening a FIFO would wait for ever."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        reason = "a link to a missing file" if path.is_symlink() else "no such file"
        raise UnreadableImage(reason) from None
    if not stat.S_ISREG(mode):
        raise UnreadableImage("is a directory" if stat.S_ISDIR(mode) else "not a regular file")


def _identified(stream: IO[bytes]) -> Image.Image:
    """The picture in a stream, its header read, its pixels not yet.

    Not ``Image.open``: that has a pixel limit of its own, kept in a global, and warns below it.
    """
    Image.init()
    prefix = stream.read(16)
    if not prefix:
        raise UnreadableImage("empty (0 bytes)")
    for name in (name for name in _FORMATS if name in Image.OPEN):
        factory, accept = Image.OPEN[name]
        verdict = accept is None or accept(prefix.ljust(16, b"\0"))
        if isinstance(verdict, str):
            raise UnreadableImage(verdict)
        if verdict:
            try:
                stream.seek(0)
                return factory(stream, "")
            except Exception as error:
                if accept is not None:
                    raise ValueError(f"{name} header: {error}") from error
    raise UnreadableImage("not an image in a supported format")


def _check_image(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise UnreadableImage(f"no pixels: {width}x{height}")
    if width * height > max_pixels:
        size = f"{width}x{height} = {width * height / 1e6:.1f} megapixels"
        raise UnreadableImage(f"too large: {size}, limit {max_pixels / 1e6:.1f}")
    if getattr(image, "tile", None) and image.format not in (*_FORMATS, "MPO"):  # not yet decoded
        raise UnreadableImage(f"{image.format} is not a supported format; call load() on it first")


def _decoded(image: Image.Image, short_side: int | None, largest: float | None) -> Picture:
    size, reduction = image.size, _reduce(image, short_side, largest)
    pixels = _upright(image)
    if reduction == 1:
        return _whole(pixels)
    width, height = size[::-1] if _orientation(image) >= _FIRST_SWAPPED else size
    return Picture(pixels=pixels, width=width, height=height, reduction=reduction)


def _whole(pixels: Pixels) -> Picture:
    return Picture(pixels=pixels, width=pixels.shape[1], height=pixels.shape[0])


def _reduce(image: Image.Image, short_side: int | None, largest: float | None) -> int:
    """Set a JPEG to decode at a reduced scale, and say how many times smaller (1, 2, 4 or 8).

    A JPEG is reduced from its stored top-left corner; the far edge is padded. Where upright means
    mirrored, that padding would shift all coordinates: there, a reduction must divide the side.
    """
    if image.format not in ("JPEG", "MPO") or (short_side is None and largest is None):
        return 1
    width, height = image.size
    limit = min(math.inf if largest is None else largest, min(width, height) / (short_side or 1))
    row_step, column_step = _STEPS[_orientation(image)]
    for factor in (8, 4, 2):
        exact = (row_step > 0 or height % factor == 0) and (column_step > 0 or width % factor == 0)
        if exact and factor <= limit and image.draft(None, (width // factor, height // factor)):
            return factor
    return 1


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1..8; 1 where there is none or the EXIF block is broken."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG)
        return value if value in _STEPS else 1
    except Exception:
        return 1


def _upright(image: Image.Image) -> Pixels:
    rgb = _rgb(image)
    orientation = _orientation(image)  # only now: a TIFF has been turned, a PNG read to its end
    row_step, column_step = _STEPS[orientation]
    rgb = rgb[::row_step, ::column_step]
    return np.ascontiguousarray(rgb.swapaxes(0, 1) if orientation >= _FIRST_SWAPPED else rgb)


def _rgb(image: Image.Image) -> Pixels:
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if image.mode == "I" and (values.min() < 0 or values.max() > 65535):
            raise UnreadableImage(f"expected 0..65535, got {values.min()}..{values.max()}")
        return _rgb_of_array(values.astype(np.uint16) if image.mode == "I" else values)
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(rgba: Image.Image) -> Pixels:
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba)
    return np.array(white)


def _rgb_of_array(array: npt.NDArray[Any]) -> Pixels:
    channels = (*array.shape, 1)[2] if array.ndim in (2, 3) else 0
    if array.size == 0 or channels not in (1, 3, 4):
        raise UnreadableImage(f"expected H×W or H×W×1/3/4, got {array.shape}; put channels last")
    values = _eight_bit(array)
    if channels == 4:
        return _on_white(Image.fromarray(values))
    if channels == 3:
        return np.array(values, order="C")
    return np.repeat(values.reshape(*values.shape[:2], 1), 3, axis=2)


def _eight_bit(values: npt.NDArray[Any]) -> Pixels:
    match values.dtype.kind, values.dtype.itemsize:
        case "b", _:
            return values * np.uint8(255)
        case "u", 1:
            return values
        case "u", 2:
            return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        case "f", _:
            return _eight_bit_of_floats(values)
    expected = "expected bool, uint8, uint16 or float values"
    raise UnreadableImage(f"{expected}, got {values.dtype}; use .astype(numpy.uint8) for 0..255")


def _eight_bit_of_floats(values: npt.NDArray[Any]) -> Pixels:
    """Floats scaled from 0..1, 0..255 or 0..65535 to 0..255; 0.1 % of rounding error is clipped.

    A maximum further above one scale (1.2) is refused: on the next, the picture would be black.
    """
    low, high = float(values.min()), float(values.max())
    full = next((scale for scale in (1.0, 255.0, 65535.0) if high < 2 * scale), 65535.0)
    if not (-0.001 * full <= low and high <= 1.001 * full):  # also where either is NaN
        expected = "expected finite floats in 0..1, 0..255 or 0..65535"
        raise UnreadableImage(f"{expected}, got {low:g}..{high:g}; scale them to 0..1 first")
    scaled: npt.NDArray[np.float32] = values.astype(np.float32) * np.float32(255.0 / full)
    return np.clip(np.rint(scaled), 0.0, 255.0).astype(np.uint8)
