"""Techniques by name."""

import pytest

from facegauge.errors import OptionError
from facegauge.techniques import catalogue
from facegauge.techniques.difiqa import DifFiqa
from facegauge.techniques.faceqan import FaceQan


def test_every_name_makes_its_technique(gemm):
    given = []

    def attacker(path, constants):
        given.append((path, constants))
        return

    def disturber(constants, seed):
        given.append((constants, seed))
        return

    for name in catalogue.CONSTANTS:
        technique = catalogue.make(name, gemm, seed=4, attacker=attacker, disturber=disturber)
        assert (technique.name, technique.seed) == (name, 4)
        assert type(technique.constants) is type(catalogue.CONSTANTS[name])
    assert given == [(gemm.path, FaceQan()), (DifFiqa(), 4)]
    changed = catalogue.make("sdd-fiqa", gemm, settings=["draws=3"])
    assert changed.constants.draws == 3


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("serfiq", {}, "one of: ser-fiq, faceqan"),
        ("norm", {"seed": -1}, "--seed"),
        ("norm", {"settings": ["a=1"]}, "no constants"),
        ("faceqan", {}, "attacker"),
        ("difiqa", {}, "--diffusion"),
    ],
)
def test_wrong_wishes_are_refused(gemm, name, options, match):
    with pytest.raises(OptionError, match=match):
        catalogue.make(name, gemm, **options)
