"""The length of the embedding, against the recogniser's own answer."""

import numpy as np
import pytest

from facegauge.techniques.norm import NormLabels
from facegauge.techniques.technique import Measured
from toy_recognisers import crops


def test_labels_are_the_lengths(recogniser):
    technique, pictures = NormLabels(recogniser=recogniser), crops(5)
    rows = technique.measure(list("abcde"), pictures)
    assert rows.shape == (5, 1)
    labels = technique.labels(Measured(paths=tuple("abcde"), values=rows), {})
    assert labels.paths == tuple("abcde")
    assert labels.values == pytest.approx(recogniser.embed(pictures).norm.astype(float))
    assert np.ptp(labels.values) > 0
