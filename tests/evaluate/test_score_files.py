import numpy as np
import pytest
from PIL import Image

from facegauge.errors import InputError, OptionError, TableError, UnreadableImage
from facegauge.evaluate.score_files import pictures_in, read_score_files
from facegauge.score_row import ScoreRow
from facegauge.score_table import open_scores
from facegauge.values import Outcome

BOX = {"x0": 2.5, "y0": 3.0, "x1": 8.0, "y1": 9.5}


def table(path, rows, model="m-1"):
    """A score table of (path, score or None, box)."""
    with open_scores(path, model=model) as file:
        for name, score, box in rows:
            outcome = Outcome.NO_FACE if score is None else Outcome.SCORED
            row = ScoreRow(
                path=name, face=0, outcome=outcome, score=score, raw=score, model=model, **box
            )
            file.append([row])
    return path


ROWS = (("a/1.png", 70.0, BOX), ("2.png", None, {}), ("3.png", 10.5, {}))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_scores_are_found_by_path(tmp_path, suffix):
    [found] = read_score_files([table(tmp_path / f"s{suffix}", ROWS)])
    assert found.method == "m-1"
    assert found.known == {"a/1.png": 70.0, "3.png": 10.5}
    values = found.of(["3.png", "./a\\1.png", "2.png", "never.png"])
    np.testing.assert_array_equal(values, [10.5, 70.0, np.nan, np.nan])
    with pytest.raises(InputError, match=r"got none of them.*'a/1.png'.*'photos/3.png'.*relative"):
        found.of(["photos/3.png"])


def test_methods_are_named_after_model_or_file(tmp_path):
    files = [
        table(tmp_path / "one.csv", ROWS, "x-1"),
        table(tmp_path / "two.csv", ROWS, "y-1"),
        table(tmp_path / "three.csv", ROWS, "y-1"),
    ]
    assert [each.method for each in read_score_files(files)] == ["x-1", "two", "three"]
    both = tmp_path / "both.csv"
    other = files[1].read_text().splitlines()[1].replace("a/1.png", "4.png")
    both.write_text(files[0].read_text() + other + "\n")
    assert [each.method for each in read_score_files([both])] == ["both"]


@pytest.mark.parametrize("names", [[], ["s.csv", "s.csv"]])
def test_names_differ(tmp_path, names):
    table(tmp_path / "s.csv", ROWS)
    with pytest.raises(OptionError, match="differ in model or file name"):
        read_score_files([tmp_path / name for name in names])


def test_two_rows_for_a_picture_are_refused(tmp_path):
    file = table(tmp_path / "s.csv", [*ROWS, ("./3.png", 1.0, {})])
    with pytest.raises(TableError, match=r"one row for a picture.*'3.png'.*--faces largest"):
        read_score_files([file])


def test_pictures_are_cut_to_their_box(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    (tmp_path / "a").mkdir()
    for name in ("a/1.png", "3.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    outside = {"x0": 50.0, "y0": 50.0, "x1": 60.0, "y1": 60.0}
    files = read_score_files(
        [
            table(tmp_path / "s.csv", ROWS, "x"),
            table(tmp_path / "t.csv", [("a/1.png", 1.0, outside)], "y"),
        ]
    )
    read = pictures_in(tmp_path, files)
    np.testing.assert_array_equal(read("a/1.png"), pixels[3:10, 2:8])
    np.testing.assert_array_equal(read("3.png"), pixels)
    np.testing.assert_array_equal(pictures_in(tmp_path, files[1:])("a/1.png"), pixels)
    with pytest.raises(UnreadableImage):
        read("2.png")


PLAIN = "score,path,more\n-0.25,a/1.png,x\n,2.png,y\n1e3,3.png,\n"


def test_scores_of_any_method_are_read_from_a_plain_table(tmp_path):
    (tmp_path / "theirs.csv").write_text(PLAIN)
    theirs, ours = read_score_files([tmp_path / "theirs.csv", table(tmp_path / "s.csv", ROWS)])
    assert (theirs.method, theirs.plain) == ("theirs", True)
    assert (ours.method, ours.plain) == ("m-1", False)
    assert theirs.scores == {"a/1.png": -0.25, "2.png": None, "3.png": 1000.0}


def test_operating_tables_ask_where_the_scores_are(tmp_path):
    (tmp_path / "t.csv").write_text("path,score\n" + "".join(f"{i},{-i}\n" for i in range(101)))
    theirs, ours = read_score_files([tmp_path / "t.csv", table(tmp_path / "s.csv", ROWS)])
    assert theirs.asked == tuple(float(value) for value in range(-100, 0, 10))
    assert ours.asked == tuple(float(value) for value in range(0, 100, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,score\na,1\n./a,2\n", "one value for 'a'"),
        ("path,score\na,nan\n", "a finite number"),
        ("path,score\na,high\n", "a finite number"),
        ("path,score\n,1\n", "a path"),
        ("path,value\na,1\n", "score"),
    ],
)
def test_plain_tables_are_checked(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        read_score_files([tmp_path / "t.csv"])
