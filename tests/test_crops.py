import os
from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from facegauge.alignment import TEMPLATE, align, jitter
from facegauge.crops import write_crops
from facegauge.errors import FacegaugeError, OptionError
from facegauge.tables import LANDMARK_COLUMNS, read_landmarks
from facegauge.values import Landmarks
from packed import packed
from toy_detector import scene, squares


def points(factor: float = 1.5) -> Landmarks:
    return Landmarks.from_array((TEMPLATE - TEMPLATE.mean(0)) * factor + 100)


def write_table(path, *names, factor: float = 1.5):
    """One face for each name; a name given twice has two faces, the second smaller."""
    lines = [",".join(LANDMARK_COLUMNS)]
    for index, name in enumerate(names):
        five = points(factor / (1 + names[:index].count(name)))
        lines.append(",".join([name, *map(str, five.array().ravel().tolist())]))
    path.write_bytes(os.fsencode("\n".join(lines) + "\n"))
    return read_landmarks(path)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (200, 200, 3), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "anna/b.png", "c.bmp")):
        Image.fromarray(picture(seed)).save(folder / name)
    return folder


def crop_at(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def names(folder) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


@pytest.mark.parametrize("mode", ["smooth", "reference"])
@pytest.mark.parametrize("size", [112, 48])
def test_crops_lie_where_their_pictures_lay(photos, tmp_path, mode, size):
    table = write_table(tmp_path / "l.csv", "a.png", "anna/b.png", "c.bmp")
    out = tmp_path / "out"
    written = write_crops([photos], out, table, size=size, mode=mode)
    assert (written.crops, written.problems) == (3, ())
    assert names(out) == ["a.png", "anna/b.png", "c.png"]
    five = table.of("a.png")[0]
    assert (crop_at(out / "a.png") == align(picture(0), five, size, mode)).all()
    assert (crop_at(out / "anna/b.png") == align(picture(1), five, size, mode)).all()


def test_every_face_of_a_picture_is_written(photos, tmp_path):
    table = write_table(tmp_path / "l.csv", "a.png", "a.png", "a.png")
    out = tmp_path / "out"
    assert write_crops([photos / "a.png"], out, table).crops == 0  # the name is the path as given
    written = write_crops([photos], out, table)
    assert written.crops == 3
    assert names(out) == ["a-1.png", "a-2.png", "a.png"]
    for face, name in zip(table.of("a.png"), ["a.png", "a-1.png", "a-2.png"], strict=True):
        assert (crop_at(out / name) == align(picture(0), face)).all()


def test_noise_depends_on_seed_name_and_face_alone(photos, tmp_path):
    table = write_table(tmp_path / "l.csv", "a.png", "anna/b.png", "c.bmp", "c.bmp")

    def crops(out, **options):
        write_crops([photos], tmp_path / out, table, **options)
        return {name: crop_at(tmp_path / out / name) for name in names(tmp_path / out)}

    still, one = crops("0"), crops("1", jitter=3.0, seed=5)
    again, other = crops("2", jitter=3.0, seed=5), crops("3", jitter=3.0, seed=6)
    assert set(still) == set(one) == {"a.png", "anna/b.png", "c.png", "c-1.png"}
    for name, crop in one.items():
        assert (crop == again[name]).all()
        assert (crop != other[name]).any()
        assert (crop != still[name]).any()
    (photos / "a.png").unlink()
    assert (crops("4", jitter=3.0, seed=5)["anna/b.png"] == one["anna/b.png"]).all()


def test_noise_is_the_noise_of_training(photos, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "facegauge.alignment.jitter",
        lambda five, rng, **amount: asked.append(amount) or jitter(five, rng, **amount),
    )
    write_crops([photos], tmp_path / "o", write_table(tmp_path / "l.csv", "a.png"), jitter=2.5)
    assert asked == [{"pixels": 2.5}]


def test_every_picture_without_a_crop_is_told(photos, tmp_path):
    (photos / "d.jpg").write_bytes(b"no picture")
    table = write_table(tmp_path / "l.csv", "a.png", "d.jpg")
    counted = []
    written = write_crops([photos], tmp_path / "out", table, progress=counted.append)
    assert written.crops == 1
    assert sum(counted) == 4
    told = dict(problem.split(": ", 1) for problem in written.problems)
    assert set(told) == {"anna/b.png", "c.bmp", "d.jpg"}
    assert "no landmarks" in told["c.bmp"]
    assert "not an image" in told["d.jpg"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"size": 1}, nullcontext()),
        ({"size": 0}, pytest.raises(OptionError, match="size >= 1")),
        ({"jitter": -1.0}, pytest.raises(OptionError, match="jitter >= 0")),
        ({"jitter": float("nan")}, pytest.raises(OptionError)),
        ({"seed": -1}, pytest.raises(OptionError)),
        ({"mode": "cubic"}, pytest.raises(OptionError)),
        ({"faces": "single"}, pytest.raises(OptionError, match="largest, all")),
        ({"detector": squares()}, pytest.raises(OptionError, match="one of the two")),
        ({"landmarks": None}, pytest.raises(OptionError, match="one of the two")),
    ],
)
def test_options_are_checked(photos, tmp_path, options, expected):
    options = {"landmarks": write_table(tmp_path / "l.csv", "a.png"), **options}
    with expected:
        assert write_crops([photos], tmp_path / "out", **options).crops == 1
    assert (tmp_path / "out").exists() == isinstance(expected, nullcontext)


