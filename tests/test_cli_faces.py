"""The commands that find faces in photographs, through the command line."""

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image

from facegauge.drawing import FAIR, GOOD, NO_SCORE, POOR
from facegauge.face_table import FACE_COLUMNS
from facegauge.score_table import read_scores
from facegauge.tables import read_landmarks
from published_files import PHOTOS, SCRFD, YUNETS, needs
from toy_detector import scene

ONE, TWO = [(24, 8)], [(8, 16), (40, 32)]
"""Left and top of the 8×8 cells that are faces to the stand-in for the embedded detector."""


def photo(cells, seed: int = 0) -> Image.Image:
    pixels = scene(width=64, height=64, seed=seed) // 4
    for left, top in cells:
        pixels[top : top + 8, left : left + 8] = 255
    return Image.fromarray(pixels)


@pytest.fixture
def photos(tmp_path, cells):
    """Pictures with two faces, one and none, and one that cannot be read."""
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    for name, faces in (("a.png", TWO), ("anna/b.png", ONE), ("none.png", [])):
        photo(faces).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("faces", "scored", "told"),
    [
        ("largest", ["a.png largest of 2 faces", "anna/b.png "], "2 scored"),
        ("all", ["a.png ", "a.png ", "anna/b.png "], "3 scored"),
        ("single", ["anna/b.png "], "1 several_faces"),
    ],
)
def test_photos_are_scored_by_the_faces_found(
    console, photos, tiny, cells, faces, scored, told, named
):
    words = ["--detector", cells] if named else []
    done = console("score", photos, "--model", tiny, "--faces", faces, *words)
    assert done.code == 0
    found = rows(done.out)
    with_score = [row for row in found if row["outcome"] == "scored"]
    assert [f"{row['path']} {row['detail']}" for row in with_score] == scored
    assert told in done.err
    box = [float(with_score[-1][name]) for name in ("x0", "y0", "x1", "y1")]
    assert box == [23.5, 7.5, 31.5, 15.5]
    assert {row["confidence"] for row in with_score} == {"1.0"}
    [none] = [row for row in found if row["path"] == "none.png"]
    assert none["outcome"] == "no_face"
    assert none["detail"] == "no face found by cells-1 (confidence >= 0.5)"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_pictures_are_drawn_while_they_are_scored(console, photos, tiny, tmp_path, suffix):
    out, drawn = tmp_path / f"s{suffix}", tmp_path / "drawn"
    command = ("score", photos, "--model", tiny, "--out", out, "--draw", drawn)
    assert console(*command).code == 0
    drawings = {path.relative_to(drawn).as_posix() for path in drawn.rglob("*.jpg")}
    assert drawings == {"a.png.jpg", "anna/b.png.jpg", "none.png.jpg"}
    scores = {row.path: row.score for row in read_scores(out)}
    for name in ("anna/b.png", "none.png"):
        with Image.open(drawn / f"{name}.jpg") as image:
            pixels = np.asarray(image).astype(int)
        corner = pixels[14:16, 24:32] if name == "anna/b.png" else pixels[:2, :10]
        assert (np.abs(corner - colour(scores[name])).max(axis=-1) < 40).mean() > 0.5


def colour(score: float | None) -> tuple[int, int, int]:
    if score is None:
        return NO_SCORE
    return POOR if score < 30 else FAIR if score < 60 else GOOD


def test_a_resumed_run_draws_only_what_is_new(console, photos, tiny, tmp_path):
    out, drawn = tmp_path / "s.csv", tmp_path / "drawn"
    command = ("score", photos, "--model", tiny, "--out", out, "--draw", drawn)
    assert console(*command).code == 0
    photo(ONE, seed=1).save(photos / "new.png")
    again = console(*command)
    assert (again.code, "not overwritten" in " ".join(again.err.split())) == (2, True)
    before = {path: path.stat().st_mtime_ns for path in drawn.rglob("*.jpg")}
    next(iter(before)).unlink()  # of an image that is done: it is not drawn again
    assert console(*command, "--resume").code == 0
    after = {path: path.stat().st_mtime_ns for path in drawn.rglob("*.jpg")}
    assert set(after) == {*list(before)[1:], drawn / "new.png.jpg"}
    assert all(after[path] == time for path, time in list(before.items())[1:])


WORST = re.compile(r"(?:^|; )worst: (?:[^;()]+ \d+ \([^()]+\)(?:; |$)){3}$")


