import csv
import io

import pytest

from facegauge.errors import InputError
from facegauge.evaluate.table import OVERALL, tables, to_csv, to_markdown
from toy_lines import line

SETS = ("adience", "lfw", "cplfw", "cfpfp", "calfw", "xqlfw")
PAPER = {  # AI-KD (arXiv 2404.09555), aligned, AdaFace: six sets and the printed mean
    "FaceQAN": ((0.880, 0.780, 0.679, 0.387, 0.952, 0.634), "0.719"),
    "SER-FIQ": ((0.839, 0.897, 0.743, 0.619, 0.879, 0.843), "0.803"),
    "FaceQnet": ((0.961, 0.862, 0.883, 0.735, 0.937, 0.977), "0.893"),
}


def paper():
    return [
        line(method, name, pauc=value)
        for method, (values, _) in PAPER.items()
        for name, value in zip(SETS, values, strict=True)
    ]


def two_by_two():
    """Two methods, two sets, two recognisers; ``b`` has no curve on lfw with CosFace."""
    values = {
        ("a", "lfw", "AdaFace"): 0.5,
        ("b", "lfw", "AdaFace"): 0.4,
        ("a", "xqlfw", "AdaFace"): 0.6,
        ("b", "xqlfw", "AdaFace"): 0.9,
        ("a", "lfw", "CosFace"): 0.7,
        ("a", "xqlfw", "CosFace"): 0.3,
        ("b", "xqlfw", "CosFace"): 0.2,
    }
    return [
        line(*key, pauc=value, pauc_low=value - 0.05, pauc_high=value + 0.05)
        for key, value in values.items()
    ]


def test_the_mean_column_is_that_of_the_paper():
    (table,) = tables(paper())
    assert table.columns == SETS
    for row in table.rows:
        assert table.number(row.mean.value) == PAPER[row.method][1]


def test_the_lowest_of_each_column_is_bold_as_in_the_paper():
    (table,) = tables(paper())
    best = {row.method: [cell.best for cell in (*row.cells, row.mean)] for row in table.rows}
    assert best == {
        "FaceQAN": [False, True, True, True, False, True, True],
        "SER-FIQ": [True, False, False, False, True, False, False],
        "FaceQnet": [False] * 7,
    }


def test_a_table_per_recogniser_and_one_over_all():
    first, second, overall = tables(two_by_two())
    assert (first.heading, second.heading, overall.heading) == ("AdaFace", "CosFace", OVERALL)
    assert overall.columns == ("AdaFace", "CosFace")
    a, b = overall.rows
    assert [cell.value for cell in a.cells] == pytest.approx([0.55, 0.5])
    assert a.mean.value == pytest.approx(0.525)
    assert b.cells[1] is None
    assert b.mean is None


def test_a_mean_over_fewer_sets_is_not_printed():
    _, second, _ = tables(two_by_two())
    assert [row.mean is None for row in second.rows] == [False, True]


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ((0.50001, 0.50002), [True, True]),  # the same digits are shown
        ((0.501, 0.502), [True, False]),
        ((0.5,), [False]),  # nothing to compare with
        ((None, 0.5), [None, False]),
        ((None, 0.5, 0.6), [None, True, False]),
    ],
)
def test_best_is_decided_on_what_is_shown(values, best):
    (table,) = tables([line(f"m{i}", pauc=value) for i, value in enumerate(values)])
    cells = [row.cells[0] for row in table.rows]
    assert [None if cell is None else cell.best for cell in cells] == best


@pytest.mark.parametrize(
    ("value", "shown"), [(0.71449, "0.714"), (1.2, "1.200"), (0.00931, "0.00931"), (0.0, "0.000")]
)
def test_small_areas_keep_three_digits(value, shown):
    (table,) = tables([line(pauc=value)])
    assert table.number(value) == shown


def test_markdown_has_bold_intervals_and_the_mean():
    text = to_markdown(tables(two_by_two()), "difiqa, FMR 0.001")
    assert text.startswith("# Error versus discard\n\nPreset difiqa, FMR 0.001. pAUC, lower")
    assert "## AdaFace\n\n| Method | lfw | xqlfw | Mean |\n| --- | ---: | ---: | ---: |\n" in text
    assert "| a | 0.500 [0.450, 0.550] | **0.600** [0.550, 0.650] | **0.550** |" in text
    assert "| b | – | **0.200** [0.150, 0.250] | – |" in text


def test_odd_names_do_not_break_markdown():
    (table,) = tables([line("a|b *c*\n<script>", set_name="x_y`z")])
    rows = table.markdown().splitlines()
    assert rows[2] == "| Method | x\\_y\\`z | Mean |"
    assert rows[4].startswith("| a\\|b \\*c\\* &lt;script> | ")


def test_csv_holds_every_number_in_full():
    lines = two_by_two()
    rows = list(csv.DictReader(io.StringIO(to_csv(tables(lines)))))
    assert [(row["recogniser"], row["method"]) for row in rows] == [
        ("AdaFace", "a"),
        ("AdaFace", "b"),
        ("CosFace", "a"),
        ("CosFace", "b"),
    ]
    for each in lines:
        row = next(
            row
            for row in rows
            if (row["recogniser"], row["method"]) == (each.recogniser, each.method)
        )
        assert float(row[each.set_name]) == each.pauc
        assert float(row[f"{each.set_name} low"]) == each.pauc_low
        assert float(row[f"{each.set_name} high"]) == each.pauc_high
    assert float(rows[0]["mean"]) == pytest.approx(0.55)
    assert (rows[3]["lfw"], rows[3]["lfw high"], rows[3]["mean"]) == ("", "", "")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "at least one curve, got none"),
        ([line(), line()], "one curve of 'ours' on 'lfw' with 'AdaFace', got two"),
        ([line(), line("b", fmr=1e-4)], "FMR 0.001, pAUC .* and 'difiqa, FMR 0.0001"),
        ([line(), line("b", preset="nist")], "one rule"),
        ([line(), line("b", discard_limit=0.2)], "one rule"),
    ],
)
def test_what_cannot_be_compared_is_refused(lines, words):
    with pytest.raises(InputError, match=words):
        tables(lines)
