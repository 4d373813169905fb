"""The page of a comparison: valid, escaped, and drawn where the numbers are."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from facegauge.evaluate.contrast_html import histogram, shares_below
from facegauge.evaluate.contrast_report import compare_sets
from facegauge.evaluate.spread import Spread

VOID = {"meta", "link", "img", "br", "path"}


def spread(name, scores) -> Spread:
    values = np.sort(np.asarray(scores, dtype=float))
    return Spread(name=name, scores=values, outcomes={"scored": values.size}, models=("m-1",))


def sets() -> list[Spread]:
    rng = np.random.default_rng(0)
    return [spread("<gate>", rng.uniform(0, 100, 200)), spread("desk", rng.uniform(50, 100, 90))]


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_asks_for_nothing():
    page = compare_sets(sets()).html()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    text = " ".join(parser.text)
    for words in ("Scores by m-1", "Difference to <gate>", "Discarded below a score", "P(higher)"):
        assert words in text
    assert "<gate>" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert "<script" not in page


def outlines(drawing: str) -> list[str]:
    return re.findall(r'class="curve [^"]*" d="([^"]+)"', drawing)


def test_histograms_have_a_top_for_each_bin_and_the_area_of_all_scores():
    drawing = histogram(sets())
    floors = {float(value) for value in re.findall(r"M58\.0 ([\d.]+)V", drawing)}
    assert len(floors) == 1
    for way in outlines(drawing):
        tops = [float(value) for value in re.findall(r"V([\d.]+)", way)]
        assert len(tops) == 25
        assert sum(max(floors) - top for top in tops) > 0


def test_the_histogram_of_twice_the_scores_is_the_same():
    one, twice = spread("a", [10, 20, 70]), spread("a", [10, 20, 70] * 2)
    assert outlines(histogram([one])) == outlines(histogram([twice]))


@pytest.mark.parametrize("scores", [[5.0, 5.0], [-3.0, 8.0], [0.1, 0.9], [100.0, 0.0]])
def test_any_scale_is_drawn(scores):
    for drawing in (histogram([spread("a", scores)]), shares_below([spread("a", scores)])):
        assert "nan" not in drawing
        assert len(outlines(drawing)) == 1


def test_shares_rise_from_the_floor_to_the_top():
    [way] = outlines(shares_below([spread("a", np.linspace(0, 100, 1001))]))
    heights = [float(value) for value in re.findall(r"[ML][\d.]+ ([\d.]+)", way)]
    assert all(now <= before for before, now in pairwise(heights))
    assert (heights[0], heights[-1]) == (pytest.approx(276, abs=0.5), 72)
