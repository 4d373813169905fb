import os
import shutil
import sys
import tracemalloc
from pathlib import Path

import pytest

from facegauge import walk
from facegauge.errors import SourceGone
from facegauge.walk import find_images


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def names(*paths: Path | str) -> list[str]:
    return [found.name for found in find_images(paths)]


def test_one_folder_gives_relative_names_in_order(tmp_path):
    tree(tmp_path, "b.jpg", "a/2.PNG", "a/1.jpeg", "c/d/e/x.webp", "a.jpg", "Z.jpg", "a/note.txt")
    found = find_images([tmp_path])
    assert [image.name for image in found] == (
        ["Z.jpg", "a/1.jpeg", "a/2.PNG", "a.jpg", "b.jpg", "c/d/e/x.webp"]
    )
    assert found.passed_over == 1


def test_paths_lead_to_the_files(tmp_path, monkeypatch):
    tree(tmp_path, "in/a/1.jpg", "in/2.jpg", "3.jpg")
    monkeypatch.chdir(tmp_path)
    for paths in (["in"], [tmp_path], ["in", "3.jpg"], ["."]):
        assert all(found.path.is_file() for found in find_images(paths))


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["in"], ["1.jpg", "sub/2.jpg"]),
        (["in/"], ["1.jpg", "sub/2.jpg"]),
        (["./in", "in"], ["1.jpg", "sub/2.jpg"]),
        (["."], ["in/1.jpg", "in/sub/2.jpg", "other/3.jpg"]),
        (["in", "other"], ["in/1.jpg", "in/sub/2.jpg", "other/3.jpg"]),
        (["other", "in"], ["other/3.jpg", "in/1.jpg", "in/sub/2.jpg"]),
        (["in/note.txt"], ["in/note.txt"]),
        (["missing", "in/1.jpg"], ["missing", "in/1.jpg"]),
        (["in/1.jpg", "in/1.jpg", "./in/1.jpg"], ["in/1.jpg"]),
        (["in/sub/2.jpg", "in"], ["in/sub/2.jpg", "in/1.jpg"]),
        (["in", "in/sub/2.jpg"], ["in/1.jpg", "in/sub/2.jpg"]),
        (["in", "in/sub"], ["in/1.jpg", "in/sub/2.jpg"]),
        (["in/sub", "in"], ["in/sub/2.jpg", "in/1.jpg"]),
        (["in/sub", "."], ["in/sub/2.jpg", "in/1.jpg", "other/3.jpg"]),
        (["in", "in/note.txt"], ["in/1.jpg", "in/note.txt", "in/sub/2.jpg"]),
        (["in/note.txt", "in"], ["in/note.txt", "in/1.jpg", "in/sub/2.jpg"]),
        ([], []),
    ],
)
def test_names_and_images_given_twice(tmp_path, monkeypatch, paths, expected):
    tree(tmp_path, "in/1.jpg", "in/sub/2.jpg", "in/note.txt", "other/3.jpg")
    monkeypatch.chdir(tmp_path)
    assert names(*paths) == expected


def test_what_looks_like_an_image_is_found_whatever_it_is(tmp_path):
    tree(tmp_path, "folder.jpg/inside.png", "folder.jpg/x.txt")
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe")
    found = find_images([tmp_path])
    assert [image.name for image in found] == (
        ["dangling.jpg", "folder.jpg", "folder.jpg/inside.png", "itself.jpg", "pipe.jpg"]
    )
    assert found.passed_over == 2


def test_a_folder_given_is_no_image_whatever_its_name(tmp_path):
    tree(tmp_path, "folder.jpg/inside.png")
    assert names(tmp_path / "folder.jpg") == ["inside.png"]


def test_links_are_followed_and_loops_end(tmp_path):
    tree(tmp_path, "in/a/1.jpg", "elsewhere/b/2.jpg")
    (tmp_path / "in/a/up").symlink_to("..")
    (tmp_path / "in/here").symlink_to(".")
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/b/back").symlink_to(tmp_path / "in")
    (tmp_path / "in/photo.jpg").symlink_to("a/1.jpg")
    assert names(tmp_path / "in") == ["a/1.jpg", "linked/b/2.jpg", "photo.jpg"]


def test_two_folders_that_link_to_each_other_end(tmp_path):
    tree(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a/b").symlink_to("../b")
    (tmp_path / "b/a").symlink_to("../a")
    assert names(tmp_path) == ["a/1.jpg", "a/b/2.jpg", "b/2.jpg", "b/a/1.jpg"]


@pytest.mark.parametrize("closed", ["closed", "closed.jpg", "."])
def test_a_folder_that_cannot_be_listed_is_found_once_with_its_problem(
    tmp_path, monkeypatch, closed
):
    tree(tmp_path, "a.jpg", "closed/1.jpg", "closed.jpg/1.jpg", "z.jpg")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path) == tmp_path / closed:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(walk.os, "scandir", scandir)
    problems = [found for found in find_images([tmp_path]) if found.problem]
    assert [found.problem for found in problems] == ["folder cannot be listed: Permission denied"]
    assert problems[0].name == (tmp_path.as_posix() if closed == "." else closed)
    if closed != ".":
        assert {"a.jpg", "z.jpg"} <= set(names(tmp_path))


def test_names_that_are_not_utf8_are_names_too(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9\n.jpg"
    os.close(os.open(raw, os.O_CREAT))
    (found,) = find_images([tmp_path])
    assert os.fsencode(found.name) == b"caf\xe9\n.jpg"
    assert found.path.is_file()


def test_folders_deeper_than_the_recursion_limit_are_walked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = ["d/" * depth for depth in range(1, sys.getrecursionlimit() + 100)]
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102
    try:
        Path(folders[-1], "a.jpg").touch()
        assert names(".") == [folders[-1] + "a.jpg"]
    finally:  # pytest removes folders by recursion
        Path(folders[-1], "a.jpg").unlink()
        for folder in reversed(folders):
            os.rmdir(folder)  # noqa: PTH106


def test_memory_holds_one_folder(tmp_path):
    for folder in range(40):
        tree(tmp_path, *(f"{folder:02}/{image}.jpg" for image in range(50)))
    held = []
    for folder in (tmp_path / "00", tmp_path):
        tracemalloc.start()
        assert sum(1 for _ in find_images([folder])) in (50, 2000)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert held[1] < held[0] + 20_000


def test_one_picture_may_go_but_not_their_folder(tmp_path):
    folder, other = tmp_path / "in", tmp_path / "other"
    for each in (folder, other):
        each.mkdir()
        for number in range(3):
            (each / f"{number}.jpg").touch()
    found = find_images([folder, other, tmp_path / "given.jpg"])
    found.require_there()  # nothing is walked yet
    next(found)
    (folder / "1.jpg").unlink()
    found.require_there()
    other.rename(tmp_path / "away")
    found.require_there()  # not walked yet either
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceGone, match=r"folder .*in is needed until the end.*--resume"):
        found.require_there()
    folder.mkdir()  # an empty place, as where a disk was mounted
    with pytest.raises(SourceGone):
        found.require_there()
    folder.rmdir()
    (tmp_path / "elsewhere").rename(folder)
    found.require_there()


def test_a_folder_inside_may_go(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "0.jpg").touch()
    found = find_images([tmp_path / "in"])
    assert [each.name for each in found] == ["sub/0.jpg"]
    shutil.rmtree(tmp_path / "in" / "sub")
    found.require_there()
