"""A prepared face: a crop or a reason, and the measures with either."""

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.prepared import Prepared
from facegauge.values import Assessment, Measure, Outcome

CROP = np.zeros((4, 4, 3), np.uint8)
DIM = Measure(name="under-exposure", score=10, value=22, unit="grey levels", advice="too dark")


def test_a_prepared_face_has_a_crop_or_an_assessment():
    nothing = Assessment(outcome=Outcome.NO_FACE)
    for fields in ({}, {"crop": CROP, "assessment": nothing}):
        with pytest.raises(OptionError, match="not both"):
            Prepared(**fields)
    assert Prepared(crop=CROP).assessment is None


def test_measures_go_where_they_will_be_told():
    scored = Prepared(crop=CROP, detail="largest of 2 faces").measured((DIM,), "why")
    assert (scored.measures, scored.detail) == ((DIM,), "largest of 2 faces")
    small = Assessment(outcome=Outcome.TOO_SMALL, detail="3 pixels")
    unscored = Prepared(assessment=small).measured((DIM,), "why")
    assert (unscored.assessment.measures, unscored.assessment.detail) == ((DIM,), "3 pixels")


def test_why_there_are_none_is_told():
    assert Prepared(crop=CROP).measured((), "because").detail == "no measures: because"
    small = Prepared(assessment=Assessment(outcome=Outcome.TOO_SMALL, detail="3 pixels"))
    found = small.measured((), "because").assessment
    assert found.detail == "3 pixels; no measures: because"
