from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, TableError
from facegauge.evaluate.edc_journey import chosen_preset, evaluate_edc
from facegauge.evaluate.pairs import Pairs, PairTable
from facegauge.evaluate.presets import PRESETS
from facegauge.evaluate.score_files import ScoreFile
from facegauge.evaluate.sets import Templates
from facegauge.evaluate.template_pooling import TemplateTable, read_templates, template_scores

COUNT, TEMPLATES = 120, 30


def some(seed: int = 0) -> TemplateTable:
    """Pictures in a few templates, of media that templates share."""
    rng = np.random.default_rng(seed)
    ids, of_picture = np.unique(rng.integers(-9, TEMPLATES, COUNT) * 7, return_inverse=True)
    media = rng.integers(0, 5, COUNT)
    return TemplateTable(
        names=tuple(f"{at % 7}/{at}.jpg" for at in range(COUNT)),
        templates=Templates(
            ids=ids, of_picture=of_picture.astype(np.int32), media=media.astype(np.int32)
        ),
    )


def apart(names) -> TemplateTable:
    """Every picture a template and a medium of its own, numbered from 100 in another order."""
    count = len(names)
    order = np.random.default_rng(1).permutation(count).astype(np.int32)
    templates = Templates(ids=np.arange(100, 100 + count), of_picture=order, media=order[::-1])
    return TemplateTable(names=tuple(names), templates=templates)


def slow_scores(table: TemplateTable, scores: dict) -> dict[str, float | None]:
    """By definition: the mean over media of the mean over the pictures that have a score."""
    found = {}
    for number, name in enumerate(table.templates.names):
        media = {}
        for at, picture in enumerate(table.names):
            if table.templates.of_picture[at] == number and scores.get(picture) is not None:
                media.setdefault(table.templates.media[at], []).append(scores[picture])
        means = [sum(each) / len(each) for each in media.values()]
        found[name] = sum(means) / len(means) if means else None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_means_over_media(seed):
    table, rng = some(seed), np.random.default_rng(seed)
    scores = {name: float(rng.uniform(0, 100)) for name in table.names[: 60 + 10 * seed]}
    scores |= dict.fromkeys(rng.choice(table.names, 50).tolist())
    file = ScoreFile(method="m", scores=scores, boxes={"1/1.jpg": None})
    [pooled] = table.pooled([file], {}).scores
    slow = slow_scores(table, scores)
    assert pooled.method == "m"
    assert not pooled.boxes
    assert list(pooled.scores) == list(slow)
    assert None in slow.values()
    for name, score in slow.items():
        assert pooled.scores[name] == (None if score is None else pytest.approx(score, abs=1e-12))


def test_a_video_weighs_as_much_as_a_still():
    two = Templates(ids=np.array([3, 5]), of_picture=np.zeros(101, int), media=[0] + [1] * 100)
    found = template_scores(two, np.array([80.0] + [20.0] * 100))
    np.testing.assert_array_equal(found, [50.0, np.nan])
    np.testing.assert_array_equal(template_scores(two, np.full(101, np.nan)), [np.nan] * 2)


def test_embeddings_are_those_of_the_templates():
    table = some()
    values = np.random.default_rng(0).normal(size=(70, 8))
    found = Embeddings.normalised(table.names[50:], values)
    pooled = table.pooled([], {"r": found}).embeddings["r"]
    straight = table.templates.pooled(found, table.names)
    assert pooled.paths == straight.paths
    assert len(pooled) < len(table.templates.ids)
    np.testing.assert_array_equal(pooled.values, straight.values)


PEOPLE, EACH = 10, 5
PICTURES = tuple(f"p{at // EACH}/{at}.jpg" for at in range(PEOPLE * EACH))


def measured():
    """Embeddings and scores of pictures; some have no score, some no embedding."""
    rng = np.random.default_rng(3)
    quality = rng.uniform(0, 100, len(PICTURES))
    centres = np.repeat(rng.normal(size=(PEOPLE, 16)), EACH, axis=0)
    noise = rng.normal(size=centres.shape) * np.where(quality < 25, 2.0, 0.4)[:, None]
    whole = Embeddings.normalised(PICTURES, centres + noise)
    whole = Embeddings.normalised(PICTURES, whole.values)  # a second time: what float32 keeps
    scores = dict(zip(PICTURES, quality.tolist(), strict=True))
    scores |= dict.fromkeys(PICTURES[7:44:9])
    kept = Embeddings(paths=PICTURES[:-3], values=whole.values[:-3])
    return ScoreFile(method="m", scores=scores, boxes={}), kept


