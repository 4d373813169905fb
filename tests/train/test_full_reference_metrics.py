"""Full-reference measures: which way they point, and one of them against its own paper."""

import sys

import cv2
import numpy as np
import pytest

from facegauge.errors import MissingExtra, OptionError
from facegauge.train import full_reference_metrics
from facegauge.train.full_reference_metrics import METRICS, SMALLEST, nearness, require_metrics
from toy_faces import drawn

pytest.importorskip("piq")


def test_names_are_checked_and_the_version_told(monkeypatch):
    assert require_metrics(tuple(METRICS)).startswith("0.")
    with pytest.raises(OptionError, match="some of ssim.*got beauty"):
        require_metrics(("ssim", "beauty"))
    monkeypatch.setitem(sys.modules, "piq", None)
    with pytest.raises(MissingExtra, match="label full-reference needs piq"):
        require_metrics(("ssim",))


@pytest.mark.parametrize("name", METRICS)
def test_the_smallest_picture_can_be_measured(name):
    picture = drawn("small", 1)[0][:SMALLEST, :SMALLEST]
    found = nearness(picture, cv2.GaussianBlur(picture, (0, 0), 1.0), (name,))
    assert found.shape == (1,)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", METRICS)
def test_every_measure_is_highest_for_the_picture_itself_and_falls_with_blur(name):
    picture = drawn("m", 1)[0]
    worse = [picture, *(cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (1.0, 3.0))]
    found = [float(nearness(picture, each, (name,))[0]) for each in worse]
    assert found == sorted(found, reverse=True)


def test_gmsd_is_what_its_paper_says():
    """Xue et al. 2014: Prewitt gradients of the halved luminance, deviation of their similarity."""
    picture = drawn("g", 2)[0]
    other = cv2.GaussianBlur(picture, (0, 0), 2.0)
    assert full_reference_metrics.METRICS["gmsd"].sign == -1
    maps = [_gradients(each) for each in (picture, other)]
    constant = 170 / 255**2
    alike = (2 * maps[0] * maps[1] + constant) / (maps[0] ** 2 + maps[1] ** 2 + constant)
    [found] = nearness(picture, other, ("gmsd",))
    assert -found == pytest.approx(alike.std(), abs=0.004)  # borders and divisors differ


def _gradients(pixels: np.ndarray) -> np.ndarray:
    luminance = (pixels / 255.0) @ np.array([0.299, 0.587, 0.114])
    half = (luminance[::2, ::2] + luminance[1::2, ::2] + luminance[::2, 1::2]
            + luminance[1::2, 1::2]) / 4  # fmt: skip
    kernel = np.array([[1, 0, -1]] * 3) / 3
    sides = [cv2.filter2D(half, -1, k, borderType=cv2.BORDER_CONSTANT) for k in (kernel, kernel.T)]
    return np.hypot(*sides)
