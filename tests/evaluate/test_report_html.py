import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from facegauge.errors import UnreadableImage
from facegauge.evaluate.operated import Operated
from facegauge.evaluate.report import Report
from facegauge.evaluate.scored import Scored, subgroups
from facegauge.operating import OperatingPoint, OperatingTable
from toy_lines import line

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects what the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.headings: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings[-1] += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def picture(path):
    if path == "p4.jpg":
        raise UnreadableImage("p4.jpg: gone")
    return np.full((50, 40, 3), int(path[1]) * 20, dtype=np.uint8)


def scored(method="ours") -> Scored:
    return Scored(
        method=method,
        set_name="lfw",
        paths=tuple(f"p{i}.jpg" for i in range(10)),
        scores=(*(10.0 * i for i in range(9)), None),
        groups=("men", "women") * 5,
    )


def operated() -> Operated:
    points = (
        OperatingPoint(score=0.0, discarded=0.1, comparisons=3000, errors=120),
        OperatingPoint(score=90.0, discarded=1.0, comparisons=0, errors=0),
    )
    table = OperatingTable(
        recogniser="AdaFace", threshold=0.31, samples=10, failures=1, points=points
    )
    return Operated(method="ours", set_name="lfw", table=table)


def report(*more, **changes) -> Report:
    lines = (line(pauc_low=0.6, pauc_high=0.8), line("theirs", pauc=0.9), *more)
    values = {
        "lines": lines,
        "scored": (scored(),),
        "subgroups": subgroups(scored(), 25.0),
        "operating": (operated(),),
    }
    return Report(**(values | changes))


@pytest.mark.parametrize(
    "made",
    [
        report(),
        report(line(recogniser="CosFace"), line(set_name="xqlfw", pauc=None)),
        report(scored=(), subgroups=(), operating=()),
    ],
)
def test_a_page_is_well_formed_and_asks_for_nothing(made):
    html = made.html(picture)
    page = Page(html)
    assert not re.search(r"https?:|//\w|@import|url\(", re.sub(r'base64,[^"]*', "", html))
    assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    for tag, attrs in page.tags:
        assert tag == "img" or "src" not in attrs
        assert attrs.get("href", "#").startswith("#")
    policy = next(at["content"] for at in page.all("meta") if "http-equiv" in at)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_a_page_can_be_read_without_seeing_it():
    page = Page(report().html(picture))
    assert page.all("html")[0]["lang"] == "en"
    assert [heading for heading in page.headings if "on lfw" not in heading] == [
        "Face image quality: error versus discard",
        "Area under the curve",
        "Error versus discard",
        "AdaFace",
        "Operating table",
        "Scores",
        "Subgroups",
        "Lowest and highest faces",
    ]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [attrs["href"] for attrs in page.all("a")] == [f"#{each}" for each in ids]
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attrs["alt"] for attrs in page.all("img"))
    assert all(attrs["scope"] in ("col", "row") for attrs in page.all("th"))
    for attrs in page.all("svg"):
        assert attrs.get("aria-hidden") == "true" or attrs["aria-label"]
    regions = [attrs for attrs in page.all("div") if attrs.get("class") == "scroll"]
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in regions)


def test_empty_parts_are_left_out():
    page = Page(report(scored=(), subgroups=(), operating=()).html(picture))
    assert len(page.all("section")) == 2
    assert len(Page(report().html()).all("img")) == 0


def test_the_best_is_bold_and_the_interval_below():
    html = report().html()
    assert '<td><strong>0.700</strong><span class="range">[0.600, 0.800]</span></td>' in html
    assert "<td>0.900</td>" in html
    page = Page(html)
    assert ["Method", "lfw", "Mean"] in page.rows
    assert ["theirs", "0.900", "0.900"] in page.rows


def test_a_legend_has_the_numbers_of_its_plot():
    page = Page(report(line("third", pauc=0.1, errors=60, samples=99, failures=7)).html())
    assert ["third", "0.1000", "60 of 3,000", "7"] in page.rows
    assert ["ours", "0.7000[0.6000, 0.8000]", "120 of 3,000", "–"] in page.rows
    legend = [row[0] for row in page.rows if row[-1] in ("7", "–") and len(row) == 4]
    assert legend == ["third", "ours", "theirs"]


def test_a_method_has_one_style_throughout():
    page = Page(report(line("theirs", set_name="xqlfw")).html())
    classes = [attrs["class"] for attrs in page.all("path") if "curve" in attrs.get("class", "")]
    assert classes.count("curve m1") == 4  # two plots, two legends
    assert classes.count("curve m0") == 2


def test_faces_lowest_and_highest_with_their_scores():
    page = Page(report().html(picture, faces=3))
    alts = [attrs["alt"] for attrs in page.all("img")]
    assert alts == [
        *(f"Lowest score {i} of 3: p{i - 1}.jpg" for i in (1, 2, 3)),
        *(f"Highest score {i} of 3: p{9 - i}.jpg" for i in (1, 2, 3)),
    ]
    for score in ("0", "10", "20", "80", "70", "60"):
        assert score in page.text


def test_a_picture_that_cannot_be_read_is_said_so():
    page = Page(report().html(picture, faces=5))
    assert "Lowest score 5 of 5: picture not readable" in page.text
    assert len(page.all("img")) == 8


def test_subgroups_show_what_was_given():
    rows = Page(report().html()).rows
    assert ["Group", "Images", "Without score", "Mean score", "Discarded"] in rows
    assert ["men", "5", "0", "40", "40.0%"] in rows
    assert ["women", "5", "1", "40", "40.0%"] in rows


def test_the_operating_table_shows_each_point():
    page = Page(report().html())
    assert ["0", "10.0%", "0.0400", "120", "3,000"] in page.rows
    assert ["90", "100.0%", "–", "0", "0"] in page.rows
    assert (
        "ours on lfw, AdaFace at similarity threshold 0.3100; 1 of 10 images have no score and "
        "are always discarded"
    ) in page.text


def test_odd_names_stay_text():
    odd = '<script>alert("1")</script>&\'x'
    named = line(odd, set_name=odd, recogniser=odd, protocol=odd)
    face = Scored(method=odd, set_name=odd, paths=(f"p1{odd}",), scores=(1.0,), groups=(odd,))
    table = replace(operated().table, recogniser=odd)
    made = Report(
        lines=(named,),
        scored=(face,),
        subgroups=subgroups(face, 0.5),
        operating=(Operated(method=odd, set_name=odd, table=table),),
        title=odd,
    )
    page = Page(made.html(picture))
    assert "script" not in {tag for tag, _ in page.tags}
    assert odd in page.headings
    assert page.all("img")[0]["alt"].endswith(odd)
