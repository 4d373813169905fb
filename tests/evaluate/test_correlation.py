import csv
import json
import time

import matplotlib
import numpy as np
import pytest
from scipy import stats

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.correlation import MEASURES, correlate
from facegauge.evaluate.logistic import fit_logistic


def pairs(count: int = 200, seed: int = 0, levels: int | None = None):
    """Scores 0..100 and labels 1..5 that follow them; with ``levels``, both have ties."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=count)
    labels = 1 + 4 / (1 + np.exp(-1.5 * z)) + rng.normal(0, 0.4, count)
    scores = 50 + 15 * z + rng.normal(0, 4, count)
    return (scores, labels) if levels is None else (np.round(scores / levels), np.round(labels))


def slow_rank(values) -> list[float]:
    """Average rank: those below, and half of the equal ones."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def slow_pearson(a, b) -> float:
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    both = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return both / (
        sum((x - mean_a) ** 2 for x in a) ** 0.5 * sum((y - mean_b) ** 2 for y in b) ** 0.5
    )


def slow_tau_b(a, b) -> float:
    """(concordant - discordant) / sqrt of pairs untied in a x pairs untied in b."""
    agree = untied_a = untied_b = 0
    for i in range(len(a)):
        for j in range(i):
            left, right = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
            agree += left * right
            untied_a += left != 0
            untied_b += right != 0
    return agree / (untied_a * untied_b) ** 0.5


@pytest.mark.parametrize("levels", [None, 5, 12])
@pytest.mark.parametrize("seed", range(2))
def test_measures_equal_slow_ones_and_scipys(seed, levels):
    scores, labels = pairs(120, seed, levels)
    result = correlate(scores, labels, resamples=0)
    mapped = fit_logistic(scores, labels)(scores)
    slow = {
        "srcc": slow_pearson(slow_rank(scores), slow_rank(labels)),
        "krcc": slow_tau_b(scores, labels),
        "plcc": slow_pearson(mapped, labels),
        "rmse": (sum((a - b) ** 2 for a, b in zip(mapped, labels, strict=True)) / 120) ** 0.5,
    }
    assert {name: getattr(result, name) for name in MEASURES} == pytest.approx(slow, abs=1e-12)
    assert result.srcc == pytest.approx(stats.spearmanr(scores, labels).statistic, abs=1e-12)
    assert result.krcc == pytest.approx(stats.kendalltau(scores, labels).statistic, abs=1e-12)
    assert result.plcc == pytest.approx(stats.pearsonr(mapped, labels).statistic, abs=1e-12)


@pytest.mark.parametrize("change", [lambda s: 3 * s - 7, lambda s: s**3, np.arctan])
def test_a_monotone_change_of_scores_leaves_ranks_alone(change):
    scores, labels = pairs()
    one = correlate(scores, labels, resamples=20)
    other = correlate(change(scores / 100), labels, resamples=20)
    for name in ("srcc", "krcc", "srcc_low", "krcc_high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-12)


def test_a_turned_score_has_the_same_logistic_measures_and_the_other_sign_of_ranks():
    scores, labels = pairs()
    one, turned = (correlate(values, labels, resamples=0) for values in (scores, -scores))
    assert (turned.srcc, turned.krcc) == pytest.approx((-one.srcc, -one.krcc))
    assert (turned.plcc, turned.rmse) == pytest.approx((one.plcc, one.rmse), abs=1e-5)


def test_labels_against_themselves_are_perfect():
    _, labels = pairs()
    result = correlate(labels, labels, resamples=10)
    assert (result.srcc, result.krcc) == pytest.approx((1.0, 1.0))
    assert result.plcc == pytest.approx(1.0, abs=1e-4)
    assert result.srcc_low == pytest.approx(1.0)


def test_intervals_are_percentiles_of_resampled_images():
    scores, labels = pairs(60)
    result = correlate(scores, labels, resamples=200, seed=5)
    mapped = result.logistic(scores)
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(200):
        i = rng.integers(60, size=60)
        drawn.append(
            (
                stats.spearmanr(scores[i], labels[i]).statistic,
                stats.pearsonr(mapped[i], labels[i]).statistic,
                stats.kendalltau(scores[i], labels[i]).statistic,
                np.sqrt(np.mean((mapped[i] - labels[i]) ** 2)),
            )
        )
    for column, name in enumerate(MEASURES):
        low, high = np.percentile([row[column] for row in drawn], [2.5, 97.5])
        assert getattr(result, f"{name}_low") == pytest.approx(low, abs=1e-12)
        assert getattr(result, f"{name}_high") == pytest.approx(high, abs=1e-12)


def test_a_seed_repeats_and_another_differs():
    first, same, other = (correlate(*pairs(), resamples=50, seed=seed) for seed in (1, 1, 2))
    assert first.to_dict() == same.to_dict()
    assert first.srcc_low != other.srcc_low
    assert first.srcc == other.srcc


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    truth = stats.spearmanr(*pairs(100_000, seed=99)).statistic
    results = [correlate(*pairs(150, seed=seed), resamples=200) for seed in range(40)]
    covered = sum(result.srcc_low <= truth <= result.srcc_high for result in results)
    assert covered >= 33  # below with a probability of 0.005 when it is 0.95


def test_a_thousand_resamples_of_a_thousand_images_take_seconds():
    scores, labels = pairs(1000)
    before = time.process_time()
    correlate(scores, labels)
    assert time.process_time() - before < 10


def test_without_resamples_there_are_no_intervals():
    result = correlate(*pairs(), resamples=0)
    assert all(result.to_dict()[f"{name}_low"] is None for name in MEASURES)
    assert "no intervals" in str(result)
    assert "[" not in str(result)


def test_it_prints_counts_values_and_intervals():
    result = correlate(*pairs(), resamples=30, seed=4)
    assert str(result).splitlines()[0] == (
        "200 images, 95% intervals from 30 resamples of them (seed 4)"
    )
    lines = str(result).splitlines()
    for name in MEASURES:
        shown = f"{getattr(result, name):.4f}  [{getattr(result, f'{name}_low'):.4f}, "
        assert any(line.startswith(name.upper()) and shown in line for line in lines)


def test_json_and_csv_hold_every_number(tmp_path):
    result = correlate(*pairs(), resamples=30)
    result.save(tmp_path / "new" / "results.json")
    result.save(tmp_path / "table.csv")
    record = json.loads((tmp_path / "new" / "results.json").read_text())
    assert record == result.to_dict()
    assert record["logistic"]["b4"] > 0
    assert (record["count"], record["resamples"], record["undefined"]) == (200, 30, 0)
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["measure"] for row in rows] == list(MEASURES)
    assert float(rows[0]["low"]) == result.srcc_low


