"""What the bench says: which pictures, which stages, which networks. Never how fast."""

import sys

import numpy as np
import pytest
from PIL import Image

from facegauge import batch, costs, images
from facegauge.baking import bake_quality
from facegauge.bench import measuring
from facegauge.bench.measuring import DRAWN, STAGES, measure
from facegauge.conventions import CONVENTIONS
from facegauge.errors import MissingExtra, OptionError
from facegauge.score_table import ScoreTable
from tiny_models import quality_card, quality_file, textures


@pytest.fixture
def tiny(tmp_path):
    return quality_file(tmp_path / "tiny.onnx", size=32)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(5):
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / f"{number}.png")
    return tmp_path / "in"


def test_a_folder_is_measured_stage_by_stage(tiny, folder):
    read, append = images.read, ScoreTable.append
    found = measure(folder, model=str(tiny), input="aligned", workers=2)
    assert (found.images, found.scored, found.workers) == (5, 5, 2)
    assert (found.source, found.input, found.device) == (str(folder), "aligned", "cpu")
    times = {stage.name: stage.milliseconds for stage in found.stages}
    assert tuple(times) == STAGES
    assert times["detect"] == 0
    assert all(times[name] > 0 for name in STAGES if name != "detect")
    assert found.alone == pytest.approx(sum(times.values()))
    assert found.rate > 0
    assert found.gigaflops > 0
    assert images.read is read
    assert ScoreTable.append is append
    assert not list(folder.parent.glob("*.csv"))


def test_photographs_are_drawn_where_none_are_given():
    found = measure(count=2, workers=1)
    assert (found.images, found.scored, found.input) == (2, 2, "photo")
    assert found.source == "drawn pictures"
    assert all(stage.milliseconds > 0 for stage in found.stages)
    assert [each.name.split("-")[0] for each in found.networks] == ["utility", "detector"]
    assert DRAWN > batch.BATCH


def test_the_share_is_operations_at_the_best_rate_by_the_time_taken(tiny, folder):
    pytest.importorskip("onnx_tool")
    found = measure(folder, model=str(tiny), input="aligned", workers=1, count=2)
    assert found.images == 2
    [network] = found.networks
    assert network.macs == costs.measure(tiny).macs
    seconds = network.batched / 1e3
    assert network.share == pytest.approx(2 * network.macs / (found.gigaflops * 1e9) / seconds)


def test_without_the_counter_the_share_is_missing_and_the_reason_is_told(tiny, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx_tool", None)
    [network] = measure(folder, model=str(tiny), input="aligned", workers=1).networks
    assert network.macs is None
    assert network.share is None
    assert "counting MACs needs onnx-tool" in network.note
    with pytest.raises(MissingExtra):
        costs.measure(tiny)


def test_several_models_are_several_networks(tiny, folder, tmp_path):
    other = tmp_path / "other.onnx"
    bake_quality(textures(48), CONVENTIONS["arcface"], quality_card(48, name="other"), other)
    found = measure(folder, model=f"{tiny},{other}", input="aligned", workers=1)
    assert [each.side for each in found.networks] == [32, 48]


def test_memory_is_unknown_where_nobody_counts_it(monkeypatch):
    assert measuring.peak_megabytes() > 10
    monkeypatch.setitem(sys.modules, "resource", None)
    assert measuring.peak_megabytes() is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"count": 0}, "at least 1 picture, got 0"),
        ({"workers": 0}, "at least 1 worker, got 0"),
        ({"input": "video"}, "input must be one of"),
        ({"device": "tpu"}, "Devices are"),
    ],
)
def test_wrong_options_are_refused(folder, options, expected):
    with pytest.raises(OptionError, match=expected):
        measure(folder, **options)


def test_a_folder_without_pictures_is_refused(tiny, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match="there are none in .*empty"):
        measure(tmp_path / "empty", model=str(tiny), input="aligned")
