import base64
import io

import numpy as np
import pytest
from PIL import Image

from facegauge.errors import InputError, UnreadableImage
from facegauge.evaluate.thumbnails import LONGEST_SIDE, Thumbnails

PREFIX = "data:image/jpeg;base64,"


def decoded(uri: str) -> Image.Image:
    assert uri.startswith(PREFIX)
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(PREFIX))))


@pytest.mark.parametrize(
    ("shape", "size"), [((300, 150), (56, 112)), ((40, 50), (50, 40)), ((1, 1), (1, 1))]
)
def test_large_pictures_are_reduced_and_keep_their_colour(shape, size):
    pixels = np.full((*shape, 3), (200, 60, 20), dtype=np.uint8)
    image = decoded(Thumbnails(lambda path: pixels).uri("a.jpg"))
    assert image.size == size
    assert max(size) <= LONGEST_SIDE
    assert np.abs(np.asarray(image, dtype=int) - (200, 60, 20)).max() < 12


def test_a_path_is_read_once():
    asked = []

    def pictures(path):
        asked.append(path)
        if path == "gone":
            raise UnreadableImage("gone")
        return np.zeros((8, 8, 3), dtype=np.uint8)

    thumbnails = Thumbnails(pictures)
    assert [thumbnails.uri(path) is None for path in ("a", "gone", "a", "gone")] == [
        False,
        True,
        False,
        True,
    ]
    assert asked == ["a", "gone"]


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8), dtype=np.uint8),
        np.zeros((8, 8, 4), dtype=np.uint8),
        np.zeros((8, 8, 3), dtype=np.float32),
        np.zeros((0, 8, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(InputError, match="'a.jpg' needs RGB pixels, uint8"):
        Thumbnails(lambda path: pixels).uri("a.jpg")
