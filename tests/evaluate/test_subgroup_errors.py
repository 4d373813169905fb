from dataclasses import replace

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs, ComparedSet
from facegauge.evaluate.engine import edc
from facegauge.evaluate.presets import PRESETS, Normalisation, Preset
from facegauge.evaluate.scored import GroupErrors, Scored
from facegauge.evaluate.subgroup_errors import group_pauc, with_errors
from slow_edc import Row, rows_of, slow_curve, slow_pauc, toy_pairs

FIXED = [preset for preset in PRESETS.values() if preset.name != "crfiqa"]
BOTH = replace(PRESETS["difiqa"], name="both", leaving="both")
THRESHOLD = 0.45


def toy_set(seed=0, **options):
    """A recogniser's comparisons, the scores of its pictures (None: none), and their groups."""
    pairs, quality, identities = toy_pairs(seed, **options)
    paths = tuple(f"{at}.jpg" for at in range(pairs.samples))
    groups = np.random.default_rng(seed).choice(["a", "b", "c"], pairs.samples, p=[0.6, 0.3, 0.1])
    found = ComparedSet(
        recogniser="toy",
        paths=paths,
        people=identities.astype(np.str_),
        pairs=pairs,
        threshold=None,
    )
    scores = tuple(None if np.isnan(each) else float(each) for each in quality)
    scored = Scored(
        method="m", set_name="s", paths=paths, scores=scores, groups=tuple(groups.tolist())
    )
    return found, scored


def rows_within(found, scored, group):
    """The group's own pairs, renumbered, and its qualities: lists and loops."""
    members = [at for at, name in enumerate(scored.groups) if name == group]
    number = {at: place for place, at in enumerate(members)}
    rows = [
        Row(number[row.a], number[row.b], row.similarity, row.mated)
        for row in rows_of(found.pairs)
        if row.a in number and row.b in number
    ]
    scores = [scored.scores[at] for at in members]
    return rows, [float("nan") if score is None else score for score in scores]