def pair_table(names) -> PairTable:
    first, second = np.triu_indices(len(PICTURES), 1)
    mated = first // EACH == second // EACH
    return PairTable(paths=tuple(names), pairs=Pairs(first=first, second=second, mated=mated))


@pytest.mark.parametrize("resamples", [0, 20])
@pytest.mark.parametrize("name", list(PRESETS))
def test_single_pictures_as_templates_change_nothing(name, resamples):
    scores, embeddings = measured()
    preset = chosen_preset(name)
    preset = preset if preset.fmr is None else replace(preset, rate=0.02)
    table = apart(PICTURES)
    numbers = [table.templates.names[at] for at in table.templates.of_picture]
    pooled = table.pooled([scores], {"r": embeddings})
    plain, of_templates = (
        evaluate_edc(files, found, truth, preset=preset, resamples=resamples).to_dict()
        for files, found, truth in (
            ([scores], {"r": embeddings}, pair_table(PICTURES)),
            (pooled.scores, pooled.embeddings, pair_table(numbers)),
        )
    )
    assert plain == of_templates
    assert plain[0]["errors"] > 0


def test_pairs_of_something_else_are_refused():
    table = apart(PICTURES)
    table.refuse_others(pair_table(table.templates.names))
    names = ("100", "p0/1.jpg", "17")
    with pytest.raises(InputError, match=r"50 templates, got 2 other names, the first 'p0/1.jpg'"):
        table.refuse_others(PairTable(paths=names, pairs=pair_table([]).pairs))


def test_scores_or_embeddings_of_other_pictures_are_refused():
    scores, embeddings = measured()
    table = apart([f"photos/{name}" for name in PICTURES])
    with pytest.raises(InputError, match=r"scores of the 50 pictures.*'photos/p0/0.jpg'"):
        table.pooled([scores], {})
    with pytest.raises(InputError, match=r"none of them in r: it has 'p0/0.jpg'.*'photos/p0/0"):
        table.pooled([], {"r": embeddings})
    nothing = Embeddings(paths=(), values=np.empty((0, 0), np.float32))
    with pytest.raises(InputError, match="it has nothing"):
        table.pooled([], {"r": nothing})


def test_a_table_is_read_in_any_form(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(
        b"\xef\xbb\xbfmedia,extra, path ,template\r\n"
        b"70,x,a\\1.png,12\n\n 9 ,,./b.png, -3 \n70,,Jos\xe9.png,12\n"
    )
    found = read_templates(file)
    assert found.names == ("a/1.png", "b.png", "Jos\udce9.png")
    assert found.templates.names == ("-3", "12")
    assert found.templates.of_picture.tolist() == [1, 0, 1]
    assert found.templates.media.tolist() == [1, 0, 1]
    assert found.templates.media.dtype == np.int32


def test_large_numbers_of_media_stay_apart(tmp_path):
    numbers = (5, 5 + 2**32, 10**18 - 1, -(10**18) + 1)
    rows = [f"{at}.png,1,{number}" for at, number in enumerate(numbers)]
    (tmp_path / "t.csv").write_text("\n".join(["path,template,media", *rows]))
    media = read_templates(tmp_path / "t.csv").templates.media.tolist()
    assert media == [1, 2, 3, 0]
    assert all(a != b for a, b in pairwise(sorted(media)))


HEAD = "path,template,media\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line ''"),
        ("path,template\na.png,1\n", "the first line 'path,template'"),
        (HEAD.replace("\n", ",media\n"), "Name the columns"),
        (HEAD, "0 different pictures in 0 rows"),
        (HEAD + "a.png,1,2\n./a.png,2,2\n", "1 different pictures in 2 rows.*one row"),
        (HEAD + "a.png,1,2\nb.png,1\n", "'b.png,1' as row 3.*two whole numbers"),
        (HEAD + ",1,2\n", "',1,2' as row 2"),
        (HEAD + "a.png,anna,2\n", "'a.png,anna,2'"),
        (HEAD + "a.png,1.0,2\n", "whole numbers"),
        (HEAD + "a.png,017,2\n", "17 rather than 017"),
        (HEAD + "a.png,1,\n", "whole numbers"),
        (HEAD + "a.png,1_0,2\n", "whole numbers"),
        (HEAD + "a.png,²,2\n", "whole numbers"),
        (HEAD + f"a.png,{10**18},2\n", "whole numbers"),
        (HEAD + 'a.png,"1"x,2\n', "text that is not csv"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, text, told):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=f"columns path,template,media in .*t.csv, got .*{told}"):
        read_templates(tmp_path / "t.csv")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(TableError, match="No such file"):
        read_templates(tmp_path / "t.csv")
