import asyncio

import numpy as np
import pytest
from PIL import Image

from broken_images import encoded, gradient
from facegauge.panel import Panel
from facegauge.serve.desk import Desk, unreadable
from facegauge.serve.limits import Limits
from facegauge.serve.scans import MOST_SCANS
from facegauge.serve.uploads import Upload
from toy_detector import scene, squares


def file(pixels: np.ndarray, kind: str = "PNG") -> Upload:
    return Upload(name="a", content=encoded(Image.fromarray(pixels), kind))


def assessed(scorer, *uploads, workers=3, **bounds):
    """What becomes of uploads that come together, and the sizes of the network calls."""
    sizes: list[int] = []

    async def all_of_them():
        desk = Desk(Limits(**bounds), workers=workers, called=sizes.append)
        try:
            return await asyncio.gather(*(desk.assess(each, scorer) for each in uploads))
        finally:
            desk.close()

    return asyncio.run(all_of_them()), sizes


def test_answers_do_not_depend_on_company(scorer):
    photos = [scene((60 + 9 * n, 40 + 5 * n, 70 + 6 * n), seed=n) for n in range(12)]
    alone = [scorer.assess(photo)[0].score for photo in photos]
    together, sizes = assessed(scorer, *map(file, photos))
    assert [own[0].score for own in together] == pytest.approx(alone, abs=1e-4)
    assert len(set(alone)) == len(alone)
    assert sum(sizes) == 12


def test_too_many_pixels_are_not_decoded(scorer):
    [[found]], sizes = assessed(scorer, file(scene((60, 60, 90))), pixels=640 * 480 - 1)
    assert found.outcome == "unreadable"
    assert "too large: 640x480" in found.detail
    assert sizes == []
    [[whole]], _ = assessed(scorer, file(scene((60, 60, 90))), pixels=640 * 480)
    assert whole.outcome == "scored"


def test_a_jpeg_of_endless_scans_is_not_decoded(scorer):
    jpeg = encoded(gradient(400, 300), "JPEG", progressive=True)
    begin = jpeg.rindex(b"\xff\xda")
    scan = jpeg[begin:-2]
    bomb = jpeg[:begin] + scan * (MOST_SCANS + 1) + jpeg[-2:]
    [[found]], _ = assessed(scorer, Upload(name="a", content=bomb))
    assert found.outcome == "unreadable"
    assert found.detail.startswith("too many scans")
    [[usual]], _ = assessed(scorer, Upload(name="a", content=jpeg))
    assert usual.outcome != "unreadable"


def test_a_panel_is_silent_together(tiny, other):
    found = unreadable(Panel([tiny, other], detector=squares()), "empty")
    assert (found.model, found.detail) == ("tiny-1", "empty")
    assert [(each.model, each.outcome) for each in found.further] == [("other-1", "unreadable")]


def test_an_error_of_ours_is_no_answer(scorer, monkeypatch):
    monkeypatch.setattr(scorer, "prepare", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        assessed(scorer, file(scene()))
