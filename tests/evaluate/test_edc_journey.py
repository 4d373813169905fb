from dataclasses import replace

import numpy as np
import pytest

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError
from facegauge.evaluate.curves import compare_all
from facegauge.evaluate.edc_journey import (
    NOBODY,
    chosen_preset,
    compare,
    evaluate_edc,
)
from facegauge.evaluate.pairs import Pairs, PairTable
from facegauge.evaluate.presets import PRESETS
from facegauge.evaluate.score_files import ScoreFile

PEOPLE, EACH = 12, 5
PATHS = tuple(f"p{person:02}/{at}.jpg" for person in range(PEOPLE) for at in range(EACH))
WHO = {path: path.split("/")[0] for path in PATHS}
PRESET = chosen_preset("difiqa", fmr=0.01)


QUALITY = np.random.default_rng(42).uniform(0, 100, len(PATHS))


def found(seed: int = 0) -> Embeddings:
    """Embeddings of people, much noisier where the quality is below 12."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(PEOPLE, 16)), EACH, axis=0)
    noise = rng.normal(size=centres.shape) * np.where(QUALITY < 12, 3.0, 0.5)[:, None]
    return Embeddings.normalised(PATHS, centres + noise)


def method(name: str, seed: int = 0, missing: tuple[str, ...] = ()) -> ScoreFile:
    rng = np.random.default_rng(seed)
    scores = {path: float(rng.uniform(0, 100)) for path in PATHS}
    return ScoreFile(method=name, scores=scores | dict.fromkeys(missing), boxes={})


def oracle() -> ScoreFile:
    scores = dict(zip(PATHS, QUALITY.tolist(), strict=True))
    return ScoreFile(method="oracle", scores=scores, boxes={})


def pair_table(embeddings: Embeddings) -> PairTable:
    paths = embeddings.paths[::-1]
    first, second = np.triu_indices(len(paths), 1)
    mated = np.array([WHO[paths[a]] == WHO[paths[b]] for a, b in zip(first, second, strict=True)])
    return PairTable(paths=paths, pairs=Pairs(first=first, second=second, mated=mated))


def test_curves_are_those_of_the_short_way():
    embeddings, scores = found(), method("random")
    report = evaluate_edc([scores], {"r": embeddings}, WHO, preset=PRESET, resamples=0)
    short = compare_all(embeddings.values, list(WHO.values()), 0.01)
    curve = short.curve(scores.of(PATHS))
    [line] = report.lines
    assert line.pauc == pytest.approx(curve.pauc(0.3), abs=1e-12)
    assert line.threshold == pytest.approx(short.threshold, abs=1e-6)
    assert (line.comparisons, line.errors) == (curve.comparisons, curve.errors)


@pytest.mark.parametrize("name", list(PRESETS))
def test_pairs_and_identities_tell_the_same(name):
    embeddings, preset = found(), chosen_preset(name)
    preset = preset if preset.fmr is None else replace(preset, rate=0.01)
    paucs = [
        [
            (line.pauc, line.pauc_low, line.pauc_high)
            for line in evaluate_edc(
                [method("a"), oracle()], {"r": embeddings}, truth, preset=preset, resamples=0
            ).lines
        ]
        for truth in (WHO, pair_table(embeddings))
    ]
    assert [each[0] for each in paucs[0]] == pytest.approx([each[0] for each in paucs[1]], abs=1e-9)
    assert all(low is None for each in paucs for _, low, _ in each)


def test_an_oracle_is_better_and_intervals_are_paired():
    report = evaluate_edc(
        [method("random"), method("again"), oracle()],
        {"one": found(0), "two": found(1)},
        WHO,
        preset=PRESET,
        set_name="people",
        resamples=200,
    )
    by = {(line.method, line.recogniser): line for line in report.lines}
    assert len(by) == 6
    for recogniser in ("one", "two"):
        best, other = by["oracle", recogniser], by["random", recogniser]
        assert best.pauc < best.pauc_high < other.pauc
        assert by["again", recogniser].pauc_low == other.pauc_low  # the same resamples
    assert {line.set_name for line in report.lines} == {"people"}
    assert len(report.operating) == 6


def test_every_other_method_is_compared_with_the_first():
    same = replace(method("random"), method="same")
    methods = [method("random"), oracle(), same, method("another", seed=3)]
    report = evaluate_edc(
        methods,
        {"one": found(0), "two": found(1)},
        WHO,
        preset=PRESET,
        set_name="people",
        resamples=200,
    )
    rows = {(row.recogniser, row.method): row for row in report.differences}
    assert list(rows) == [
        (recogniser, name)
        for recogniser in ("one", "two")
        for name in ("oracle", "same", "another")
    ]
    assert {(row.reference, row.set_name) for row in rows.values()} == {("random", "people")}
    pauc = {(line.recogniser, line.method): line.pauc for line in report.lines}
    for (recogniser, name), row in rows.items():
        assert row.value == pauc[recogniser, name] - pauc[recogniser, "random"]
    for recogniser in ("one", "two"):
        assert rows[recogniser, "oracle"].verdict == "better"
        same_as = rows[recogniser, "same"]
        assert (same_as.value, same_as.low, same_as.high) == (0.0, 0.0, 0.0)
        assert rows[recogniser, "another"].verdict == "not told apart"
    assert "| oracle | one | people |" in str(report)


def test_the_oracle_as_reference_makes_random_scores_worse():
    report = evaluate_edc(
        [oracle(), method("random")], {"r": found()}, WHO, preset=PRESET, resamples=200
    )
    [row] = report.differences
    assert (row.reference, row.method, row.verdict) == ("oracle", "random", "worse")


def test_without_intervals_or_another_method_nothing_is_compared():
    for methods, resamples in (([oracle(), method("m")], 0), ([oracle()], 20)):
        report = evaluate_edc(methods, {"r": found()}, WHO, preset=PRESET, resamples=resamples)
        assert report.differences == ()
        assert "Difference" not in str(report)


@pytest.mark.parametrize("name", list(PRESETS))
def test_groups_have_errors_at_the_threshold_of_the_whole_set(name):
    groups = {path: "first" if path < "p06" else "second" for path in PATHS}
    preset = chosen_preset(name)
    preset = preset if preset.fmr is None else replace(preset, rate=0.01)
    methods, embeddings = [method("m"), oracle()], {"one": found(0), "two": found(1)}
    report = evaluate_edc(methods, embeddings, WHO, preset=preset, groups=groups, resamples=0)
    rows = report.subgroups
    assert [(row.errors.recogniser, row.method, row.group) for row in rows] == [
        (recogniser, name, group)
        for recogniser in ("one", "two")
        for name in ("m", "oracle")
        for group in ("first", "second")
    ]
    for line in report.lines:
        own = [
            row.errors
            for row in rows
            if (row.method, row.errors.recogniser) == (line.method, line.recogniser)
        ]
        assert {each.threshold for each in own} == {line.threshold}
        # people are whole within a group: no mated comparison crosses
        assert sum(each.comparisons for each in own) == line.comparisons
        assert sum(each.errors for each in own) == line.errors > 0
        assert all((each.pauc is None) == (name == "crfiqa" or not each.errors) for each in own)


def test_pictures_without_a_score_are_failures_and_groups_are_counted():
    groups = {path: path[:2] for path in PATHS[5:]}
    report = evaluate_edc(
        [method("m", missing=PATHS[:3])],
        {"r": found()},
        WHO,
        preset=PRESET,
        groups=groups,
        resamples=0,
    )
    [line], [scored] = report.lines, report.scored
    assert (line.samples, line.failures) == (PEOPLE * EACH, 3)
    assert scored.missing == 3
    assert {row.group: (row.count, row.missing) for row in report.subgroups} == {
        NOBODY: (5, 3),
        "p0": (45, 0),
        "p1": (10, 0),
    }


def test_pairs_of_which_one_has_no_embedding_are_left_out():
    embeddings = found()
    part = Embeddings(paths=PATHS[10:], values=embeddings.values[10:])
    compared = compare("r", part, pair_table(embeddings), PRESET)
    assert sorted(compared.paths) == sorted(PATHS[10:])
    expected = {
        frozenset((a, b)): float(part.values[i] @ part.values[j])
        for i, a in enumerate(part.paths)
        for j, b in enumerate(part.paths[:i])
    }
    pairs = compared.pairs
    for a, b, value in zip(pairs.first, pairs.second, pairs.similarity, strict=True):
        names = frozenset((compared.paths[a], compared.paths[b]))
        assert value == pytest.approx(expected.pop(names), abs=1e-6)
    assert not expected


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("best", {}, "Choose one"),
        ("ofiq", {"fmr": 1e-3}, r"FNMR\(0\) 0.1"),
        ("difiqa", {"fmr": 2.0}, "rate between 0 and 1"),
        ("crfiqa", {"discard": 1.0}, "limit"),
    ],
)
def test_presets_that_make_no_sense(name, options, told):
    with pytest.raises(OptionError, match=told):
        chosen_preset(name, **options)


def test_presets_take_another_fmr_and_limit():
    assert chosen_preset("difiqa") == PRESETS["difiqa"]
    changed = chosen_preset("crfiqa", 0.01, 0.5)
    assert changed == replace(PRESETS["crfiqa"], rate=0.01, limit=0.5)


def test_what_does_not_belong_together():
    embeddings = {"r": found()}
    with pytest.raises(OptionError, match="got 0 and 1000"):
        evaluate_edc([oracle()], {}, WHO, preset=PRESET)
    with pytest.raises(OptionError, match="got 1 and -1"):
        evaluate_edc([oracle()], embeddings, WHO, preset=PRESET, resamples=-1)
    with pytest.raises(InputError, match="Expected an identity for each"):
        evaluate_edc([oracle()], embeddings, {PATHS[0]: "x"}, preset=PRESET)
    alone = {path: path for path in PATHS}
    for preset in (PRESET, PRESETS["ofiq"]):
        with pytest.raises(InputError, match="got no mated pair"):
            evaluate_edc([oracle()], embeddings, alone, preset=preset)
    strange = PairTable(paths=("x", "y"), pairs=Pairs(first=[0], second=[1], mated=[True]))
    with pytest.raises(InputError, match="got none of 1 with both in r"):
        evaluate_edc([oracle()], embeddings, strange, preset=PRESET)
