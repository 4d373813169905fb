import numpy as np
import pytest

from facegauge.errors import InputError, OptionError, TableError
from facegauge.evaluate.spread import SHARES, Spread, read_spreads
from facegauge.score_columns import ScoreColumns


def spread(scores, missing: int = 0) -> Spread:
    paths = [f"{at}.jpg" for at in range(len(scores) + missing)]
    return Spread.of("set", ScoreColumns.of(paths, [*scores, *[None] * missing]))


def test_numbers_are_those_of_the_table():
    scores = np.random.default_rng(0).uniform(0, 100, 80)
    found = spread(scores.tolist(), missing=20)
    assert (found.rows, found.missing) == (100, 20)
    assert found.outcomes == {"scored": 80, "no_face": 20}
    assert list(found.quantiles.values()) == np.quantile(scores, SHARES).tolist()
    for at in (0.0, 33.0, float(scores[0]), 200.0):
        assert found.below(at) == sum(score < at for score in scores)
        assert found.discarded(at) == (found.below(at) + 20) / 100
        assert found.shares_up_to(np.array([at]))[0] == np.mean(scores <= at)
    record = found.to_dict([50.0])
    assert record["mean"] == pytest.approx(scores.mean())
    assert record["below"] == [
        {"score": 50.0, "scores_below": found.below(50), "discarded": found.discarded(50)}
    ]


def test_a_set_needs_scores():
    with pytest.raises(InputError, match="needs finite scores"):
        spread([], missing=3)
    with pytest.raises(InputError, match="needs finite scores"):
        Spread(name="x", scores=np.array([np.nan]), outcomes={"scored": 1})


def test_sets_are_called_after_their_files_or_by_name(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("path,score\nx.jpg,5\n")
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert [each.name for each in read_spreads(files)] == ["a", "b"]
    assert [each.name for each in read_spreads(files, ["one", " two "])] == ["one", "two"]
    assert read_spreads(files)[0].plain
    for names in (["one"], ["one", "one"], ["one", " "]):
        with pytest.raises(OptionError, match="a name of its own"):
            read_spreads(files, names)
    with pytest.raises(OptionError, match="two score tables"):
        read_spreads(files[:1])
    with pytest.raises(TableError, match="Check the path"):
        read_spreads([files[0], tmp_path / "none.csv"])