def test_markdown_has_a_line_per_measure_and_the_counts(tmp_path):
    result = correlate(*pairs(), resamples=30)
    result.save(tmp_path / "table.md")
    text = (tmp_path / "table.md").read_text()
    assert text.startswith("200 images, 95% intervals from 30 resamples")
    assert f"| RMSE | {result.rmse:.4f} | [{result.rmse_low:.4f}, {result.rmse_high:.4f}] |" in text


@pytest.mark.parametrize("name", ["results.txt", "results", "taken/results.json"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OptionError, match="A correlation"):
        correlate(*pairs(), resamples=0).save(tmp_path / name)


def test_the_plot_shows_points_curve_numbers_and_count():
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    result = correlate(*pairs(), resamples=30)
    axes = result.plot()
    assert axes.collections[0].get_offsets().shape == (200, 2)
    assert f"SRCC {result.srcc:.4f}" in axes.get_title()
    assert "200 images" in axes.get_title()
    given = plt.figure().add_subplot()
    assert result.plot(given) is given
    plt.close("all")


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        ([5.0] * 20, range(20), "different predictions, got 1"),
        (range(3), range(3), "different predictions, got 3"),
        (range(20), [1.0] * 20, "labels that differ"),
        (range(20), range(19), "one label for each prediction"),
        ([np.nan, *range(19)], range(20), "finite"),
    ],
)
def test_what_has_no_correlation_is_refused(scores, labels, words):
    with pytest.raises(InputError, match=words):
        correlate(scores, labels)


def test_a_flat_fit_is_refused(monkeypatch):
    from facegauge.evaluate import correlation
    from facegauge.evaluate.logistic import Logistic

    flat = Logistic(b1=1.0, b2=1.0, b3=0.0, b4=1.0, start="scaled")
    monkeypatch.setattr(correlation, "fit_logistic", lambda x, y: flat)
    with pytest.raises(InputError, match="got a flat one"):
        correlate(*pairs())


def test_resamples_without_a_correlation_are_counted_and_too_many_refused():
    labels = np.zeros(40)
    labels[:4] = 1  # a resample misses all four with a probability of 0.015
    result = correlate(np.arange(40), labels, resamples=400)
    assert 0 < result.undefined < 20
    assert f"{result.undefined} undefined and left out" in str(result)
    with pytest.raises(InputError, match="Use more images, or pass resamples=0"):
        correlate(np.arange(40), np.arange(40) == 7)


def test_a_negative_number_of_resamples_is_refused():
    with pytest.raises(OptionError, match="0 resamples or more, got -1"):
        correlate(*pairs(), resamples=-1)
