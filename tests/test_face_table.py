import csv
import os
import threading
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facegauge.detection import Detector
from facegauge.errors import OptionError
from facegauge.face_table import FACE_COLUMNS, FacesFound, create, find_faces
from facegauge.tables import read_landmarks
from packed import packed
from toy_detector import scene, squares, stubborn

TWO, ONE = ((40, 40, 100), (300, 100, 200)), ((80, 80, 240),)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    for name, faces in (("a.png", TWO), ("anna/b.png", ONE), ("none.png", ())):
        Image.fromarray(scene(*faces)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


def table(*paths, **options) -> tuple[str, FacesFound, list[str]]:
    """The table as text, the counts, and what was complained about."""
    lines, problems = [], []
    options = {"detector": squares(size=320), "workers": 2, **options}
    found = find_faces(paths, lines.append, complain=problems.append, **options)
    return b"".join(lines).decode("utf-8", "surrogateescape"), found, problems


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_every_face_is_a_row_in_the_order_of_the_pictures(photos):
    text, found, problems = table(photos)
    assert text.splitlines()[0] == ",".join(FACE_COLUMNS)
    faces = rows(text)
    assert [row["path"] for row in faces] == ["a.png", "a.png", "anna/b.png"]
    for row, (left, top, side) in zip(faces, (*TWO[::-1], *ONE), strict=True):
        corners = [float(row[name]) for name in ("x0", "y0", "x1", "y1")]
        assert corners == pytest.approx(
            [left - 0.5, top - 0.5, left + side - 0.5, top + side - 0.5], abs=2
        )
        assert row["confidence"] == "0.900"
        assert corners[0] < float(row["x_left_eye"]) < float(row["x_right_eye"]) < corners[2]
    assert found == FacesFound(images=4, faces=3, without=1, unreadable=1)
    assert problems == ["broken.jpg: not an image in a supported format"]


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip"])
def test_an_archive_gives_the_table_of_its_folder(photos, tmp_path, ending):
    assert table(packed(photos, tmp_path / f"photos.{ending}")) == table(photos)


def test_the_largest_face_of_each_picture(photos):
    """The toy's first look sees both, as any detector's may: the widest eyes come first."""
    text, found, _ = table(photos, faces="largest")
    assert [row["path"] for row in rows(text)] == ["a.png", "anna/b.png"]
    assert found.faces == 2
    assert float(rows(text)[0]["x0"]) == pytest.approx(299.5, abs=2)


def test_the_table_is_a_landmark_table(photos, tmp_path):
    text, _, _ = table(photos)
    (tmp_path / "faces.csv").write_text(text)
    known = read_landmarks(tmp_path / "faces.csv")
    assert len(known) == 2
    for name, faces in (("a.png", TWO), ("anna/b.png", ONE)):
        found = squares(size=320).find(scene(*faces))
        for points, face in zip(known.of(name), found, strict=True):
            assert points.array() == pytest.approx(face.landmarks.array(), abs=0.0051)


@pytest.mark.parametrize(
    "name", [b"a,b.png", b'"a".png', b"two\nlines.png", b"re\rturn.png", b" a .png", b"caf\xe9.png"]
)
def test_odd_names_survive(tmp_path, name):
    folder = tmp_path / "odd"
    folder.mkdir()
    try:
        Image.fromarray(scene(*ONE)).save(folder / os.fsdecode(name))
    except OSError:
        pytest.skip("a file system that does not take such names")
    text, found, _ = table(folder)
    (tmp_path / "faces.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert found.faces == 1
    assert len(read_landmarks(tmp_path / "faces.csv").of(os.fsdecode(name))) == 1


def test_workers_do_not_change_the_table(photos):
    detector = squares(size=320)

    def slow(picture):
        time.sleep(0.02 * (int(picture.sum()) % 5))
        return look(picture)

    look = detector.network.look
    detector = Detector(replace(detector.network, look=slow))
    tables = {table(photos, detector=detector, workers=workers)[0] for workers in (1, 2, 5)}
    assert len(tables) == 1


def test_threads_read_at_the_same_time_and_end(photos):
    meeting = threading.Barrier(3, timeout=20)
    network = squares(size=640).network

    def together(picture):
        meeting.wait()
        return network.look(picture)

    detector = Detector(replace(network, look=together))
    for number in range(3):
        Image.fromarray(scene(*ONE)).save(photos / f"c{number}.png")
    paths = [photos / f"c{number}.png" for number in range(3)]
    _, found, _ = table(*paths, detector=detector, workers=3)
    assert found.faces == 3
    assert not [each for each in threading.enumerate() if each.name.startswith("facegauge")]


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    peaks, detector = [], stubborn((2, 2, 20), size=32)
    small = np.zeros((32, 32, 3), np.uint8)
    for count in (60, 600):
        folder = tmp_path / str(count)
        folder.mkdir()
        Image.fromarray(small).save(folder / "0000.png")
        for number in range(1, count):
            (folder / f"{number:04}.png").symlink_to(folder / "0000.png")
        tracemalloc.start()
        found = find_faces([folder], lambda line: None, detector=detector, workers=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.faces == count
    assert peaks[1] < peaks[0] + 200_000  # 540 pictures would be 1.7 MB


@pytest.mark.parametrize(
    ("options", "match"),
    [({"workers": 0}, "--workers"), ({"faces": "single"}, "faces must be one of largest, all")],
)
def test_wrong_options_are_refused(photos, options, match):
    with pytest.raises(OptionError, match=match):
        table(photos, **options)


def test_a_table_is_a_new_file(tmp_path):
    out = tmp_path / "deep" / "faces.csv"
    with create(out) as file:
        file.write(b"path\n")
    assert out.read_bytes() == b"path\n"
    with pytest.raises(OptionError, match="not overwritten"):
        create(out)
    with pytest.raises(OptionError, match="needs a place to write"):
        create(out / "below" / "a.csv")
