"""The examples run, and show what they claim to show."""

import runpy
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_demo_ranks_the_portrait_above_its_worse_versions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(EXAMPLES / "demo.py"))["main"](tmp_path)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[:-1]]
    assert lines[0][1] == "portrait.png"
    assert {line[1]: line[2] for line in lines if line[0] == "-"} == {
        "blank.png": "no_face",
        "broken.jpg": "unreadable",
    }
    assert len(lines) == 10
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert min(sheet.size) > 300


def test_curate_takes_the_sharpest_frame_of_each_visit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(EXAMPLES / "curate.py"))["main"](tmp_path)
    told = capsys.readouterr().out
    assert "2 of 2 tracks have a face left" in told
    assert "evening/7.png" in told
    assert "morning/7.png" in told
    assert "evening scores are lower" in told
    assert (tmp_path / "report" / "report.html").exists()
