"""Where published detectors and labelled photographs lie, for the tests that need the real ones.

The folder named by FACEGAUGE_DATA, or ``shared/data`` beside the repository. Nothing of it comes
with the project, so tests ask first: ``@needs(SCRFD)``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"
DATA = Path(os.environ.get("FACEGAUGE_DATA", BESIDE))
SCRFD = DATA / "detectors" / "scrfd_2.5g_bnkps.onnx"
YUNETS = tuple(
    DATA / "detectors" / name
    for name in ("yunet_n_dynamic.onnx", "face_detection_yunet_2026may.onnx")
)
PHOTOS = DATA / "celeba_photos"


def needs(*paths: Path) -> pytest.MarkDecorator:
    """Skip where one of these is not there."""
    missing = [path.name for path in paths if not path.exists()]
    reason = f"{', '.join(missing)} not there; set FACEGAUGE_DATA to the folder that has it"
    return pytest.mark.skipif(bool(missing), reason=reason)
