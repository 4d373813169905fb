import numpy as np
import pytest

from facegauge.curation.links import LinkFolder
from facegauge.curation.members import read_members
from facegauge.curation.rules import Per, Rules
from facegauge.curation.selection import select_faces
from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError, TableError
from facegauge.score_columns import read_score_columns


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Six faces of two people, their pictures, and embeddings of which two are nearly the same."""
    names = [f"{who}/{at}.jpg" for who in ("ann", "bob") for at in range(3)]
    scores = [50, 70, 60, 10, 90, ""]
    lines = [f"{name},{score}\n" for name, score in zip(names, scores, strict=True)]
    (tmp_path / "s.csv").write_text("path,score\n" + "".join(lines))
    (tmp_path / "who.csv").write_text(
        "path,identity\n" + "".join(f"{name},{name[:3]}\n" for name in names)
    )
    for name in names:
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_text(name)
    angles = np.array([0.0, 1.0, 1.1, 2.0, 3.0])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    Embeddings.normalised(names[:5], points).save(tmp_path / "e.npz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(out) -> list[str]:
    return list(read_score_columns(out).paths)


def test_everything_at_once(work):
    choice = select_faces(
        "s.csv",
        "out.csv",
        Rules(per=Per.IDENTITY, keep=2, apart=0.9, min_score=20.0),
        members=read_members("who.csv", Per.IDENTITY),
        vectors="e.npz",
        reasons="why.csv",
        links=LinkFolder(out=work / "best", images=work / "images"),
    )
    assert kept("out.csv") == ["ann/0.jpg", "ann/1.jpg", "bob/1.jpg"]
    assert sorted(path.name for path in (work / "best" / "ann").iterdir()) == ["0.jpg", "1.jpg"]
    assert (work / "why.csv").read_text().splitlines()[3:] == [
        "ann/2.jpg,0,0,apart",
        "bob/0.jpg,0,0,min_score",
        "bob/1.jpg,0,1,",
        "bob/2.jpg,0,0,no_score",
    ]
    assert choice.kept.sum() == 3


def test_embeddings_in_memory(work):
    turned = Embeddings.normalised(["ann/1.jpg", "bob/1.jpg"], [[1.0, 0.0], [1.0, 0.1]])
    select_faces("s.csv", "out.csv", Rules(apart=0.9, min_score=65.0), vectors=turned)
    assert kept("out.csv") == ["bob/1.jpg"]


def test_nothing_kept_is_a_table_without_rows(work):
    choice = select_faces("s.csv", "out.csv", Rules(min_score=95.0))
    assert not choice.kept.any()
    assert (work / "out.csv").read_text() == "path,score\n"


def test_what_is_in_the_way_is_said_before_anything_is_written(work):
    (work / "why.csv").write_text("mine")
    with pytest.raises(OptionError, match=r"why.csv exists"):
        select_faces("s.csv", "out.csv", Rules(keep=1), reasons="why.csv")
    (work / "images" / "bob" / "1.jpg").unlink()
    links = LinkFolder(out=work / "best", images=work / "images")
    with pytest.raises(InputError, match=r"bob/1.jpg"):
        select_faces("s.csv", "out.csv", Rules(keep=1), links=links)
    with pytest.raises(TableError, match="Check the path"):
        select_faces("none.csv", "out.csv", Rules(keep=1))
    assert not (work / "out.csv").exists()
    assert not (work / "best").exists()
    assert (work / "why.csv").read_text() == "mine"