@pytest.mark.parametrize("suffix", ["", ".csv", ".jsonl", ".parquet"])
def test_each_face_is_explained_in_the_same_columns(console, photos, tiny, tmp_path, suffix):
    out = tmp_path / f"s{suffix}"
    command = ["score", photos, "--model", tiny, *(["--out", out] if suffix else [])]
    done = console(*command, "--explain")
    assert done.code == 0, done.err
    table = {row.path: row for row in read_scores(out)} if suffix else None
    plain = rows(console("score", photos, "--model", tiny).out)
    told = [table[row["path"]].to_dict() for row in plain] if suffix else rows(done.out)
    assert [list(row) for row in told] == [list(row) for row in plain]
    for row, before in zip(told, plain, strict=True):
        assert (WORST.search(row["detail"]) is not None) == (row["outcome"] == "scored")
        assert row["detail"].startswith(before["detail"])
    if suffix:
        refused = console(*command, "--resume")
        assert (refused.code, "with --explain" in " ".join(refused.err.split())) == (2, True)
        assert console(*command, "--explain", "--resume").code == 0


@pytest.mark.parametrize("landmarks", [False, True])
def test_a_loose_crop_is_explained(console, photos, tiny, tmp_path, landmarks):
    table = tmp_path / "faces.csv"
    assert console("detect", photos, "--out", table).code == 0
    words = ["--landmarks", table] if landmarks else []
    done = console("score", photos, "--model", tiny, "--input", "crop", "--explain", *words)
    assert done.code == 0
    assert rows(done.out)[0]["detail"].count("worst: ") == 1


def test_faces_are_listed(console, photos, tmp_path):
    done = console("detect", photos)
    assert done.code == 0
    assert done.out.splitlines()[0] == ",".join(FACE_COLUMNS)
    assert [row["path"] for row in rows(done.out)] == ["a.png", "a.png", "anna/b.png"]
    assert rows(done.out)[2]["x0"] == "23.50"
    assert "broken.jpg: not an image" in done.err
    assert "4 images; 3 faces; 1 without a face; 1 unreadable" in done.err
    out = tmp_path / "faces.csv"
    written = console("detect", photos, "--out", out)
    assert (written.code, written.out) == (0, "")
    assert out.read_text() == done.out
    again = console("detect", photos, "--out", out)
    assert (again.code, out.read_text()) == (2, done.out)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["{photos}/none.png"], 1, "1 without a face"),
        (["{photos}/broken.jpg"], 1, "1 unreadable"),
        (["{photos}", "--faces", "largest"], 0, "2 faces"),
        (["{photos}", "--confidence", "0.0"], 2, "confidence"),
        (["{photos}", "--confidence", "1.5"], 2, "confidence"),
        (["{photos}/none.png", "--confidence", "0.01"], 0, "64 faces"),
        (["{photos}", "--detector", "nonesuch"], 2, "nonesuch"),
        (["{photos}", "--workers", "0"], 2, "--workers"),
        (["{photos}", "--faces", "single"], 2, "single"),
    ],
)
def test_detect_ends_with_a_code(console, photos, words, code, told):
    done = console("detect", *(word.format(photos=photos) for word in words))
    assert (done.code, told in " ".join(done.err.split())) == (code, True)


def test_a_face_table_serves_as_landmarks(console, photos, tiny, tmp_path):
    table = tmp_path / "faces.csv"
    assert console("detect", photos, "--out", table).code == 0
    found = rows(console("score", photos, "--model", tiny, "--faces", "all").out)
    given = rows(
        console("score", photos, "--model", tiny, "--faces", "all", "--landmarks", table).out
    )
    scores = [float(row["score"] or -1) for row in found]
    assert scores == pytest.approx([float(row["score"] or -1) for row in given], abs=0.5)
    assert max(scores) > 0


def test_crops_are_written_of_the_faces_found(console, photos, tmp_path):
    out = tmp_path / "out"
    done = console("align", photos, "--out", out)
    assert (done.code, done.out) == (0, f"3 crops in {out}\n")
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
    assert written == ["a-1.png", "a.png", "anna/b.png"]
    assert "none.png: no face found by cells-1" in done.err
    largest = console("align", photos, "--out", tmp_path / "two", "--faces", "largest")
    assert largest.out.startswith("2 crops")
    (tmp_path / "l.csv").write_text("path\n")
    words = ("--landmarks", tmp_path / "l.csv", "--detector", "detector")
    both = console("align", photos, "--out", tmp_path / "three", *words)
    assert (both.code, "Give one" in both.err) == (2, True)


@needs(PHOTOS, SCRFD, *YUNETS)
@pytest.mark.parametrize("detector", [SCRFD, *YUNETS], ids=lambda path: path.stem)
def test_published_detectors_find_faces_in_real_photographs(console, tiny, tmp_path, detector):
    photographs = sorted(PHOTOS.iterdir())[:12]
    table = tmp_path / "faces.csv"
    options = ("--detector", detector, "--faces", "largest")
    assert console("detect", *photographs, *options, "--out", table).code == 0
    assert len(read_landmarks(table)) >= 11
    scored = rows(console("score", *photographs, *options, "--model", tiny).out)
    assert sum(row["outcome"] == "scored" for row in scored) >= 11
