import csv

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.evaluate import benchmark
from facegauge.evaluate.groups import read_groups
from facegauge.evaluate.pairs import Pairs, read_pairs
from facegauge.evaluate.set_writer import refuse_used, write_set
from facegauge.evaluate.sets import BenchmarkSet, Layout
from facegauge.evaluate.template_pooling import read_templates
from facegauge.tables import LandmarkTable, read_identities, read_landmarks
from toy_sets import EACH, PEOPLE, adience, folder, ijb, insightface, lfw, picture, put, xqlfw


def told(found, names) -> list[tuple]:
    """Pairs by the names of what is compared."""
    columns = (found.first, found.second, found.mated.tolist())
    return [(names[a], names[b], mated) for a, b, mated in zip(*columns, strict=True)]


def read_again(out) -> list[tuple]:
    table = read_pairs(out / "pairs.csv")
    return told(table.pairs, table.paths)


@pytest.mark.parametrize("make", [lfw, xqlfw])
def test_lfw_has_pairs_and_people_where_it_lies(tmp_path, make):
    found = benchmark.open(make(tmp_path / "set"))
    written = write_set(found, tmp_path / "out")
    assert written.tables == ("pairs.csv", "identities.csv")
    assert (written.pictures.folder, written.pictures.gathered) == (tmp_path / "set", False)
    assert read_again(tmp_path / "out") == told(found.pairs, found.names)
    people = dict(zip(found.names, found.identities, strict=True))
    assert read_identities(tmp_path / "out/identities.csv") == people
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(written.tables)
    assert "24 pictures, 36 pairs (18 mated, 18 non-mated), 6 people" in str(written)


def test_insightface_is_unpacked_byte_for_byte(tmp_path):
    found = benchmark.open(insightface(tmp_path / "set"))
    out = tmp_path / "deep/out"
    written = write_set(found, out)
    assert written.tables == ("pairs.csv",)
    pairs = read_again(out)
    assert [mated for *_, mated in pairs] == found.pairs.mated.tolist()
    for at, (first, second, _) in enumerate(pairs):
        assert (out / "pictures" / first).read_bytes() == found.images[found.pairs.first[at]]
        assert (out / "pictures" / second).read_bytes() == found.images[found.pairs.second[at]]
    names = {path.relative_to(out / "pictures").as_posix() for path in out.rglob("*.*g")}
    assert names == set(written.pictures.names)
    assert {"toy/00000.jpg", "toy/00023.png"} <= names
    assert "24 pictures, 24 pairs (12 mated, 12 non-mated)\n" in str(written)


def test_adience_has_people_and_folds_without_the_other_faces(tmp_path):
    found = benchmark.open(adience(tmp_path / "set"))
    written = write_set(found, tmp_path / "out")
    assert written.tables == ("identities.csv", "groups.csv")
    assert written.pictures.gathered
    groups = read_groups(tmp_path / "out/groups.csv")
    assert groups == {name: f"fold {int(name[0]) // 2}" for name in groups}
    assert tuple(groups) == found.names
    assert len(list((tmp_path / "out/pictures").rglob("*.png"))) == PEOPLE * EACH


def test_ijb_has_templates_and_landmarks(tmp_path):
    found = benchmark.open(ijb(tmp_path / "set"))
    written = write_set(found, tmp_path / "out")
    assert written.tables == ("pairs.csv", "landmarks.csv", "templates.csv")
    assert read_again(tmp_path / "out") == told(found.pairs, found.templates.names)
    again = read_templates(tmp_path / "out/templates.csv")
    assert again.names == found.names
    assert again.templates.ids.tolist() == found.templates.ids.tolist()
    assert again.templates.of_picture.tolist() == found.templates.of_picture.tolist()
    assert again.templates.media.tolist() == found.templates.media.tolist()
    assert "36 pictures, 12 templates, 66 pairs (6 mated, 60 non-mated)" in str(written)


def test_landmarks_come_back_to_the_last_bit(tmp_path):
    found = benchmark.open(folder(tmp_path / "set"))
    write_set(found, tmp_path / "out")
    again = read_landmarks(tmp_path / "out/landmarks.csv")
    assert len(again) == PEOPLE * EACH - 1
    for name in found.names:
        assert again.of(name) == found.landmarks.of(name)
    assert len(again.of("p0/3.png")) == 2


def bare(tmp_path, **parts) -> BenchmarkSet:
    names = ("Jos\udce9/1, 2.png", 'b "c".png')
    for name in names:
        put(tmp_path / "set" / name, picture(1))
    images = tuple(tmp_path / "set" / name for name in names)
    return BenchmarkSet(name="odd", layout=Layout.FOLDER, names=names, images=images, **parts)


def test_odd_names_and_landmarks_that_are_no_face(tmp_path):
    points = np.random.default_rng(0).normal(size=(4, 5, 2)) * 1e3
    points[1], points[2, 3, 0] = 7.0, np.nan
    names = ("Jos\udce9/1, 2.png", 'b "c".png')
    table = LandmarkTable(
        points=points,
        following=np.int32([2, 3, -1, -1]),
        first={names[0]: 0, names[1]: 1},
    )
    pairs = Pairs(first=[1, 0], second=[0, 0], mated=[False, True])
    found = bare(tmp_path, identities=("Anna, B.", "C"), pairs=pairs, landmarks=table)
    write_set(found, tmp_path / "out")
    assert read_again(tmp_path / "out") == [(names[1], names[0], False), (names[0],) * 2 + (True,)]
    assert list(read_identities(tmp_path / "out/identities.csv").items()) == [
        (names[0], "Anna, B."),
        (names[1], "C"),
    ]
    again = read_landmarks(tmp_path / "out/landmarks.csv")
    assert again.points.tolist() == points[[0, 3]].tolist()
    assert [len(again.of(name)) for name in names] == [1, 1]


def test_many_pairs_are_written_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("facegauge.evaluate.set_writer._TOGETHER", 7)
    first, second = np.random.default_rng(0).integers(0, 2, (2, 100))
    found = bare(tmp_path, pairs=Pairs(first=first, second=second, mated=first == second))
    write_set(found, tmp_path / "out")
    assert read_again(tmp_path / "out") == told(found.pairs, found.names)
    with (tmp_path / "out/pairs.csv").open(encoding="utf-8", errors="replace") as file:
        assert next(csv.reader(file)) == ["path_a", "path_b", "mated"]


def test_what_is_there_stays(tmp_path):
    found = benchmark.open(lfw(tmp_path / "set"))
    (tmp_path / "out").mkdir()
    refuse_used(tmp_path / "out")
    put(tmp_path / "out/pairs.csv", "mine")
    for place in (tmp_path / "out", tmp_path / "out/pairs.csv"):
        for refused in (lambda out: write_set(found, out), refuse_used):
            with pytest.raises(OptionError, match="new or empty folder"):
                refused(place)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["pairs.csv"]
    assert (tmp_path / "out/pairs.csv").read_text() == "mine"
    with pytest.raises(OptionError, match="need a place to write"):
        write_set(found, tmp_path / "out/pairs.csv/deeper")
