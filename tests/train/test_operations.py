"""Known degradations: a kind does more at a higher severity, and treatments are drawn fairly."""

from collections import Counter

import numpy as np
import pytest
from numpy.random import default_rng
from skimage import data
from skimage.metrics import structural_similarity

from facegauge.errors import OptionError
from facegauge.train.operations import (
    CAMERA,
    KINDS,
    LINK,
    Step,
    applied,
    chosen_kinds,
    drawn,
    ladder,
    named,
)

FACE = np.ascontiguousarray(data.astronaut()[0:200, 120:300])


def test_the_kinds():
    assert list(KINDS) == [
        *("overexposure", "underexposure", "low-light", "colour", "blur", "motion", "noise"),
        *("downscale", "jpeg", "webp"),
    ]
    assert {kind for stage in (*CAMERA, *LINK) for kind in stage} <= KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_does_more_at_a_higher_severity(kind):
    found = [applied(FACE, treatment, default_rng(3)) for treatment in ladder(kind, 4)]
    apart = [np.abs(each.astype(float) - FACE).mean() for each in found]
    alike = [structural_similarity(each, FACE, channel_axis=2) for each in found]
    assert apart == sorted(apart)
    assert alike == sorted(alike, reverse=True)
    assert all(each.shape == FACE.shape and each.dtype == np.uint8 for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_works_on_small_and_oblong_pictures_and_leaves_its_input(kind):
    small = FACE[:50, :80].copy()
    before = small.copy()
    for severity in (0.0, 1.0):
        step = Step(kind=kind, severity=severity)
        assert applied(small, (step,), default_rng(0)).shape == small.shape
    np.testing.assert_array_equal(small, before)


def test_no_treatment_is_the_picture_itself():
    assert applied(FACE, (), default_rng(0)) is FACE
    assert named(()) == "clean"


def test_treatments_are_drawn_alone_and_composed_and_never_of_what_is_left_out():
    kinds = chosen_kinds((), ("webp", "motion"))
    found = [drawn(default_rng(seed), kinds) for seed in range(2000)]
    lengths = Counter(map(len, found))
    assert 0.4 < lengths[1] / 2000 < 0.65  # 0.4 and the compositions of which one stage is left
    assert max(lengths) == 5
    seen = Counter(step.kind for each in found for step in each)
    assert set(seen) == set(kinds)
    assert all(0 <= step.severity <= 1 for each in found for step in each)
    single = [each[0].severity for each in found if len(each) == 1]
    assert abs(np.mean(single) - 0.5) < 0.03
    assert drawn(default_rng(5), kinds) == drawn(default_rng(5), kinds)


def test_where_one_kind_is_left_it_is_drawn():
    assert {drawn(default_rng(s), ("webp",))[0].kind for s in range(20)} == {"webp"}


@pytest.mark.parametrize(
    ("only", "without"), [(("fog",), ()), ((), ("fog",)), (("jpeg",), ("jpeg",))]
)
def test_unknown_kinds_and_none_at_all_are_refused(only, without):
    with pytest.raises(OptionError, match="kinds of degradation, some of overexposure"):
        chosen_kinds(only, without)
