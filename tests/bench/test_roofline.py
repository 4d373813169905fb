import numpy as np
import pytest

from facegauge import devices
from facegauge.bench import roofline
from facegauge.errors import OptionError


def test_what_is_measured_is_a_product_of_matrices():
    rng = np.random.default_rng(1)
    a, b = rng.random((3, 4), dtype=np.float32), rng.random((4, 5), dtype=np.float32)
    [found] = devices.session(roofline._PRODUCT, 1).run(["c"], {"a": a, "b": b})
    np.testing.assert_allclose(found, a @ b, rtol=1e-5)


def test_the_rate_is_operations_by_the_best_time(monkeypatch):
    ticks = iter([0.0, 4.0] + [float(n * n) for n in range(10, 24)])
    monkeypatch.setattr(roofline.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(roofline, "SIDE", 8)
    assert roofline.gigaflops() == pytest.approx(2 * 8**3 / 4.0 / 1e9)


def test_no_threads_are_refused():
    with pytest.raises(OptionError, match="one thread or more, got 0"):
        roofline.gigaflops(0)
