import re
from html.parser import HTMLParser

import numpy as np
import pytest

from facegauge.evaluate.report_svg import HEIGHT, WIDTH, counts, curves, histogram, style, ticks
from facegauge.evaluate.scored import Scored
from toy_lines import line


class Drawn(HTMLParser):
    """Attributes of each element, and all letters."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.letters: list[str] = []
        self.feed(svg)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.letters.append(data)

    def curves(self):
        return [at["d"] for tag, at in self.found if "curve" in at.get("class", "")]


def scored(scores) -> Scored:
    paths = tuple(str(i) for i in range(len(scores)))
    return Scored(method="m", set_name="s", paths=paths, scores=tuple(scores))


def corners(d: str) -> list[tuple[float, float]]:
    """Where a path of M, L, H and V goes."""
    points: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([MLHV])([^MLHV]*)", d):
        values = [float(number) for number in numbers.split()]
        x, y = points[-1] if points else (0.0, 0.0)
        moves = {"H": lambda v, y=y: (v[0], y), "V": lambda v, x=x: (x, v[0])}
        points.append(moves.get(command, tuple)(values))
    return points


def test_stairs_go_through_every_corner_to_the_limit():
    one = line(discard=(0.0, 0.1, 0.2, 0.6), error=(0.04, 0.03, 0.01, 0.0))
    (d,) = Drawn(curves([one], [0])).curves()
    points = corners(d)
    left, right = points[0][0], points[-1][0]
    xs = [round((x - left) / (right - left) * 0.3, 3) for x, _ in points]
    assert xs == [0.0, 0.1, 0.1, 0.2, 0.2, 0.3]
    ys = [y for _, y in points]
    assert ys[0] == ys[1] < ys[2] == ys[3] < ys[4] == ys[5] < HEIGHT
    assert (ys[2] - ys[1]) * 2 == pytest.approx(ys[4] - ys[3], abs=0.3)


def test_a_linear_curve_ends_on_the_straight_line():
    one = line(preset="crfiqa", shape="linear", discard=(0.0, 0.2, 0.4), error=(0.04, 0.02, 0.0))
    (d,) = Drawn(curves([one], [0])).curves()
    points = corners(d)
    assert len(points) == 3
    (x0, y0), (x1, y1), (x2, y2) = points
    assert (y2 - y1) / (x2 - x1) == pytest.approx((y1 - y0) / (x1 - x0), rel=0.02)


def test_a_curve_of_a_million_points_stays_small_and_in_the_drawing():
    count = 1_000_000
    error = np.linspace(0.05, 0.0, count) + 0.01 * np.random.default_rng(0).random(count)
    one = line(discard=tuple((np.arange(count) / count).tolist()), error=tuple(error.tolist()))
    svg = curves([one], [0])
    assert len(svg) < 30_000
    (d,) = Drawn(svg).curves()
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners(d))


def test_a_plot_says_what_it_was_computed_with():
    letters = " ".join(Drawn(curves([line(), line("b", pauc=0.8)], [0, 1])).letters)
    for words in (
        "lfw · AdaFace",
        "difiqa, FMR 0.001, pAUC to discard 0.3",
        "3,000 comparisons, 120 errors at threshold 0.3100",
        "FNMR of what is left",
        "discarded share",
    ):
        assert words in letters


def test_counts_that_differ_are_a_range():
    lines = [line(), line("b", comparisons=2900, errors=110, threshold=None)]
    assert counts(lines) == "2,900 to 3,000 comparisons, 110 to 120 errors at threshold 0.3100"
    assert counts(lines[1:]) == "2,900 comparisons, 110 errors"


def test_long_counts_are_wrapped_not_cut():
    lines = [
        line(comparisons=123_456_789, errors=12_345_678, discard_limit=0.95, preset="crfiqa"),
        line("b", comparisons=123_999_999, errors=99_345_678, threshold=0.5),
    ]
    letters = Drawn(curves(lines, [0, 1])).letters
    assert counts(lines) in " ".join(letters)


@pytest.mark.parametrize("error", [(0.0,), (1.0,)])
def test_flat_curves_can_be_drawn(error):
    (d,) = Drawn(curves([line(discard=(0.0,), error=error)], [0])).curves()
    assert len(corners(d)) == 2


def test_methods_have_styles_of_their_own():
    assert len({style(place) for place in range(32)}) == 32


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0.0, 0.3, "0 0.05 0.10 0.15 0.20 0.25 0.30"),
        (0.0, 1.0, "0 0.2 0.4 0.6 0.8 1.0"),
        (0.0, 100.0, "0 20 40 60 80 100"),
        (-3.2, 2.9, "-2 0 2"),
        (0.0, 0.0126, "0 0.005 0.010"),
        (0.0, 52_000.0, "0 10,000 20,000 30,000 40,000 50,000"),
    ],
)
def test_ticks_are_round(low, high, names):
    assert " ".join(name for _, name in ticks(low, high)) == names


@pytest.mark.parametrize(
    "scores",
    [
        np.random.default_rng(0).uniform(0, 100, 500).tolist(),
        np.random.default_rng(0).normal(-4, 2, 500).tolist(),
        [3.5] * 9,
        [None] * 4,
        [0.2, None, 0.9],
    ],
    ids=["score", "raw", "equal", "none", "unit"],
)
def test_bars_stand_for_all_images_with_a_score(scores):
    drawn = Drawn(histogram(scored(scores)))
    bars = [at for tag, at in drawn.found if tag == "rect"]
    heights = np.array([float(at["height"]) for at in bars])
    known = [score for score in scores if score is not None]
    if not known:
        assert not bars
        assert "no scores" in drawn.letters
        return
    lowest = heights.min()
    assert heights.sum() / lowest == pytest.approx(
        len(known) / round(len(known) * lowest / heights.sum()), rel=0.05
    )
    assert any(f"mean {np.mean(known):.4g}" in letters for letters in drawn.letters)
    missing = len(scores) - len(known)
    assert any("without a score" in letters for letters in drawn.letters) == bool(missing)


def test_names_are_escaped():
    svg = curves([line("<script>", set_name='a"b')], [0])
    assert "<script>" not in svg
    assert 'a"b' not in svg
