"""Small pictures inside an HTML page: JPEG in a data URI, each path read once."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from facegauge.errors import InputError, UnreadableImage
from facegauge.values import Pixels

Pictures = Callable[[str], Pixels]
"""Gives the pixels of a path (RGB, uint8, H×W×3), or raises ``UnreadableImage``."""

LONGEST_SIDE = 112
"""Long side in pixels; larger pictures are reduced."""
QUALITY = 80
"""JPEG quality: some 4 kB a face."""


class Thumbnails:
    """The pictures of a page, made when they are asked for."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._made: dict[str, str | None] = {}

    def uri(self, path: str) -> str | None:
        """``data:image/jpeg;base64,...`` of a path, None when it cannot be read.

        Raises:
            InputError: what was given is not an RGB picture.
        """
        if path not in self._made:
            try:
                self._made[path] = _encoded(path, self._pictures(path))
            except (UnreadableImage, OSError):
                self._made[path] = None
        return self._made[path]


def _encoded(path: str, pixels: Pixels) -> str:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise InputError(
            f"A thumbnail of {path!r} needs RGB pixels, uint8 H×W×3, got {pixels.dtype} "
            f"{pixels.shape}. Read it with facegauge.images."
        )
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
