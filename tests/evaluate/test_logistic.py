import builtins
import math

import numpy as np
import pytest
from scipy.optimize import curve_fit

from facegauge.errors import InputError, MissingExtra
from facegauge.evaluate import logistic
from facegauge.evaluate.logistic import Logistic, fit_logistic


def formula(x, b1, b2, b3, b4):
    """f(x) of the paper, one value."""
    return b2 + (b1 - b2) / (1 + math.exp(-(x - b3) / abs(b4)))


def squared(curve, x, y) -> float:
    return float(((curve(x) - y) ** 2).sum())


def pairs(count: int = 300, noise: float = 0.05, seed: int = 0):
    """Predictions of about 0..1 and labels that follow them along a logistic."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.5, 0.25, count)
    y = np.array([formula(value, 4.5, 1.2, 0.45, 0.12) for value in x])
    return x, y + rng.normal(0, noise, count)


def test_values_follow_the_formula():
    curve = Logistic(b1=5.0, b2=1.0, b3=0.4, b4=0.2, start="published")
    points = [-3.0, 0.1, 0.4, 0.9, 12.0]
    expected = [formula(value, 5.0, 1.0, 0.4, 0.2) for value in points]
    assert curve(points) == pytest.approx(expected, abs=1e-14)
    assert set(curve.to_dict()) == {"b1", "b2", "b3", "b4", "start"}


def test_parameters_come_back():
    curve = fit_logistic(*pairs(noise=0.0))
    assert (curve.b1, curve.b2, curve.b3, curve.b4) == pytest.approx((4.5, 1.2, 0.45, 0.12))


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_as_good_as_scipys_from_the_published_start(seed):
    x, y = pairs(seed=seed, noise=0.3)

    def vectorised(values, b1, b2, b3, b4):
        return b2 + (b1 - b2) / (1 + np.exp(-(values - b3) / np.abs(b4)))

    b, _ = curve_fit(vectorised, x, y, p0=(y.max(), y.min(), x.mean(), 0.5), maxfev=10_000)
    assert squared(fit_logistic(x, y), x, y) <= ((vectorised(x, *b) - y) ** 2).sum() * (1 + 1e-9)
    assert fit_logistic(x, y)(x) == pytest.approx(vectorised(x, *b), abs=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 100.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_units_of_the_predictions_do_not_matter(scale, shift):
    x, y = pairs()
    assert fit_logistic(x * scale + shift, y)(x * scale + shift) == pytest.approx(
        fit_logistic(x, y)(x), abs=1e-5
    )


def test_scores_to_a_hundred_need_the_scaled_start():
    x, y = pairs()
    wide = fit_logistic(x * 1e6, y)
    assert wide.start == "scaled"
    assert squared(wide, x * 1e6, y) == pytest.approx(squared(fit_logistic(x, y), x, y))


@pytest.mark.parametrize(
    "labels",
    [
        lambda z: z,
        lambda z: -z,
        lambda z: np.exp(2 * z),
        lambda z: (z > 0) * 1.0,
        lambda z: z**2,
        lambda z: np.random.default_rng(3).normal(size=z.size),
    ],
    ids=["straight", "falling", "exponential", "step", "parabola", "random"],
)
def test_hard_shapes_end_no_worse_than_a_constant(labels):
    z = np.random.default_rng(1).normal(size=200)
    y = labels(z)
    assert squared(fit_logistic(20 * z + 50, y), 20 * z + 50, y) <= ((y - y.mean()) ** 2).sum()


def test_one_far_prediction_does_not_break_the_fit():
    x, y = pairs()
    x = np.append(x, 1e5)
    curve = fit_logistic(x, np.append(y, 4.5))
    assert squared(curve, x, np.append(y, 4.5)) < 2.0


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1.0] * 9, range(9), "at least 5 different predictions, got 1 among 9"),
        ([1, 2, 3, 4], [1, 2, 3, 4], "at least 5 different predictions, got 4"),
        ([], [], "at least 5 different predictions, got 0"),
        (range(9), [2.0] * 9, "labels that differ, got 2 for all 9"),
        (range(9), range(8), r"one label for each prediction, got shapes \(9,\) and \(8,\)"),
        ([[1, 2]], [[1, 2]], "one label for each prediction"),
        ([1, 2, 3, 4, math.nan, 6], range(6), "finite predictions and labels, got 1 of 6"),
        (range(6), [1, 2, math.inf, 4, math.nan, 6], "finite predictions and labels, got 2 of 6"),
    ],
)
def test_what_cannot_be_fitted_is_refused(x, y, words):
    with pytest.raises(InputError, match=words):
        fit_logistic(x, y)


def test_a_fit_that_does_not_converge_is_an_error_after_few_evaluations(monkeypatch):
    monkeypatch.setattr(logistic, "MOST_EVALUATIONS", 5)
    with pytest.raises(InputError, match="converge in 5 evaluations.*SRCC and KRCC need no fit"):
        fit_logistic(*pairs())


def test_a_missing_scipy_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"facegauge\[evaluate\]"):
        fit_logistic(*pairs())
