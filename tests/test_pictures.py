"""Pictures become crops: one way to know the face, blanks, a fixed grid."""

import numpy as np
import pytest

from facegauge.cards import Crop, View
from facegauge.errors import OptionError
from facegauge.pictures import Cut, Picture, chunks, pictures_under

CROP = Crop(view=View.ALIGNED, size=24)
ALIGNED = Cut(crop=CROP, table=None, detector=None, aligned=True)


def pictures(count: int) -> list[Picture]:
    rng = np.random.default_rng(0)
    return [
        Picture(name=f"{at}", source=rng.integers(0, 256, (30, 24, 3), dtype=np.uint8))
        for at in range(count)
    ]


def test_chunks_are_cut_along_a_grid():
    found = list(chunks(pictures(7), ALIGNED, workers=2, batch_size=3))
    assert [[each.name for each in chunk] for chunk in found] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]
    assert all(each.crop.shape == (24, 24, 3) for chunk in found for each in chunk)


def test_a_blank_crop_is_refused_where_it_is_asked_for():
    grey = Picture(name="grey", source=np.full((24, 24, 3), 90, dtype=np.uint8))
    assert ALIGNED.prepare(grey).crop is not None
    strict = Cut(crop=CROP, table=None, detector=None, aligned=True, refuse_blank=True)
    prepared = strict.prepare(grey)
    assert prepared.crop is None
    assert prepared.reason == "blank: 96 % of the pixels lie within 0 grey levels"
    [noise] = pictures(1)
    assert strict.prepare(noise).crop is not None


def test_exactly_one_way_to_know_the_face():
    with pytest.raises(OptionError, match="got 0 of these"):
        Cut(crop=CROP, table=None, detector=None, aligned=False)


def test_wrong_sizes_are_refused_at_once():
    with pytest.raises(OptionError, match="--batch-size"):
        chunks(pictures(1), ALIGNED, batch_size=0)
    with pytest.raises(OptionError, match="--workers"):
        chunks(pictures(1), ALIGNED, workers=0)


def test_what_cannot_be_read_is_found_too(tmp_path):
    [found] = pictures_under([tmp_path / "gone.png"])
    assert ALIGNED.prepare(found).reason
    assert ALIGNED.prepare(Picture(name="x", source="x", problem="closed")).reason == "closed"
