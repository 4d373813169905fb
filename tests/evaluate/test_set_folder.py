import pytest

from facegauge.errors import InputError, TableError
from facegauge.evaluate.set_folder import read
from facegauge.tables import LANDMARK_COLUMNS

IDENTITIES = "path,identity\nanna/1.jpg,Anna\nanna/2.jpg,Anna\nbert.png,Bert\n"
PAIRS = "path_a,path_b,mated\nbert.png,anna/1.jpg,0\n./anna/1.jpg,anna/2.jpg,1\n"


def folder(root, identities=IDENTITIES, pairs=None):
    (root / "anna").mkdir()
    for name in ("anna/1.jpg", "anna/2.jpg", "bert.png", "stranger.jpg"):
        (root / name).write_bytes(b"x")
    (root / "identities.csv").write_text(identities)
    if pairs is not None:
        (root / "pairs.csv").write_text(pairs)
    return root


def test_pictures_and_who_they_show(tmp_path):
    found = read(folder(tmp_path))
    assert found.name == tmp_path.name
    assert found.names == ("anna/1.jpg", "anna/2.jpg", "bert.png")
    assert found.images == tuple(tmp_path / name for name in found.names)
    assert found.identities == ("Anna", "Anna", "Bert")
    assert (found.pairs, found.landmarks, found.aligned) == (None, None, False)
    assert read(tmp_path / "identities.csv").names == found.names


def test_pairs_and_landmarks_beside_the_table(tmp_path):
    folder(tmp_path, pairs=PAIRS)
    numbers = ",".join(map(str, range(10)))
    (tmp_path / "landmarks.csv").write_text(f"{','.join(LANDMARK_COLUMNS)}\nbert.png,{numbers}\n")
    found = read(tmp_path)
    assert found.pairs.first.tolist() == [2, 0]
    assert found.pairs.second.tolist() == [0, 1]
    assert found.pairs.mated.tolist() == [False, True]
    assert "bert.png" in found.landmarks


def test_the_pictures_may_be_elsewhere(tmp_path):
    (tmp_path / "set").mkdir()
    folder(tmp_path / "set")
    (tmp_path / "identities.csv").write_text(IDENTITIES)
    with pytest.raises(InputError, match="3 of 3 pictures are missing"):
        read(tmp_path)
    assert read(tmp_path, tmp_path / "set").images[2] == tmp_path / "set" / "bert.png"


@pytest.mark.parametrize(
    ("identities", "pairs", "error", "match"),
    [
        ("path,identity\n", None, InputError, "names no picture"),
        ("path,name\na,b\n", None, TableError, "identity"),
        (IDENTITIES + "c.jpg,Carl\n", None, InputError, r"1 of 4 .* the first c\.jpg"),
        (IDENTITIES, PAIRS + "stranger.jpg,bert.png,0\n", InputError, "names 'stranger.jpg'"),
        (IDENTITIES, "a,b\n", TableError, "path_a"),
    ],
)
def test_a_wrong_folder_is_refused(tmp_path, identities, pairs, error, match):
    with pytest.raises(error, match=match):
        read(folder(tmp_path, identities, pairs))


def test_a_folder_without_the_table_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"layout folder \(pictures and an identities\.csv"):
        read(tmp_path)
