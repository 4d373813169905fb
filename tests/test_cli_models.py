"""The commands that handle model files and crops, through the command line."""

import json
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from facegauge import models
from facegauge.alignment import TEMPLATE, align
from facegauge.cards import Kind
from facegauge.operating import OperatingPoint, OperatingTable
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Landmarks
from tiny_models import edited, recogniser_file

POINTS = Landmarks.from_array(TEMPLATE * 1.3 + 20)


@pytest.fixture
def photos(tmp_path):
    """Three pictures; two of them have landmarks."""
    (tmp_path / "photos" / "anna").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("a.png", "anna/b.png", "c.png"):
        pixels = rng.integers(0, 256, (220, 220, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    five = ",".join(map(str, POINTS.array().ravel().tolist()))
    lines = [",".join(LANDMARK_COLUMNS), f"a.png,{five}", f"anna/b.png,{five}"]
    (tmp_path / "l.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "photos"


def flip(model: onnx.ModelProto) -> None:
    [tensor] = [one for one in model.graph.initializer if one.name == "net/mix"]
    tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))


def test_check_tells_good_from_damaged(console, tiny, tmp_path):
    good = console("models", "check", tiny)
    assert (good.code, "ok" in good.out) == (0, True)
    bad = console("models", "check", edited(tiny, tmp_path / "bad.onnx", flip))
    assert (bad.code, "FAILED" in bad.out) == (1, True)


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize("name", ["nonesuch", "missing.onnx", "text.onnx"])
def test_what_is_no_model_is_wrong_usage(console, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.onnx").write_text("no model")
    done = console("models", command, name)
    assert done.code == 2
    assert name in done.err


def test_show_prints_the_card_as_json(console, tiny):
    done = console("models", "show", tiny)
    assert done.code == 0
    shown = json.loads(done.out)
    shown.pop("costs", None)  # see test_costs.py
    assert shown == json.loads(models.read_card(tiny).to_json())


def test_list_names_the_embedded_models(console, tiny, tmp_path, monkeypatch):
    (tmp_path / "tiny.onnx").write_bytes(tiny.read_bytes())
    monkeypatch.setattr(models, "_embedded_folder", lambda: tmp_path)
    done = console("models", "list")
    assert done.code == 0
    for word in ("tiny", "utility", "aligned 32x32", "MB"):
        assert word in done.out


def test_wrap_makes_a_recogniser(console, tmp_path):
    source, out = recogniser_file(tmp_path / "net.onnx"), tmp_path / "wrapped.onnx"
    done = console("models", "wrap", source, "--convention", "bgr-unit", "--out", out)
    assert done.code == 0
    assert "net-1" in done.out
    assert models.open(out).card.kind is Kind.RECOGNISER
    assert console("models", "check", out).code == 0
    again = console("models", "wrap", out, "--convention", "raw", "--out", tmp_path / "x.onnx")
    assert (again.code, "already" in again.err) == (2, True)
    wrong = console("models", "wrap", source, "--convention", "nonesuch", "--out", out)
    assert (wrong.code, "arcface" in wrong.err) == (2, True)
    scored = console("score", tmp_path, "--input", "crop", "--model", out)
    assert (scored.code, "recogniser" in scored.err) == (2, True)


@pytest.mark.parametrize("resampling", ["smooth", "reference"])
def test_wrap_says_how_faces_are_aligned(console, tmp_path, resampling):
    source, out = recogniser_file(tmp_path / "net.onnx"), tmp_path / "wrapped.onnx"
    wrap = ("models", "wrap", source, "--convention", "raw", "--out", out)
    assert console(*wrap, "--resampling", resampling).code == 0
    assert models.open(out).card.crop.resampling == resampling
    wrong = console(*wrap, "--resampling", "area")
    assert (wrong.code, "smooth, reference" in wrong.err) == (2, True)


def test_annotate_puts_operating_tables_into_the_card(console, tiny, tmp_path):
    card = models.read_card(tiny)
    point = OperatingPoint(score=10.0, discarded=0.1, comparisons=20, errors=1)
    table = OperatingTable(
        recogniser="r", threshold=0.3, samples=10, failures=1, points=(point,), data="toys"
    )
    file, out = tmp_path / "operating.json", tmp_path / "deep" / "new.onnx"
    records = [{"method": card.identifier, **table.to_dict()}]
    file.write_text(json.dumps([*records, {**records[0], "method": "other"}]))
    done = console("models", "annotate", tiny, file, "--out", out)
    assert (done.code, "1 operating tables" in done.out) == (0, True)
    assert models.read_card(out) == replace(card, operating=(table,))
    assert console("models", "check", out).code == 0
    file.write_text(json.dumps(records[:0]))
    wrong = console("models", "annotate", tiny, file, "--out", out)
    assert (wrong.code, "got those of none" in wrong.err) == (2, True)
    assert models.read_card(out).operating == (table,)


def test_kinds_tells_what_can_be_imported(console):
    done = console("models", "kinds")
    assert done.code == 0
    assert "cr-fiqa-l: utility, aligned 112x112, needs --calibrate" in done.out
    assert "CC BY-NC 4.0 (not for commercial use)" in done.out
    assert "magface: utility" in done.out
    assert "https://github.com/IrvingMeng/MagFace" in done.out


def crops(folder):
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path))
        for path in sorted(folder.rglob("*.png"))
    }


