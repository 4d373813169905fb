import fsspec
import pytest

from facegauge import remote
from facegauge.archives.archive import Archive
from facegauge.errors import OptionError
from facegauge.walk import Archived, find_images, inside
from packed import packed

NAMES = ("a/1.jpg", "a.jpg", "a/b/2.PNG", "Z.jpg", "a/note.txt", "ü x.jpg", "b.tar")


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name in NAMES:
        system.pipe(f"/faces/{name}", name.encode())
    yield system
    system.store.clear()


def units(urls):
    return remote.RemoteWalk(urls).units


def read(unit) -> bytes:
    return unit.content()


def test_a_folder_is_walked_in_the_order_of_a_local_one(memory, tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    local = [found.name for found in find_images([tmp_path])]
    for url in ("memory://faces", "memory://faces/", f"file://{tmp_path}"):
        found = list(units([url]))
        assert [unit.name for unit in found] == local
        assert [read(unit) for unit in found] == [name.encode() for name in local]


def test_several_begin_with_their_urls(memory):
    found = list(units(["memory://faces/a", "memory://faces/a.jpg", "memory://faces/b.tar"]))
    assert [unit.name for unit in found] == [
        *("memory://faces/a/1.jpg", "memory://faces/a/b/2.PNG"),
        *("memory://faces/a.jpg", "memory://faces/b.tar"),
    ]
    assert isinstance(found[-1], Archived)
    assert found[-1].prefix == "memory://faces/b.tar/"


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip", "parquet"])
def test_archives_are_read_where_they_are(memory, tmp_path, ending):
    (tmp_path / "in").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / "in" / name).write_bytes(name.encode())
    memory.pipe(f"/s.{ending}", packed(tmp_path / "in", tmp_path / f"s.{ending}").read_bytes())
    (archived,) = units([f"memory://s.{ending}"])
    archive = Archive(remote.container(archived.location))
    assert {each.name: each.content for each in inside(archived, archive)} == (
        {"1.jpg": b"1.jpg", "2.jpg": b"2.jpg"}
    )


def test_stars_are_expanded_in_order(memory):
    assert remote.expanded(["memory://faces/*.jpg"]) == [
        *("memory:///faces/Z.jpg", "memory:///faces/a.jpg", "memory:///faces/ü x.jpg")
    ]
    assert remote.expanded(["memory://x", "memory://x"]) == ["memory://x"]
    with pytest.raises(OptionError, match="match memory://faces/\\*.webp, got none"):
        remote.expanded(["memory://faces/*.webp"])


@pytest.mark.parametrize("url", ["nothing://x", "s3://faces/*.tar"])
def test_protocols_that_are_missing_say_what_to_install(url):
    if url.startswith("s3") and not fsspec_lacks("s3fs"):
        pytest.skip("s3fs is installed")
    with pytest.raises(OptionError, match=r"nothing|s3fs"):
        remote.expanded([url + "*"])


def fsspec_lacks(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return True
    return False


def test_what_is_passed_over_is_counted(memory):
    walk = remote.RemoteWalk(["memory://faces"])
    assert sum(1 for _ in walk.units) == 5
    assert (walk.passed_over, walk.archives) == (1, 1)


def test_what_is_missing_is_a_picture_that_cannot_be_read(memory):
    (unit,) = units(["memory://none.jpg"])
    with pytest.raises(FileNotFoundError):
        read(unit)
