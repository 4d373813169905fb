import csv
import io

import pytest
from matplotlib.figure import Figure

from facegauge.errors import OptionError
from facegauge.evaluate.report_parts import csv_text, markdown, numbers, picture, write_files

HEAD, ROWS = ("what", "value"), (["a <b>", "1"], ["c, d", "2"])


def test_text_is_escaped_in_html():
    section = numbers("x", "Heading", HEAD, ROWS)
    assert (section.anchor, section.heading) == ("x", "Heading")
    assert section.body.count("<tr>") == 3
    assert "a &lt;b&gt;" in section.body
    assert "<b>" not in section.body


def test_a_figure_becomes_a_picture_of_the_page():
    figure = Figure()
    figure.subplots().plot([0, 1])
    body = picture("p", "Plot", figure, 'a "line"').body
    assert "data:image/png;base64,iVBOR" in body  # the signature of PNG
    assert 'alt="a &quot;line&quot;"' in body


def test_tables_as_text():
    assert markdown(HEAD, ROWS).splitlines()[1:3] == ["| --- | ---: |", "| a <b> | 1 |"]
    assert list(csv.reader(io.StringIO(csv_text(HEAD, ROWS)))) == [list(HEAD), *ROWS]


def test_files_are_replaced_and_a_folder_is_made(tmp_path):
    for text in ("one", "two"):
        write_files(tmp_path / "a" / "b", {"x.txt": text})
    assert (tmp_path / "a" / "b" / "x.txt").read_text() == "two"
    with pytest.raises(OptionError, match=r"x.txt: .*Pass another --out"):
        write_files(tmp_path / "a" / "b" / "x.txt", {"y": ""})
