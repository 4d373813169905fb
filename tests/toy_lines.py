"""Small made-up curves for the tests of tables and reports."""

from facegauge.evaluate.line import Line


def line(method="ours", set_name="lfw", recogniser="AdaFace", pauc=0.7, **changes) -> Line:
    values = {
        "preset": "difiqa",
        "fmr": 1e-3,
        "threshold": 0.31,
        "discard_limit": 0.3,
        "comparisons": 3000,
        "errors": 120,
        "discard": (0.0, 0.1, 0.2),
        "error": (0.04, 0.03, 0.01),
    }
    names = {"method": method, "set_name": set_name, "recogniser": recogniser, "pauc": pauc}
    return Line(**(names | values | changes))