@pytest.mark.parametrize("preset", [*FIXED, BOTH], ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_errors_and_area_equal_those_by_definition(preset, seed):
    found, scored = toy_set(seed)
    for row in with_errors(found, [scored], preset, THRESHOLD):
        rows, quality = rows_within(found, scored, row.group)
        mated = [each for each in rows if each.mated]
        left = [each for each in mated if min(quality[each.a], quality[each.b]) >= row.threshold]
        left = [each for each in left if quality[each.b] == quality[each.b]]  # no nan
        errors = row.errors
        assert (errors.recogniser, errors.threshold) == ("toy", THRESHOLD)
        assert errors.comparisons == len(mated)
        assert errors.errors == sum(each.similarity < THRESHOLD for each in mated)
        assert errors.comparisons_left == len(left) < len(mated)
        assert errors.errors_left == sum(each.similarity < THRESHOLD for each in left)
        if not errors.errors:
            assert errors.pauc is None
            continue
        points = slow_curve(rows, quality, preset, THRESHOLD)
        assert errors.pauc == pytest.approx(float(slow_pauc(points, preset)), abs=1e-12)
        assert errors.fnmr == pytest.approx(float(points[0].error))


@pytest.mark.parametrize("preset", FIXED, ids=str)
def test_one_group_of_all_is_the_whole_set(preset):
    found, scored = toy_set()
    whole = edc(found.pairs, [np.nan if s is None else s for s in scored.scores], preset)
    alone = replace(scored, groups=("all",) * len(scored.paths))
    [row] = with_errors(found, [alone], preset, whole.threshold)
    assert row.errors.pauc == whole.pauc()
    assert (row.errors.comparisons, row.errors.errors) == (whole.comparisons, whole.errors)


def test_each_group_differs_so_a_mix_up_would_be_seen():
    found, scored = toy_set()
    rows = with_errors(found, [scored], PRESETS["difiqa"], THRESHOLD)
    assert [row.group for row in rows] == ["a", "b", "c"]
    assert len({(row.errors.comparisons, row.errors.errors) for row in rows}) == 3
    counted = sum(row.errors.comparisons for row in rows)
    assert 0 < counted < found.pairs.mated.sum()  # comparisons across groups are in no row


def test_every_method_has_its_rows_and_one_without_scores_none():
    found, scored = toy_set()
    backwards = tuple(None if score is None else -score for score in scored.scores)
    other = replace(scored, method="other", scores=backwards)
    silent = replace(scored, method="silent", scores=(None,) * len(scored.paths))
    rows = with_errors(found, [silent, scored, other], PRESETS["difiqa"], THRESHOLD)
    assert [row.method for row in rows] == ["m"] * 3 + ["other"] * 3
    for one, two in zip(rows[:3], rows[3:], strict=True):
        assert one.errors.fnmr == two.errors.fnmr  # before any discard scores do not matter
    assert rows[0].errors.pauc < rows[3].errors.pauc
    assert with_errors(found, [silent], PRESETS["difiqa"], THRESHOLD) == ()


def test_a_group_without_comparisons_has_none_of_the_rates():
    found, scored = toy_set()
    groups = ("lonely", *("rest",) * (len(scored.paths) - 1))
    lonely, rest = with_errors(
        found, [replace(scored, groups=groups)], PRESETS["difiqa"], THRESHOLD
    )
    assert lonely.count == 1
    assert (lonely.errors.comparisons, lonely.errors.fnmr, lonely.errors.fnmr_left) == (
        0,
        None,
        None,
    )
    assert lonely.errors.pauc is None
    assert rest.errors.pauc is not None


def test_pictures_that_the_recogniser_lacks_are_in_the_row_and_in_no_comparison():
    found, scored = toy_set()
    more = replace(
        scored,
        paths=("absent.jpg", *scored.paths),
        scores=(1.0, *scored.scores),
        groups=("only here", *scored.groups),
    )
    rows = with_errors(found, [more], PRESETS["difiqa"], THRESHOLD)
    by = {row.group: row for row in rows}
    assert (by["only here"].count, by["only here"].errors.comparisons) == (1, 0)
    plain = with_errors(found, [scored], PRESETS["difiqa"], THRESHOLD)
    assert [by[row.group].errors.pauc for row in plain] == [row.errors.pauc for row in plain]


def test_every_compared_picture_needs_a_group():
    found, scored = toy_set()
    part = {name: getattr(scored, name)[1:] for name in ("paths", "scores", "groups")}
    for wrong, told in (
        (replace(scored, groups=()), "got 0 groups"),
        (replace(scored, **part), "1 pictures without one"),
    ):
        with pytest.raises(InputError, match=told):
            with_errors(found, [wrong], PRESETS["difiqa"], THRESHOLD)


def four(similarity) -> ComparedPairs:
    return ComparedPairs(
        samples=4,
        first=[0, 0, 2],
        second=[1, 2, 3],
        similarity=np.array(similarity),
        mated=np.array([True, False, True]),
    )


def fmr_preset() -> Preset:
    return Preset(name="fmr", error="fmr", threshold="given", limit=0.5)


@pytest.mark.parametrize(
    ("preset", "similarity", "quality", "defined"),
    [
        (PRESETS["difiqa"], [0.1, 0.9, 0.9], [1.0, 2, 3, 4], True),
        (PRESETS["crfiqa"], [0.1, 0.9, 0.9], [1.0, 2, 3, 4], False),
        (fmr_preset(), [0.1, 0.9, 0.9], [1.0, 2, 3, 4], False),
        (PRESETS["difiqa"], [0.8, 0.1, 0.9], [1.0, 2, 3, 4], False),
        (
            replace(PRESETS["difiqa"], normalisation=Normalisation.NONE),
            [0.8, 0.1, 0.9],
            [1.0, 2, 3, 4],
            False,
        ),
        (PRESETS["difiqa"], [0.1, 0.9, 0.9], [np.nan] * 4, False),
    ],
    ids=["errors", "floating", "non-mated", "no error", "no error to divide by", "no score"],
)
def test_an_area_only_where_it_says_something(preset, similarity, quality, defined):
    area = group_pauc(four(similarity), np.array(quality), preset, 0.5)
    assert (area is not None) == defined
    if defined:  # the pair in error leaves only at half of the two pairs, beyond 0.3
        assert area == pytest.approx(1.0)


@pytest.mark.parametrize("counts", [(3, 4, 3, 0), (3, 2, 4, 0), (3, 2, 3, 4), (3, 1, 2, 2)])
def test_counts_that_cannot_be(counts):
    names = ("comparisons", "errors", "comparisons_left", "errors_left")
    with pytest.raises(InputError, match="no more after a discard"):
        GroupErrors(recogniser="r", threshold=0.5, **dict(zip(names, counts, strict=True)))
