"""labels.csv and what stands beside it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.pictures import LeftOut
from facegauge.tables import read_labels
from facegauge.techniques.label_table import Made, finished, require_new, write_labels
from facegauge.techniques.technique import Labels

MADE = Made(
    technique="ser-fiq",
    constants={"passes": 7, "rate": 0.25},
    recogniser="toy-1",
    recogniser_sha256="00",
    faces="aligned",
    crop_size=24,
    crop_resampling="smooth",
    seed=3,
    sources={},
)
LABELS = Labels(
    paths=("a,b.png", "ü\udcff.png"),
    values=np.array([1.23456789e-16, 70.0]),
    left_out=(LeftOut(path="c", reason="blank"),),
)


def test_table_and_sidecar(tmp_path):
    out = tmp_path / "labels.csv"
    write_labels(out, LABELS, MADE)
    assert read_labels(out) == {"a,b.png": 1.234568e-16, "ü\udcff.png": 70.0}
    facts = json.loads((tmp_path / "labels.json").read_text())
    assert facts["constants"] == {"passes": 7, "rate": 0.25}
    assert (facts["labels"], facts["left_out"], facts["seed"]) == (2, 1, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv", "labels.json"}
    assert finished(out, MADE).values.tolist() == [1.234568e-16, 70.0]
    with pytest.raises(OptionError, match="other recogniser, seed, see"):
        finished(out, replace(MADE, recogniser="other-1", seed=4))


def test_nothing_is_overwritten(tmp_path):
    require_new(tmp_path / "labels.csv")
    with pytest.raises(OptionError, match="a .csv file"):
        require_new(tmp_path / "labels.txt")
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(OptionError, match=r"labels.json exists already"):
        require_new(tmp_path / "labels.csv")
    with pytest.raises(OptionError, match="place to write"):
        write_labels(tmp_path / "none" / "labels.csv", LABELS, MADE)
