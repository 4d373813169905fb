import json

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.differences import COLUMNS, Difference
from facegauge.evaluate.line import Line
from facegauge.evaluate.report import Report
from facegauge.evaluate.scored import Scored
from toy_lines import line

FILES = [
    *("differences.csv", "operating.json", "report.html", "results.json"),
    *("table.csv", "table.md"),
]


def lines():
    return (line(), line("theirs", pauc=0.6), line(set_name="xqlfw", pauc=0.8, protocol="in words"))


def black(path):
    return np.zeros((8, 8, 3), dtype=np.uint8)


def test_files_are_written_and_replaced(tmp_path):
    out = tmp_path / "new" / "report"
    for _ in range(2):
        Report(lines=lines()).write(out)
        assert sorted(path.name for path in out.iterdir()) == FILES
    assert (out / "table.csv").read_text().startswith("recogniser,method,lfw,lfw low")
    assert "| theirs | **0.600** |" in (out / "table.md").read_text()
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_results_come_back_as_they_were(tmp_path):
    Report(lines=lines()).write(tmp_path)
    records = json.loads((tmp_path / "results.json").read_text())
    assert tuple(Line.from_dict(record) for record in records) == lines()


def difference() -> Difference:
    return Difference(
        method="theirs",
        reference="ours",
        set_name="lfw",
        recogniser="AdaFace",
        value=-0.1,
        low=-0.2,
        high=-0.05,
        confidence=0.95,
    )


def test_differences_stand_in_every_readable_file_and_not_among_the_curves(tmp_path):
    found = Report(lines=lines(), differences=(difference(),))
    found.write(tmp_path)
    row = "| theirs | AdaFace | lfw | -0.100 | [-0.200, -0.050] | better |"
    assert row in (tmp_path / "table.md").read_text()
    assert 'id="differences"' in (tmp_path / "report.html").read_text()
    written = (tmp_path / "differences.csv").read_text().splitlines()
    assert written == [",".join(COLUMNS), "AdaFace,lfw,theirs,ours,-0.1,-0.2,-0.05,0.95,better"]
    assert len(json.loads((tmp_path / "results.json").read_text())) == len(lines())


def test_differences_of_an_earlier_report_do_not_stay(tmp_path):
    Report(lines=lines(), differences=(difference(),)).write(tmp_path)
    Report(lines=lines()).write(tmp_path)
    assert (tmp_path / "differences.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert "Difference to" not in (tmp_path / "table.md").read_text()
    assert 'id="differences"' not in (tmp_path / "report.html").read_text()


def test_the_same_report_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        Report(lines=lines()).write(tmp_path / name)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_preset_is_said_in_every_readable_file(tmp_path):
    Report(lines=lines()).write(tmp_path)
    for name in ("table.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "Preset difiqa, FMR 0.001, pAUC to discard 0.3. in words." in text


def test_it_prints_its_table():
    assert "| ours | 0.700 | 0.800 | 0.750 |" in str(Report(lines=lines()))


def test_file_names_that_are_not_utf8_can_be_written(tmp_path):
    odd = "caf\udce9.jpg"
    faces = Scored(method="ours", set_name="lfw", paths=(odd,), scores=(1.0,))
    Report(lines=lines(), scored=(faces,)).write(tmp_path, black)
    assert "caf\\udce9.jpg" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "words"),
    [((), "at least one curve, got none"), ((line(), line()), "got two")],
)
def test_a_report_that_cannot_be_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        Report(lines=given)


def test_wrong_options_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OptionError, match="A report needs a folder to write"):
        Report(lines=lines()).write(tmp_path / "taken")
    with pytest.raises(OptionError, match="0 faces or more, got -1"):
        Report(lines=lines()).write(tmp_path / "new", black, faces=-1)
    assert not (tmp_path / "new").exists()
