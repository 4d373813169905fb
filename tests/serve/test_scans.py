import struct

import numpy as np
import pytest

from broken_images import encoded, gradient, oriented
from facegauge.serve.scans import MOST_SCANS, too_many_scans

PROGRESSIVE = encoded(gradient(400, 300), "JPEG", progressive=True)


def bomb(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there that many times more."""
    begin = PROGRESSIVE.rindex(b"\xff\xda")
    return PROGRESSIVE[:-2] + PROGRESSIVE[begin:-2] * scans + PROGRESSIVE[-2:]


@pytest.mark.parametrize("scans", [MOST_SCANS + 1, 5000])
def test_scans_without_end_are_told(scans):
    assert too_many_scans(bomb(scans))


@pytest.mark.parametrize(
    "content",
    [
        PROGRESSIVE,
        bomb(20),
        encoded(gradient(), "JPEG"),
        encoded(gradient(), "JPEG", restart_marker_rows=1),
        oriented(gradient(), 6),
        encoded(gradient(), "PNG") + b"\xff\xda" * 999,
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe1",
        b"\xff\xd8" + b"\xff" * 100_000,
    ],
)
def test_others_are_not(content):
    assert not too_many_scans(content)


def test_what_lies_in_segments_or_behind_the_end_does_not_count():
    """Thumbnails, and the videos that cameras append, hold these bytes by chance."""
    within = b"\xff\xda" * 2000
    segment = b"\xff\xe5" + struct.pack(">H", len(within) + 2) + within
    video = np.random.default_rng(0).integers(0, 256, 10_000_000, dtype=np.uint8).tobytes()
    assert (PROGRESSIVE + video).count(b"\xff\xda") > 2 * MOST_SCANS
    assert not too_many_scans(PROGRESSIVE[:2] + segment + PROGRESSIVE[2:] + video)


def test_segments_without_end_are_told():
    assert too_many_scans(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000)
