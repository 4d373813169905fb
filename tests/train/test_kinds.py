"""The registry of what can be imported is frozen: entries are promises."""

import dataclasses

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.train.kinds import KINDS, find
from facegauge.train.networks import NETWORKS

ALIGNED, UNIT = ("aligned", 112, "reference"), (0.0, 1.0)
# judges, networks with the range of raw that is 0..100 (None: from real faces), convention, crop
ENTRIES = {
    "efficient-fiqa-student": (
        "perceptual",
        {"efficient-fiqa-student": UNIT},
        "imagenet",
        ("whole", 352, "pillow-bilinear"),
    ),
    "efficient-fiqa-teacher": (
        "perceptual",
        {"efficient-fiqa-teacher": UNIT},
        "imagenet",
        ("whole", 448, "pillow-bilinear"),
    ),
    "ai-kd": ("utility", {"ai-kd": None}, "arcface", ALIGNED),
    "cr-fiqa-l": ("utility", {"cr-fiqa-100": None}, "arcface", ALIGNED),
    "cr-fiqa-s": ("utility", {"cr-fiqa-50": None}, "arcface", ALIGNED),
    "magface": ("utility", {"magface-50": (4.8, 41.2), "magface-100": None}, "bgr-unit", ALIGNED),
    "sdd-fiqa": ("utility", {"sdd-fiqa": (0.0, 100.0)}, "arcface", ALIGNED),
    "difiqa-r": ("utility", {"difiqa-r": UNIT}, "arcface", ALIGNED),
    "ediffiqa-t": ("utility", {"ediffiqa-mobile": UNIT}, "arcface", ALIGNED),
    "ediffiqa-s": ("utility", {"ediffiqa-18": UNIT}, "arcface", ALIGNED),
    "ediffiqa-m": ("utility", {"ediffiqa-50": UNIT}, "arcface", ALIGNED),
    "ediffiqa-l": ("utility", {"ediffiqa-100": UNIT}, "arcface", ALIGNED),
    "faceqnet": ("utility", {"faceqnet": UNIT}, "bgr-raw", ("whole", 224, "area")),
}
COMMERCIAL = {"efficient-fiqa-student", "efficient-fiqa-teacher", "magface", "sdd-fiqa"}


def test_the_kinds_are_the_promised_ones():
    assert list(KINDS) == list(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_as_promised(name):
    kind = find(name)
    judges, networks, convention, crop = ENTRIES[name]
    assert (kind.name, kind.judges, kind.convention) == (name, judges, convention)
    assert (kind.crop.view, kind.crop.size, kind.crop.resampling) == crop
    assert kind.crop.short_side == (kind.crop.size if kind.crop.view == "whole" else 0)
    found = {
        each.network: each.calibration and (each.calibration.raw[0], each.calibration.raw[-1])
        for each in kind.layouts
    }
    assert set(found) == set(networks) <= set(NETWORKS)
    for network, ends in networks.items():
        assert found[network] == (None if ends is None else pytest.approx(ends))


def test_licences_say_who_may_use_a_kind():
    assert {name for name, kind in KINDS.items() if kind.commercial} == COMMERCIAL
    for kind in KINDS.values():
        assert kind.licence
        assert kind.data
        assert kind.source.startswith("https://github.com/")
        assert not (kind.commercial and ("none stated" in kind.licence or "NC" in kind.licence))
    assert not any(kind.sha256 for kind in KINDS.values())  # no publisher states one


def test_an_entry_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        find("magface").commercial = False


def test_the_score_of_magface_is_that_of_ofiq():
    [table] = [each.calibration for each in find("magface").layouts if each.calibration]
    norms = np.linspace(0.0, 60.0, 2001)
    wanted = 100.0 / (1.0 + np.exp(-(norms - 23.0) / 2.6))
    assert np.abs(table.apply(norms) - wanted).max() < 0.1
    assert table.apply(23.0) == pytest.approx(50.0)


def test_an_unknown_kind_is_told_with_those_there_are():
    with pytest.raises(OptionError, match="magface.*got 'serfiq'"):
        find("serfiq")
