import numpy as np
import pytest

from facegauge import detection, framing, images
from facegauge.bench.pictures import SIZES, drawn, write_pictures
from facegauge.choices import Input


@pytest.mark.parametrize("input", list(Input))
def test_pictures_have_their_size_and_differ(tmp_path, input):
    folder = write_pictures(tmp_path / "drawn", input, 3)
    found = [images.read(path).pixels for path in sorted(folder.iterdir())]
    assert [each.shape[:2] for each in found] == [SIZES[input]] * 3
    assert not any(framing.blank(each) for each in found)
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("input", [Input.PHOTO, Input.CROP])
def test_the_detector_finds_the_face_that_is_drawn(input):
    detector = detection.open()
    for seed in range(3):
        picture = drawn(input, np.random.default_rng(seed))
        [face, *others] = detector.find(picture, "largest")
        box, (height, width) = face.box, SIZES[input]
        assert abs((box.x0 + box.x1) / 2 - width / 2) < 0.15 * height
        assert not others
