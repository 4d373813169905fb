import json

import pytest

from tiny_models import quality_file


@pytest.fixture
def tiny(tmp_path):
    return quality_file(tmp_path / "tiny.onnx", size=32)


def test_bench_prints_stages_networks_and_memory(console, tiny, tmp_path):
    out = tmp_path / "bench.json"
    words = ["--model", tiny, "--input", "aligned", "--count", 4, "--threads", 1, "--out", out]
    done = console("bench", *words)
    assert done.code == 0
    for word in ("decode", "align", "infer", "write", "1 workers, cpu", "peak memory", "tiny-1"):
        assert word in done.out
    found = json.loads(out.read_text())
    assert [stage["name"] for stage in found["stages"]] == [
        "decode",
        "detect",
        "align",
        "infer",
        "write",
    ]
    assert found["milliseconds"] == pytest.approx(
        sum(stage["milliseconds"] for stage in found["stages"])
    )
    assert found["networks"][0]["name"] == "tiny-1"


def test_bench_says_why_a_share_is_missing(console, tiny, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx_tool", None)
    done = console("bench", "--model", tiny, "--input", "aligned", "--count", 2, "--threads", 1)
    assert done.code == 0
    assert "tiny-1 has no share: counting MACs needs onnx-tool" in done.err


def test_bench_needs_a_device_that_is_there_and_a_place_to_write(console, tiny, tmp_path):
    done = console("bench", "--model", tiny, "--device", "tpu")
    assert done.code == 2
    assert "got 'tpu'" in done.err
    words = ["--model", tiny, "--input", "aligned", "--count", 1, "--threads", 1]
    done = console("bench", *words, "--out", tmp_path / "missing" / "bench.json")
    assert done.code == 2
    assert "pass another --out" in done.err.lower()
