from pathlib import Path

import pytest

from facegauge.errors import InputError
from facegauge.evaluate.pairs import Pairs
from facegauge.evaluate.set_pictures import picture_folder
from facegauge.evaluate.sets import BenchmarkSet, Layout
from facegauge.walk import find_images
from toy_sets import picture, put

PAIRS = Pairs(first=[0], second=[1], mated=[True])


def some(names, images, pairs=PAIRS) -> BenchmarkSet:
    return BenchmarkSet(
        name="toy",
        layout=Layout.FOLDER,
        names=tuple(names),
        images=tuple(images),
        identities=("x",) * len(names),
        pairs=pairs,
    )


@pytest.fixture
def root(tmp_path):
    for name in ("a/1.png", "a/2.png", "other.png"):
        put(tmp_path / "set" / name, name)
    return tmp_path / "set"


def walked(folder: Path) -> list[str]:
    return [each.name for each in find_images([folder])]


NAMES = ("a/1.png", "a/2.png")


@pytest.mark.parametrize("relative", [False, True])
def test_a_folder_stays_where_it_is(root, tmp_path, monkeypatch, relative):
    monkeypatch.chdir(root)
    place = Path() if relative else root
    found = picture_folder(some(NAMES, [place / name for name in NAMES]), tmp_path / "new")
    assert (found.folder, found.names, found.gathered) == (place, NAMES, False)
    assert set(NAMES) <= set(walked(found.folder))
    assert not (tmp_path / "new").exists()


def test_among_others_pictures_compared_by_identity_are_gathered(root, tmp_path):
    found = picture_folder(some(NAMES, [root / name for name in NAMES], None), tmp_path / "new")
    assert (found.folder, found.names, found.gathered) == (tmp_path / "new", NAMES, True)
    assert tuple(walked(found.folder)) == NAMES
    assert (found.folder / "a/2.png").read_text() == "a/2.png"
    (root / "other.png").unlink()
    again = picture_folder(some(NAMES, [root / name for name in NAMES], None), tmp_path / "two")
    assert (again.folder, again.gathered) == (root, False)


@pytest.mark.parametrize(
    ("name", "file", "called"),
    [
        ("b/2.png", "a/2.png", "b/2.png"),  # not where its name says
        ("a/../a/2.png", "a/../a/2.png", "a/a/2.png"),
        ("../set/a/2.png", "../set/a/2.png", "set/a/2.png"),
        ("/a/2.png", "a/2.png", "a/2.png"),
        ("a//2.png", "a/2.png", "a/2.png"),
        ("a/./2.png", "a/2.png", "a/2.png"),
        ("a/2", "a/2", "a/2.png"),  # a walk passes over what has no suffix
    ],
)
def test_what_a_walk_would_call_otherwise_is_gathered(root, tmp_path, name, file, called):
    put(root / "a/2", picture(1))
    found = picture_folder(some(("a/1.png", name), [root / "a/1.png", root / file]), tmp_path / "n")
    assert found.gathered
    assert found.names == ("a/1.png", called)
    assert walked(found.folder) == ["a/1.png", called]
    assert (found.folder / called).read_bytes() == (root / file).read_bytes()


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (picture(0, 16, "JPEG"), ".jpg"),
        (picture(0, 16, "PNG"), ".png"),
        (picture(0, 16, "WEBP"), ".webp"),
        (picture(0, 16, "BMP"), ".bmp"),
        (picture(0, 16, "GIF"), ".gif"),
        (b"no picture", ".jpg"),
    ],
)
def test_bytes_become_files_of_their_kind(tmp_path, data, suffix):
    found = picture_folder(some(("toy/7", "8.png"), [data, b"x"]), tmp_path / "new")
    assert found.names == (f"toy/7{suffix}", "8.png")
    assert (tmp_path / "new/toy" / f"7{suffix}").read_bytes() == data
    assert (tmp_path / "new/8.png").read_bytes() == b"x"


def test_two_pictures_that_would_be_one_file_are_refused(root, tmp_path):
    files = [root / name for name in NAMES]
    with pytest.raises(InputError, match=r"'a/2.png' for 2"):
        picture_folder(some(("a//2.png", "a/2.png"), files), tmp_path / "new")
    assert not (tmp_path / "new").exists()
