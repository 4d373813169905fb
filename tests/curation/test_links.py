import pytest

from facegauge.curation.links import LinkFolder
from facegauge.errors import InputError, OptionError


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images" / "ann").mkdir(parents=True)
    for name in ("a.jpg", "ann/b.jpg"):
        (tmp_path / "images" / name).write_text(name)
    return tmp_path / "images"


def test_links_lie_as_the_pictures_do(tmp_path, images, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = LinkFolder(out=tmp_path / "best", images=images.relative_to(tmp_path))
    paths = ["a.jpg", "ann/b.jpg", "a.jpg"]  # two faces of a.jpg
    folder.check(paths)
    assert folder.link(paths) == 2
    for name in ("a.jpg", "ann/b.jpg"):
        assert (tmp_path / "best" / name).is_symlink()
        assert (tmp_path / "best" / name).read_text() == name
    assert (tmp_path / "best" / "a.jpg").readlink() == images / "a.jpg"


@pytest.mark.parametrize("path", ["../out.jpg", "ann/../../out.jpg"])
def test_nothing_outside_of_the_folder(tmp_path, images, path):
    folder = LinkFolder(out=tmp_path / "best", images=images)
    for ask in (folder.check, folder.link):
        with pytest.raises(OptionError, match="outside"):
            ask([path])
    assert not list((tmp_path / "best").rglob("*.jpg"))


def test_an_absolute_path_stays_below_both_folders(tmp_path, images):
    folder = LinkFolder(out=tmp_path / "best", images=images)
    folder.check(["/a.jpg"])
    assert folder.link(["/a.jpg"]) == 1
    assert (tmp_path / "best" / "a.jpg").is_symlink()


def test_a_picture_that_is_not_there(tmp_path, images):
    folder = LinkFolder(out=tmp_path / "best", images=images)
    for path in ("c.jpg", "ann"):  # a folder is no picture
        with pytest.raises(InputError, match="--images"):
            folder.check([path])


def test_the_folder_is_new_or_empty(tmp_path, images):
    with pytest.raises(OptionError, match="new or empty"):
        LinkFolder(out=images, images=images)
    (tmp_path / "to").symlink_to(tmp_path / "elsewhere")
    for out in (tmp_path / "to", images / "a.jpg"):
        with pytest.raises(OptionError, match="new or empty"):
            LinkFolder(out=out, images=images)
    with pytest.raises(OptionError, match="--images"):
        LinkFolder(out=tmp_path / "best", images=tmp_path / "none")


def test_nothing_is_overwritten(tmp_path, images):
    folder = LinkFolder(out=tmp_path / "best", images=images)
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "a.jpg").write_text("mine")
    with pytest.raises(OptionError, match="File exists"):
        folder.link(["a.jpg"])
    assert (tmp_path / "best" / "a.jpg").read_text() == "mine"