@pytest.mark.parametrize("mode", ["smooth", "reference"])
def test_align_writes_crops(console, photos, tmp_path, mode):
    out, table = tmp_path / "out", tmp_path / "l.csv"
    done = console("align", photos, "--out", out, "--landmarks", table, "--size", 64,
                   "--mode", mode)  # fmt: skip
    assert done.code == 0
    assert "2 crops" in done.out
    assert "c.png: no landmarks" in done.err
    written = crops(out)
    assert set(written) == {"a.png", "anna/b.png"}
    for name, crop in written.items():
        expected = align(np.asarray(Image.open(photos / name)), POINTS, 64, mode)
        assert (crop == expected).all()


def test_align_jitters_by_seed(console, photos, tmp_path):
    def run(number, *options):
        command = ("align", photos, "--landmarks", tmp_path / "l.csv")
        assert console(*command, "--out", tmp_path / str(number), *options).code == 0
        return crops(tmp_path / str(number))["a.png"]

    one = run(1, "--jitter", 3, "--seed", 4)
    assert (one == run(2, "--jitter", 3, "--seed", 4)).all()
    assert (one != run(3, "--jitter", 3, "--seed", 5)).any()
    assert (one != run(4)).any()
    assert (run(5, "--seed", 4) == run(6)).all()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--size", 0], 2),
        (["--jitter", -1], 2),
        (["--jitter", "nan"], 2),
        (["--seed", -1], 2),
        (["--mode", "cubic"], 2),
        (["--landmarks", "missing.csv"], 2),
    ],
)
def test_align_checks_its_options(console, photos, tmp_path, options, code):
    landmarks = [] if "--landmarks" in options else ["--landmarks", tmp_path / "l.csv"]
    done = console("align", photos, "--out", tmp_path / "out", *landmarks, *options)
    assert done.code == code


def test_align_without_a_crop_ends_with_1(console, photos, tmp_path):
    done = console("align", photos / "c.png", "--out", tmp_path / "o", "--landmarks",
                   tmp_path / "l.csv")  # fmt: skip
    assert (done.code, "0 crops" in done.out) == (1, True)


def test_an_unknown_recipe_is_wrong_usage(console):
    done = console("recipes", "nonesuch")
    assert done.code == 2
    assert done.err.startswith("facegauge: ")


@pytest.mark.parametrize(
    "words",
    [
        ["recipes"],
        ["export", "run", "--out", "x.onnx"],
        ["train", "first", "--out", "run", "--data", "folder"],
        ["models", "import", "magface", "a.pt", "--out", "a.onnx"],
    ],
)
def test_a_missing_extra_is_one_line(console, monkeypatch, words):
    for room in ("recipes", "export", "first", "imports"):
        monkeypatch.delitem(sys.modules, f"facegauge.train.{room}", raising=False)
    monkeypatch.setitem(sys.modules, "facegauge.train", None)
    done = console(*words)
    assert done.code == 2
    assert "pip install 'facegauge[train]'" in done.err
