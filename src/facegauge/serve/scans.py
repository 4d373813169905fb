"""How often a JPEG goes over its pixels: a file of megabytes may do so a million times."""

from __future__ import annotations

import re

MOST_SCANS = 50
"""Scans of a JPEG that is decoded. A progressive one has about ten; of 50 megapixels, each scan
takes 65 ms even where it says nothing (7000x7000, one core of our machine)."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends a segment or a scan: neither a stuffed byte, a restart, nor padding (ITU-T T.81 B)."""
_MOST_SEGMENTS = 5000
_BEGIN, _SCAN, _END, _BARE = 0xD8, 0xDA, 0xD9, 0x01


def too_many_scans(content: bytes) -> bool:
    """Whether a file is a JPEG of more than ``MOST_SCANS`` scans, or of segments without end.

    Only the first picture counts, which is the one that is decoded: thumbnails lie inside of
    segments, and what cameras append (videos) behind the end.
    """
    if content[:2] != b"\xff\xd8":
        return False
    at, scans = 2, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(content, at)
        marker = _END if found is None else content[found.end() - 1]
        if found is None or marker == _END:
            return False
        scans += marker == _SCAN
        if scans > MOST_SCANS:
            return True
        bare = marker in (_BEGIN, _BARE)
        at = found.end() + (0 if bare else int.from_bytes(content[found.end() : found.end() + 2]))
    return True
