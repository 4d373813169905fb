"""Rules together: every row has one reason, and it is the first rule that the row fails."""

import numpy as np
import pytest

from facegauge.curation.choice import REASONS, choose
from facegauge.curation.rules import Per, Reason, Rules
from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError
from facegauge.score_columns import ScoreColumns, read_score_columns

PATHS = ["a1", "a2", "a3", "a4", "b1", "b2", "x1", "x2"]
SCORES = [90.0, 80.0, 40.0, None, 60.0, 20.0, 99.0, None]
GROUPS = [0, 0, 0, 0, 1, 1, -1, -1]


def columns() -> ScoreColumns:
    return ScoreColumns.of(PATHS, SCORES)


def reasons(choice) -> list[str]:
    return [str(REASONS[code]) for code in choice.reasons]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({"min_score": 60.0}, ["", "", "min_score", "no_score", "", "min_score", "", "no_score"]),
        (  # 8 rows, two without a score: .25 is gone with them, .5 with two more
            {"discard": 0.25},
            ["", "", "", "no_score", "", "", "", "no_score"],
        ),
        ({"discard": 0.5}, ["", "", "discard", "no_score", "", "discard", "", "no_score"]),
        (
            {"discard": 0.5, "min_score": 85.0},
            ["", "min_score", "discard", "no_score", "min_score", "discard", "", "no_score"],
        ),
        ({"keep": 2}, ["", "keep", "keep", "no_score", "keep", "keep", "", "no_score"]),
        (
            {"keep": 2, "min_score": 95, "unscored": True},
            [*["min_score"] * 3, "", *["min_score"] * 2, "", ""],
        ),
    ],
)
def test_rules_without_groups(rules, wanted):
    assert reasons(choose(columns(), Rules(**rules))) == wanted


@pytest.mark.parametrize("per", Per)
def test_groups_have_their_own_best_and_their_own_shares(per):
    without = f"no_{per}"
    choice = choose(columns(), Rules(per=per, keep=1, discard=0.5), groups=GROUPS)
    wanted = ["", "keep", "discard", "no_score", "", "discard", without, "no_score"]
    assert reasons(choice) == wanted
    assert (choice.groups, choice.groups_kept) == (2, 2)
    assert sum(choice.counts.values()) == len(PATHS)
    kind = "identities" if per is Per.IDENTITY else "tracks"
    assert str(choice) == (
        f"8 rows; 2 kept; 2 without a score; 1 without {'an' if per == 'identity' else 'a'} {per}; "
        f"2 dropped by --discard; 1 dropped by --keep; 2 of 2 {kind} have a face left"
    )


def test_a_group_may_lose_all_its_faces():
    rules = Rules(per=Per.IDENTITY, keep=5, min_score=70.0)
    choice = choose(columns(), rules, groups=GROUPS)
    assert (choice.groups, choice.groups_kept) == (2, 1)
    assert "1 of 2 identities have a face left" in str(choice)


def vectors(*angles: float) -> Embeddings:
    names = [path for path, score in zip(PATHS, SCORES, strict=True) if score is not None]
    points = [(np.cos(angle), np.sin(angle)) for angle in angles]
    return Embeddings.normalised(names, points)


def test_apart_looks_at_what_the_thresholds_left_and_keep_at_what_apart_left():
    near = vectors(0.0, 0.1, 0.15, 0.05, 2.0, 0.0)  # a1 a2 a3 b1 b2 x1
    rules = Rules(apart=0.9, min_score=30.0, keep=2)
    wanted = ["apart", "apart", "apart", "no_score", "apart", "min_score", "", "no_score"]
    assert reasons(choose(columns(), rules, embeddings=near)) == wanted
    per = Rules(apart=0.9, per=Per.IDENTITY, keep=2)
    found = choose(columns(), per, groups=GROUPS, embeddings=near)
    assert reasons(found) == [
        *("", "apart", "apart", "no_score", "", "", "no_identity", "no_score"),
    ]


def test_faces_that_come_to_apart_need_an_embedding():
    some = Embeddings.normalised(["a1", "b1"], [[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="4 of them, 'a2' for instance"):
        choose(columns(), Rules(apart=0.9), embeddings=some)
    rules = Rules(apart=0.9, per=Per.TRACK)
    found = choose(columns(), rules, groups=[0, -1, -1, -1, 0, -1, -1, -1], embeddings=some)
    assert found.kept.sum() == 2


def test_two_faces_of_a_picture_cannot_share_an_embedding(tmp_path):
    table = tmp_path / "t.csv"
    head = "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail\n"
    table.write_text(head + "a,0,scored,1,1,m,,,,,,\na,1,scored,2,1,m,,,,,,\n")
    both = Embeddings.normalised(["a"], [[1.0, 0.0]])
    with pytest.raises(InputError, match="two scored faces of 'a'"):
        choose(read_score_columns(table), Rules(apart=0.5), embeddings=both)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    names = [f"{at}.jpg" for at in range(60)]
    scores = rng.integers(0, 6, 60).astype(float)
    groups = rng.integers(-1, 6, 60)
    rules = Rules(per=Per.IDENTITY, keep=2, discard=0.3)
    before = choose(ScoreColumns.of(names, scores.tolist()), rules, groups=groups)
    order = rng.permutation(60)
    mixed = ScoreColumns.of([names[at] for at in order], scores[order].tolist())
    after = choose(mixed, rules, groups=groups[order])
    assert (after.reasons == before.reasons[order]).all()


def test_keep_is_the_best_of_each_group_by_score_then_path():
    rng = np.random.default_rng(0)
    names = [f"{at:03d}" for at in rng.permutation(200)]
    scores, groups = rng.integers(0, 9, 200).astype(float), rng.integers(0, 20, 200)
    rules = Rules(per=Per.IDENTITY, keep=3)
    found = choose(ScoreColumns.of(names, scores.tolist()), rules, groups=groups)
    for group in range(20):
        own = [at for at in range(200) if groups[at] == group]
        best = sorted(own, key=lambda at: (-scores[at], names[at]))[:3]
        assert {at for at in own if found.kept[at]} == set(best)


def test_what_is_refused(tmp_path):
    with pytest.raises(InputError, match="without any"):
        choose(ScoreColumns.of(["a"], [None]), Rules(keep=1))
    with pytest.raises(OptionError, match="rule per and groups"):
        choose(columns(), Rules(keep=1), groups=GROUPS)
    with pytest.raises(OptionError, match="rule apart and embeddings"):
        choose(columns(), Rules(apart=0.5))
    table = tmp_path / "t.csv"
    head = "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail\n"
    table.write_text(head + "a,0,scored,1,1,m-1,,,,,,\nb,0,scored,2,1,n-2,,,,,,\n")
    with pytest.raises(InputError, match="m-1, n-2"):
        choose(read_score_columns(table), Rules(keep=1))


def test_reasons_are_as_many_as_there_are_rules():
    assert REASONS[0] is Reason.KEPT
    assert len(REASONS) < 256
