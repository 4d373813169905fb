import json
from itertools import chain
from pathlib import Path

import pytest

from facegauge.batch import score_images
from facegauge.errors import InputError, OptionError
from facegauge.parts import Counted, Part, PartFolder, Slice, count, cut, score_part
from facegauge.score_row import ScoreRow
from facegauge.score_table import read_scores
from facegauge.values import Outcome
from facegauge.walk import Archived, Found, find_images
from packed import packed
from test_batch import FakeScorer, photos


def row(path: str) -> ScoreRow:
    return ScoreRow(path=path, face=0, outcome=Outcome.NO_FACE, detail="none")


def archived(name: str) -> Archived:
    return Archived(location=name, name=name, prefix="")


def found(name: str) -> Found:
    return Found(path=Path(name), name=name)


def counted(images: int) -> Counted:
    return Counted(images=images, passed_over=0, archives=0)


def spread(part: Part) -> list[str]:
    """Every image of a part by name."""
    return list(
        chain.from_iterable(
            [f"{each.archive.name}:{at}" for at in range(each.start, each.stop)]
            if isinstance(each, Slice)
            else [each.name]
            for each in part.pieces
        )
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 12, 100])
def test_parts_have_every_image_once_in_order_and_the_same_size(size):
    counts = {"x.tar": counted(9), "y.tar": counted(0), "z.tar": counted(3)}
    units = [found("1"), archived("x.tar"), archived("y.tar"), found("2"), archived("z.tar")]
    parts = list(cut(units, counts, size))
    whole = ["1", *(f"x.tar:{at}" for at in range(9)), "2", *(f"z.tar:{at}" for at in range(3))]
    assert list(chain.from_iterable(map(spread, parts))) == whole
    assert [part.number for part in parts] == list(range(len(parts)))
    assert all(part.images == size for part in parts[:-1])
    assert 0 < parts[-1].images <= size


def test_nothing_has_no_parts():
    assert list(cut([], {}, 4)) == []


def test_a_digest_knows_images_and_settings():
    parts = list(cut([found(name) for name in "abcd"], {}, 2))
    one, other = (part.digest({"model": "m"}) for part in parts)
    assert one != other
    assert one != parts[0].digest({"model": "n"})
    assert one == Part(number=7, pieces=parts[0].pieces).digest({"model": "m"})


def scored(folder: Path, out: Path, size: int = 8) -> list[ScoreRow]:
    target = PartFolder(out, {"a": 1}, resume=False)
    units = list(find_images([folder]).units)
    counts = {each.name: count(each) for each in units if isinstance(each, Archived)}
    for part in reversed(list(cut(units, counts, size))):
        score_part(part, target, scorer=FakeScorer(), landmarks=None, batch_size=4)
    return list(read_scores(out))


def test_parts_scored_in_any_order_have_the_rows_of_one_table(tmp_path):
    folder = photos(tmp_path / "in", 37)
    score_images([folder], scorer=FakeScorer(), out=tmp_path / "t.csv", batch_size=4)
    assert scored(folder, tmp_path / "out") == list(read_scores(tmp_path / "t.csv"))
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 5


def test_a_part_off_the_grid_would_have_other_rows(tmp_path):
    folder = photos(tmp_path / "in", 37)
    score_images([folder], scorer=FakeScorer(), out=tmp_path / "t.csv", batch_size=4)
    assert scored(folder, tmp_path / "out", 7) != list(read_scores(tmp_path / "t.csv"))


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip", "parquet"])
def test_slices_of_an_archive_are_its_pictures(tmp_path, ending):
    folder = tmp_path / "in"
    folder.mkdir()
    for at in range(10):
        (folder / f"{at}.jpg").write_bytes(bytes([at]))
    path = packed(folder, tmp_path / f"t.{ending}")
    (unit,) = find_images([path]).units
    assert count(unit) == counted(10)
    names, contents = [], []
    for part in cut([unit], {unit.name: count(unit)}, 4):
        for each in part.found():
            names.append(each.name)
            contents.append(each.content if isinstance(each.content, bytes) else each.content())
    assert names == [f"{at}.jpg" for at in range(10)]
    assert contents == [bytes([at]) for at in range(10)]


def test_an_archive_that_lost_pictures_is_found_out(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").touch()
    (unit,) = find_images([packed(tmp_path / "in", tmp_path / "t.tar")]).units
    part = Part(number=0, pieces=(Slice(archive=unit, start=0, stop=2),))
    with pytest.raises(InputError, match="2 pictures or more.*got 1"):
        list(part.found())


def test_a_damaged_archive_is_counted_with_the_row_that_says_so(tmp_path):
    (tmp_path / "t.zip").write_bytes(b"none")
    (unit,) = find_images([tmp_path / "t.zip"]).units
    assert count(unit).images == 1


def test_a_part_is_there_or_not(tmp_path):
    folder = PartFolder(tmp_path / "out", {"model": "m"}, resume=False)
    part, other = cut([found("a"), found("b")], {}, 1)
    assert not folder.done(part)

    def dying():
        yield row("a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.commit(part, dying())
    assert not folder.done(part)
    assert [path.name for path in folder.folder.iterdir()] == ["run.json"]
    folder.commit(part, [row("a")])
    folder.commit(part, [row("a")])  # a retry
    assert folder.done(part)
    assert not folder.done(other)
    with pytest.raises(OptionError, match="Expected 2 parts.*got 1"):
        folder.finish(2)
    (folder.folder / ".part-00000001.parquet.0123").touch()  # of a worker that was killed
    folder.finish(1)
    assert sorted(path.name for path in folder.folder.iterdir()) == (
        ["part-00000000.parquet", "run.json"]
    )


def test_parts_of_other_images_or_settings_are_refused(tmp_path):
    (part,) = cut([found("a")], {}, 2)
    (grown,) = cut([found("a"), found("b")], {}, 2)
    folder = PartFolder(tmp_path / "out", {"model": "m"}, resume=False)
    folder.commit(part, [row("a")])
    again = PartFolder(tmp_path / "out", {"model": "m"}, resume=True)
    assert again.done(part)
    with pytest.raises(OptionError, match="same images.*added or removed"):
        again.done(grown)
    with pytest.raises(OptionError, match="other.*model: m before"):
        PartFolder(tmp_path / "out", {"model": "n"}, resume=True)
    with pytest.raises(OptionError, match="Expected 0 parts"):
        again.finish(0)


@pytest.mark.parametrize("out", ["s3://bucket/out", "scores.parquet", "scores.csv", "file", "full"])
def test_what_is_no_new_folder_is_refused(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("full").mkdir()
    Path("full/precious").touch()
    for resume in (False, True):
        with pytest.raises(OptionError, match="--out"):
            PartFolder(Path(out), {}, resume=resume)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "precious"]


def test_settings_are_beside_the_parts(tmp_path):
    PartFolder(tmp_path / "out", {"model": "m"}, resume=True)
    assert json.loads((tmp_path / "out" / "run.json").read_text()) == {"model": "m"}
    with pytest.raises(OptionError, match="pass --resume"):
        PartFolder(tmp_path / "out", {"model": "m"}, resume=False)
