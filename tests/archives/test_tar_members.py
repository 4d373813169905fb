import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from facegauge.archives import archive as archives
from facegauge.archives.members import Container, DamagedArchive
from facegauge.archives.tar_members import LARGEST_HEADER, tar_members
from facegauge.errors import UnreadableImage

FILES = {"a/1.jpg": b"one", "a/note.txt": b"two", "ü\n.jpg": bytes(range(256)) * 9}


def tar(out: Path, files: dict[str, bytes], **options) -> Path:
    with tarfile.open(out, "w", **options) as archive:
        folder = tarfile.TarInfo("a")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out


def far(path: Path) -> Container:
    """The same as a stream."""
    return Container(name=path.name, open=lambda: path.open("rb"))


def read(container: Container, **options) -> dict[str, bytes]:
    return {each.name: each.read() for each in tar_members(container, **options)}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_read_in_their_order_from_a_file_a_stream_and_gzip(tmp_path, form):
    files = {**FILES, "long/" * 60 + "x.jpg": b"deep"}
    path = tar(tmp_path / "t.tar", files, format=form)
    squeezed = tmp_path / "t.tgz"
    squeezed.write_bytes(gzip.compress(path.read_bytes()))
    for found in (read(archives.local(path)), read(far(path))):
        assert found == files
        assert list(found) == list(files)
    assert read(archives.local(squeezed), compressed=True) == files


def test_gzip_of_two_members_is_one_tar(tmp_path):
    content, squeezed = tar(tmp_path / "t.tar", FILES).read_bytes(), tmp_path / "t.tgz"
    squeezed.write_bytes(gzip.compress(content[:700]) + gzip.compress(content[700:]))
    assert read(archives.local(squeezed), compressed=True) == FILES


def test_a_file_is_only_leafed_through_and_read_later(tmp_path):
    members = list(tar_members(archives.local(tar(tmp_path / "t.tar", FILES))))
    assert [each.passing for each in members] == [False] * 3
    assert [each.size for each in members] == [3, 3, 2304]
    assert members[2].read() == FILES["ü\n.jpg"]
    assert members[0].read() == b"one"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tar_cut_anywhere_says_so_after_what_is_whole(tmp_path, stream):
    whole = tar(tmp_path / "t.tar", FILES)
    content = whole.read_bytes()
    end = -(-len(content.rstrip(b"\0")) // 512) * 512  # behind it are only zeros
    for length in (*range(0, end, 256), end):
        path = tmp_path / "cut.tar"
        path.write_bytes(content[:length])
        found = []
        said = "ends|cut|unexpected end|subsequent"
        members = tar_members(far(path) if stream else archives.local(path))
        with pytest.raises((DamagedArchive, tarfile.TarError), match=said):
            found.extend((member.name, try_read(member)) for member in members)
        whole_ones = [(name, FILES[name]) for name, _ in found[:-1]]
        assert found[:-1] == whole_ones
        if found:
            assert found[-1][1] in (FILES[found[-1][0]], None)


def try_read(member):
    try:
        return member.read()
    except (UnreadableImage, tarfile.TarError):
        return None


@pytest.mark.parametrize("stream", [False, True])
def test_a_damaged_header_in_the_middle_is_no_end(tmp_path, stream):
    path = tar(tmp_path / "t.tar", FILES)
    content = bytearray(path.read_bytes())
    content[512 + 1024 + 150] ^= 0xFF  # the checksum of the second file
    path.write_bytes(content)
    found = []
    members = tar_members(far(path) if stream else archives.local(path))
    with pytest.raises(DamagedArchive, match="damaged header.*members are missing"):
        found.extend(member.name for member in members)
    assert found == ["a/1.jpg"]


def test_what_is_no_tar_is_damaged(tmp_path):
    path = tmp_path / "t.tar"
    for content in (b"", b"no tar" * 200, bytes(600)[:511]):
        path.write_bytes(content)
        with pytest.raises(DamagedArchive):
            list(tar_members(archives.local(path)))
    path.write_bytes(bytes(10240))  # an empty one, as tar writes it
    assert list(tar_members(archives.local(path))) == []


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_asks_for_much_memory_is_refused(tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 200 * LARGEST_HEADER
    path = tmp_path / "t.tar"
    path.write_bytes(info.tobuf() + bytes(20 * LARGEST_HEADER))
    tracemalloc.start()
    with pytest.raises(DamagedArchive, match="asks for"):
        list(tar_members(archives.local(path)))
    assert tracemalloc.get_traced_memory()[1] < LARGEST_HEADER
    tracemalloc.stop()


def test_a_negative_size_does_not_go_round_in_circles(tmp_path):
    info = tarfile.TarInfo("x.jpg")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 10 + (-1024).to_bytes(2, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path / "t.tar"
    path.write_bytes(bytes(block) * 4 + bytes(1024))
    with pytest.raises((DamagedArchive, tarfile.TarError), match="asks for|invalid"):
        list(tar_members(archives.local(path)))


def test_links_devices_and_pipes_have_a_problem(tmp_path):
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in [
            ("soft.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("pipe.jpg", tarfile.FIFOTYPE),
            ("device.jpg", tarfile.CHRTYPE),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    problems = {each.name: each.problem for each in tar_members(archives.local(path))}
    link = "a link to /etc/passwd; links in archives are not followed"
    assert problems == {
        **{"soft.jpg": link, "hard.jpg": link},
        **{"pipe.jpg": "not a regular file", "device.jpg": "not a regular file"},
    }


def test_memory_does_not_grow_with_the_number_of_members(tmp_path):
    peaks = []
    for count in (100, 3000):
        path = tar(tmp_path / f"{count}.tar", {f"{at:05}.jpg": bytes(100) for at in range(count)})
        tracemalloc.start()
        assert sum(1 for _ in tar_members(archives.local(path))) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000
