import csv
import json

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.misalignment import Jitter, Misaligned
from facegauge.evaluate.misalignment_report import MisalignmentReport, evaluate_misalignment


def misaligned(count: int = 41, without: int = 1) -> Misaligned:
    rng = np.random.default_rng(0)
    clean = rng.uniform(0, 100, count)
    clean[:without] = np.nan
    return Misaligned(
        model="m-1",
        jitter=Jitter(pixels=2.0, relative=True, repeats=5, seed=7),
        paths=tuple(f"{at}.png" for at in range(count)),
        clean=clean,
        jittered=clean[:, None] + rng.normal(size=(count, 5)),
    )


def test_medians_are_over_pictures_with_every_score(tmp_path):
    found = misaligned()
    report = MisalignmentReport(found=found)
    record = report.to_dict()
    rows = [[float(v) for v in row] for row in found.jittered[1:]]
    spreads = sorted((sum((v - sum(row) / 5) ** 2 for v in row) / 4) ** 0.5 for row in rows)
    shifts = sorted(
        sum(abs(v - c) for v in row) / 5 for row, c in zip(rows, found.clean[1:], strict=True)
    )
    assert record["spread_median"] == pytest.approx((spreads[19] + spreads[20]) / 2)
    assert record["shift_median"] == pytest.approx((shifts[19] + shifts[20]) / 2)
    assert spreads[37] <= record["spread_95"] <= spreads[38]
    assert (record["images"], record["complete"], record["edc"]) == (41, 40, [])
    text = str(report)
    assert f"| Spread | {record['spread_median']:.2f} | {record['spread_95']:.2f} |" in text
    assert "up to 2 pixels of a 112-pixel crop, 5 times (seed 7); 40 of 41 pictures" in text
    report.write(tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == record
    with (tmp_path / "table.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert lines[0] == {
        "path": "0.png",
        **dict.fromkeys(("clean", "jittered_mean", "spread", "shift"), ""),
    }
    assert float(lines[5]["spread"]) == pytest.approx(found.spread[5], abs=1e-4)
    assert "Spread" in (tmp_path / "report.html").read_text()


def test_no_picture_with_every_score():
    with pytest.raises(InputError, match=r"got none of 3\. Use less jitter"):
        MisalignmentReport(found=misaligned(3, without=3))


@pytest.mark.parametrize("given", [{"identities": {"a": "b"}}, {"embeddings": {"r": None}}])
def test_curves_need_identities_and_embeddings(given):
    with pytest.raises(OptionError, match="Give both"):
        evaluate_misalignment([], None, None, Jitter(), **given)
