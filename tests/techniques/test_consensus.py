"""The consensus of measures: ranks against scipy's, properties, errors."""

import numpy as np
import pytest
from scipy.stats import rankdata

from facegauge.errors import InputError
from facegauge.techniques.consensus import consensus, shares


@pytest.mark.parametrize("count", [2, 3, 17, 400])
def test_ranks_are_scipys_with_ties_shared(count):
    rng = np.random.default_rng(count)
    values = rng.integers(0, max(2, count // 3), (count, 4)).astype(np.float32)
    found = consensus(values)
    ranks = (np.apply_along_axis(rankdata, 0, values) - 1) / (count - 1)
    np.testing.assert_allclose(found.labels, ranks.mean(axis=1))
    np.testing.assert_allclose(found.doubt, ranks.std(axis=1))
    assert found.labels.min() >= 0
    assert found.labels.max() <= 1


def test_a_monotone_change_of_a_measure_changes_nothing():
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    other = values.copy()
    other[:, 1] = np.exp(other[:, 1]) * 7
    np.testing.assert_array_equal(consensus(values).labels, consensus(other).labels)


def test_measures_that_agree_leave_no_doubt_and_those_that_do_not_leave_some():
    up = np.arange(11, dtype=np.float32)
    assert consensus(np.stack([up, up], axis=1)).doubt.max() == 0
    apart = consensus(np.stack([up, -up], axis=1))
    np.testing.assert_allclose(apart.labels, 0.5)
    assert apart.doubt.max() == 0.5


def test_the_order_of_pictures_does_not_matter():
    values = np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32)
    order = np.random.default_rng(2).permutation(30)
    np.testing.assert_array_equal(consensus(values).labels[order], consensus(values[order]).labels)


@pytest.mark.parametrize(
    "values", [np.ones((1, 3)), np.ones((4, 0)), np.ones(4), np.array([[1.0], [np.nan]])]
)
def test_what_has_no_consensus_is_refused(values):
    with pytest.raises(InputError, match="two or more pictures"):
        consensus(values.astype(np.float32))


def test_equal_values_share_the_middle():
    assert shares(np.zeros(5, dtype=np.float32)).tolist() == [0.5] * 5
