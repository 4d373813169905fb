import stat
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facegauge.archives import archive as archives
from facegauge.archives.members import Container
from facegauge.archives.zip_members import zip_members

FILES = {"b.jpg": b"one" * 999, "a/2.jpg": b"", "ü\n.jpg": bytes(range(256)) * 9}


def packed(out: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.mkdir("a")
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def read(container: Container) -> dict[str, bytes]:
    return {each.name: each.read() for each in zip_members(container)}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_are_read_in_their_order(tmp_path, method):
    path = packed(tmp_path / "t.zip", FILES, method)
    far = Container(name=path.name, open=lambda: path.open("rb"))
    for found in (read(archives.local(path)), read(far)):
        assert found == FILES
        assert list(found) == list(FILES)


def test_threads_may_read_after_the_last_was_drawn(tmp_path):
    files = {f"{at}.jpg": bytes([at]) * 5000 for at in range(200)}
    members = list(zip_members(archives.local(packed(tmp_path / "t.zip", files))))
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda each: each.read(), members))
    assert contents == list(files.values())


def test_encrypted_members_links_and_devices_have_a_problem(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in [("link.jpg", stat.S_IFLNK), ("pipe.jpg", stat.S_IFIFO), ("a.jpg", 0)]:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, "/etc/passwd")
        archive.writestr("locked.jpg", b"x")
        archive.infolist()[-1].flag_bits |= 1
    problems = {each.name: each.problem for each in zip_members(archives.local(path))}
    assert problems == {
        "link.jpg": "a link; links in archives are not followed",
        "pipe.jpg": "not a regular file",
        "a.jpg": "",
        "locked.jpg": "encrypted; unpack the archive with its password first",
    }


def test_a_member_has_no_more_bytes_than_the_directory_says(tmp_path):
    path = packed(tmp_path / "t.zip", {"bomb.jpg": bytes(5_000_000)})
    content = path.read_bytes()
    path.write_bytes(content.replace((5_000_000).to_bytes(4, "little"), (9).to_bytes(4, "little")))
    (member,) = zip_members(archives.local(path))
    assert member.size == 9
    try:
        assert len(member.read()) <= 9
    except zipfile.BadZipFile as error:
        assert "CRC" in str(error)


def test_two_members_of_one_name_are_two(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("a.jpg", b"1")
        archive.writestr("a.jpg", b"2")
    assert [each.read() for each in zip_members(archives.local(path))] == [b"1", b"2"]


@pytest.mark.parametrize("keep", [0, 10, -1, -40])
def test_what_is_cut_off_is_no_zip(tmp_path, keep):
    path = packed(tmp_path / "t.zip", FILES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(zipfile.BadZipFile):
        list(zip_members(archives.local(path)))
