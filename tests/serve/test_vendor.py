import base64
import hashlib
import io
import tarfile

import pytest

from facegauge.serve import vendor


def archive(*names: str) -> bytes:
    """An npm package of these files, each of which holds its own name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as members:
        for name in names:
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(name)
            members.addfile(entry, io.BytesIO(name.encode()))
    return stream.getvalue()


def integrity(content: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def test_only_the_named_files_are_taken(tmp_path):
    content = archive("README.md", "../outside", *(f"dist/{name}" for name in vendor.FILES))
    assert not vendor.present(tmp_path)
    vendor.unpack(content, tmp_path, integrity(content))
    assert vendor.present(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*vendor.FILES, "NOTICE.txt"}
    assert (tmp_path / vendor.FILES[0]).read_text() == f"dist/{vendor.FILES[0]}"


def test_another_digest_is_refused_before_anything_is_read(tmp_path):
    content = archive(*(f"dist/{name}" for name in vendor.FILES))
    with pytest.raises(OSError, match="expected an archive of sha512-"):
        vendor.unpack(content, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_archive_that_lacks_a_file_is_not_taken_for_complete(tmp_path):
    content = archive(f"dist/{vendor.FILES[0]}")
    with pytest.raises(OSError, match="has no file package/dist/"):
        vendor.unpack(content, tmp_path, integrity(content))
    assert not vendor.present(tmp_path)


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    content = archive(*(f"dist/{name}" for name in vendor.FILES))
    monkeypatch.setattr(vendor, "_by_npm", lambda: None)
    asked = []
    monkeypatch.setattr(vendor, "_by_https", lambda: asked.append(1) or content)
    monkeypatch.setattr(vendor.unpack, "__defaults__", (integrity(content),))
    assert [vendor.fetch(tmp_path), vendor.fetch(tmp_path)] == [True, False]
    assert len(asked) == 1


def test_without_a_network_it_is_said_what_is_missing(monkeypatch, capsys):
    def unreachable():
        raise OSError("no route to the registry")

    monkeypatch.setattr(vendor, "present", lambda folder: False)
    monkeypatch.setattr(vendor, "_by_npm", lambda: None)
    monkeypatch.setattr(vendor, "_by_https", unreachable)
    assert vendor.main() == 1
    assert "no private mode" in capsys.readouterr().err
