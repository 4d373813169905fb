import re
from html.parser import HTMLParser

import pytest

from facegauge.evaluate.differences import Difference
from facegauge.evaluate.differences_html import differences, plot
from facegauge.evaluate.report_svg import WIDTH
from toy_lines import line


class Drawn(HTMLParser):
    """Attributes of each element, all letters, and the cells of each row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.letters: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.letters.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def paths(self, kind):
        shown = [at for _, at in self.found if kind in at.get("class", "").split()]
        return [[float(n) for n in re.findall(r"-?[\d.]+", at["d"])] for at in shown if "d" in at]


def row(method="theirs", value=-0.02, low=-0.04, high=-0.01, **changes) -> Difference:
    names = {"reference": "ours", "set_name": "lfw", "recogniser": "AdaFace", "confidence": 0.95}
    ends = {"value": value, "low": low, "high": high}
    return Difference(**({"method": method} | names | ends | changes))


def test_dots_and_whiskers_stand_at_their_values():
    rows = [row(), row("third", 0.03, -0.01, 0.05)]
    drawn = Drawn(plot(rows, [1, 2], "difiqa", (-0.05, 0.1)))
    (zero,) = drawn.paths("zero")
    whiskers, dots = drawn.paths("curve"), drawn.paths("dot")
    # M low top v8 M low middle H high M high top v8, and M x y h0
    unit = (whiskers[1][5] - zero[0]) / 0.05
    for one, whisker, dot in zip(rows, whiskers, dots, strict=True):
        for value, at in ((one.low, whisker[3]), (one.high, whisker[5]), (one.value, dot[0])):
            assert (at - zero[0]) / unit == pytest.approx(value, abs=5e-4)
        assert whisker[4] == dot[1]  # both at one height
        assert all(0 <= at <= WIDTH for at in (whisker[3], whisker[5]))
    assert dots[0][1] < dots[1][1]


def test_a_plot_says_what_it_shows():
    drawn = Drawn(plot([row()], [1], "difiqa, FMR 0.001", (-0.05, 0.01)))
    for words in (
        "lfw · AdaFace",
        "difiqa, FMR 0.001",
        "difference to ours, 95 % interval",
        "theirs",
        "better",
        "pAUC minus that of ours; left of 0: better",
    ):
        assert words in drawn.letters
    assert "theirs better" in drawn.found[0][1]["aria-label"]


def test_the_drawing_grows_with_its_rows_and_holds_them():
    for count in (1, 3, 12):
        rows = [row(f"m{at}") for at in range(count)]
        drawn = Drawn(plot(rows, range(count), "r", (-0.05, 0.01)))
        height = float(drawn.found[0][1]["viewbox"].split()[3])
        lowest = max(float(at["y"]) for tag, at in drawn.found if tag == "text")
        assert height - 20 < lowest < height
        assert len({dot[1] for dot in drawn.paths("dot")}) == count


def test_all_plots_of_a_reference_share_one_scale():
    rows = [row(), row(recogniser="CosFace", value=0.5, low=0.4, high=0.6)]
    section = differences(rows, [line(), line("theirs")])
    drawn = Drawn(section.body)
    zeros = drawn.paths("zero")
    assert len(zeros) == 2
    assert zeros[0] == zeros[1]
    near, far = (dot[0] - zeros[0][0] for dot in drawn.paths("dot"))
    assert far / near == pytest.approx(0.5 / -0.02, rel=0.02)


def test_no_difference_at_all_can_be_drawn():
    drawn = Drawn(differences([row(value=0.0, low=0.0, high=0.0)], [line(), line("theirs")]).body)
    (zero,), (dot,) = drawn.paths("zero"), drawn.paths("dot")
    assert zero[0] == dot[0] == pytest.approx(WIDTH / 2)
    assert ["theirs", "0.000[0.000, 0.000]"] in drawn.rows


def test_a_method_has_the_style_of_its_curve():
    rows = [row("third"), row("theirs")]
    lines = [line(), line("theirs"), line("third")]
    drawn = Drawn(differences(rows, lines).body)
    dots = [at["class"] for _, at in drawn.found if "dot" in at.get("class", "")]
    assert dots == ["dot m2", "dot m1"]


def test_numbers_stand_in_a_table_and_names_stay_text():
    odd = "<b>&'"
    section = differences([row(odd, reference=odd)], [line(), line(odd)])
    assert "<b>" not in section.body
    assert [odd, "-0.0200[-0.0400, -0.0100]"] in Drawn(section.body).rows


def test_nothing_to_compare_is_no_section():
    assert differences([], [line()]).body == ""