def test_nothing_is_written_outside(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos / "anna")
    table = write_table(tmp_path / "l.csv", "../a.png")
    with pytest.raises(OptionError, match="outside"):
        write_crops(["../a.png"], tmp_path / "deep" / "out", table)
    assert not (tmp_path / "deep" / "a.png").exists()


def test_pictures_are_never_overwritten(photos, tmp_path):
    table = write_table(tmp_path / "l.csv", "a.png", "anna/b.png")
    before = (photos / "a.png").read_bytes()
    with pytest.raises(FacegaugeError):
        write_crops([photos], photos, table)
    assert (photos / "a.png").read_bytes() == before


def test_two_pictures_do_not_share_a_crop(photos, tmp_path):
    Image.fromarray(picture(7)).save(photos / "a.bmp")
    table = write_table(tmp_path / "l.csv", "a.png", "a.bmp")
    written = write_crops([photos], tmp_path / "out", table)
    assert len(names(tmp_path / "out")) == 2 == written.crops


def test_names_that_are_not_utf8(photos, tmp_path):
    name = os.fsdecode(b"\xff.png")
    try:
        (photos / "a.png").rename(photos / name)
    except OSError:  # a file system that takes UTF-8 only
        (photos / "a.png").rename(photos / "ÿ.png")
        name = "ÿ.png"
    table = write_table(tmp_path / "l.csv", name)
    assert write_crops([photos], tmp_path / "out", table, jitter=1.0).crops == 1
    assert names(tmp_path / "out") == [name]


@pytest.mark.parametrize(
    ("faces", "written"),
    [("all", ["anna/b-1.png", "anna/b.png", "c.png"]), ("largest", ["anna/b.png", "c.png"])],
)
def test_faces_are_found_where_no_table_knows_them(photos, tmp_path, faces, written):
    two, one = scene((40, 40, 100), (300, 100, 200)), scene((80, 80, 240), seed=1)
    Image.fromarray(scene()).save(photos / "a.png")
    Image.fromarray(two).save(photos / "anna" / "b.png")
    Image.fromarray(one).save(photos / "c.bmp")
    out, detector = tmp_path / "out", squares(size=320)
    done = write_crops([photos], out, detector=detector, faces=faces, size=64)
    assert names(out) == written
    assert done.crops == len(written)
    assert done.problems == ("a.png: no face found by squares-1 (confidence >= 0.5)",)
    [face] = detector.find(one)
    assert (crop_at(out / "c.png") == align(one, face.landmarks, 64)).all()
    for face, name in zip(detector.find(two), ["anna/b.png", "anna/b-1.png"], strict=True):
        if name in written:
            assert (crop_at(out / name) == align(two, face.landmarks, 64)).all()


def test_the_largest_face_of_a_table_is_the_one_with_the_widest_eyes(photos, tmp_path):
    table = write_table(tmp_path / "l.csv", "a.png", "a.png")
    write_crops([photos], tmp_path / "out", table, faces="largest")
    assert names(tmp_path / "out") == ["a.png"]
    assert (crop_at(tmp_path / "out" / "a.png") == align(picture(0), points())).all()


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip", "parquet"])
def test_pictures_in_an_archive_are_cut_like_those_of_its_folder(photos, tmp_path, ending):
    table = write_table(tmp_path / "l.csv", "a.png", "anna/b.png", "c.bmp")
    write_crops([photos], tmp_path / "folder", table)
    write_crops([packed(photos, tmp_path / f"p.{ending}")], tmp_path / "out", table)
    assert names(tmp_path / "out") == ["a.png", "anna/b.png", "c.png"]
    for name in names(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()


def test_an_archive_that_is_none_is_a_problem(tmp_path):
    (tmp_path / "p.zip").write_bytes(b"none")
    table = write_table(tmp_path / "l.csv", "a.png")
    written = write_crops([tmp_path / "p.zip"], tmp_path / "out", table)
    assert written.crops == 0
    (problem,) = written.problems
    assert "cannot be read on: File is not a zip file" in problem
