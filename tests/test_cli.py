import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import facegauge
from broken_images import READABLE, make_broken_folder
from facegauge import cli
from facegauge.alignment import TEMPLATE
from facegauge.images import IMAGE_SUFFIXES
from facegauge.score_row import SCORE_COLUMNS
from facegauge.score_table import read_scores
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.values import Outcome
from packed import packed

# Flags are promises: add to this table, never rename or remove.
FLAGS = {
    "": {"--version"},
    "score": {
        *("--model", "--input", "--landmarks", "--faces", "--out", "--resume"),
        *("--workers", "--batch-size", "--device", "--detector", "--draw"),
        *("--explain", "--engine", "--address"),
    },
    "detect": {"--out", "--detector", "--confidence", "--faces", "--workers"},
    "align": {
        *("--out", "--landmarks", "--size", "--mode", "--jitter", "--seed"),
        *("--detector", "--faces"),
    },
    "train": {"--out", "--data", "--set", "--stage", "--resume", "--workers", "--device"},
    "recipes": set(),
    "export": {"--out", "--set", "--recogniser"},
    "embed": {"--recogniser", "--out", "--landmarks", "--detector", "--aligned", "--workers"},
    "label": {
        *("--images", "--recogniser", "--out", "--identities", "--landmarks", "--detector"),
        *("--aligned", "--set", "--seed", "--resume", "--workers", "--batch-size", "--diffusion"),
        "--device",
    },
    "evaluate": set(),
    "evaluate set": {"--layout", "--images", "--out"},
    "evaluate edc": {
        *("--scores", "--embeddings", "--pairs", "--identities", "--preset", "--fmr", "--discard"),
        *("--groups", "--templates", "--images", "--resamples", "--seed", "--out", "--name"),
    },
    "evaluate correlation": {"--scores", "--labels", "--resamples", "--seed", "--out"},
    "evaluate alignment": {
        *("--images", "--landmarks", "--model", "--identities", "--embeddings", "--jitter"),
        *("--relative", "--repeats", "--preset", "--fmr", "--discard"),
        *("--resamples", "--seed", "--out"),
    },
    "select": {
        *("--scores", "--out", "--per", "--keep", "--discard", "--min-score", "--apart"),
        *("--identities", "--tracks", "--embeddings", "--unscored", "--reasons"),
        *("--link-to", "--images"),
    },
    "compare": {"--out", "--names", "--different-models", "--resamples", "--seed"},
    "bench": {"--model", "--input", "--threads", "--device", "--count", "--out"},
    "serve": {
        *("--host", "--port", "--model", "--input", "--detector", "--faces", "--device"),
        *("--workers", "--api-key", "--file-bytes", "--request-bytes", "--held-bytes", "--pixels"),
        *("--files", "--queue", "--requests", "--upload-seconds", "--grace-seconds"),
        "--batch-size",
    },
    "models": set(),
    "models list": set(),
    "models show": set(),
    "models check": set(),
    "models wrap": {"--convention", "--out", "--resampling"},
    "models annotate": {"--out"},
    "models kinds": set(),
    "models import": {"--out", "--calibrate", "--commercial-only", "--any-version"},
}


def flags(command, name: str = "") -> dict[str, set[str]]:
    """Every command below this one with its options."""
    found = {name: {flag for each in command.params for flag in each.opts if flag[:1] == "-"}}
    for word, below in getattr(command, "commands", {}).items():
        found |= flags(below, f"{name} {word}".strip())
    return found


@pytest.fixture
def photos(tmp_path):
    """Three pictures of noise, one that cannot be read, and landmarks for two."""
    folder = tmp_path / "photos"
    (folder / "anna").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for contrast, name in ((60, "a.png"), (90, "anna/b.png"), (120, "c.jpg")):
        pixels = 128 + contrast * rng.uniform(-1, 1, (200, 200, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    points = ",".join(map(str, (TEMPLATE + 30).ravel().tolist()))
    smaller = ",".join(map(str, (TEMPLATE / 2 + 90).ravel().tolist()))
    lines = [",".join(LANDMARK_COLUMNS), f"a.png,{points}", f"anna/b.png,{points}"]
    (tmp_path / "landmarks.csv").write_text("\n".join([*lines, f"a.png,{smaller}"]) + "\n")
    return folder


def printed_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_flags_are_the_promised_ones():
    assert flags(typer.main.get_command(cli.app)) == FLAGS


def test_every_command_explains_itself(console):
    for name in FLAGS:
        done = console(*name.split(), "--help")
        assert done.code == 0
        assert "Usage" in done.out


def test_version_and_help(console):
    assert console("--version").out.strip() == facegauge.__version__
    assert "score" in console().out + console().err


def test_rows_go_to_stdout_without_out(console, photos, tiny):
    done = console("score", photos, "--model", tiny, "--input", "crop")
    assert done.code == 0
    rows = printed_rows(done.out)
    assert list(rows[0]) == list(SCORE_COLUMNS)
    assert [row["path"] for row in rows] == ["a.png", "anna/b.png", "broken.jpg", "c.jpg"]
    assert [row["outcome"] for row in rows] == ["scored", "scored", "unreadable", "scored"]
    assert float(rows[0]["score"]) < float(rows[1]["score"]) < float(rows[3]["score"])
    assert rows[2]["detail"] == "not an image in a supported format"
    assert {row["model"] for row in rows} == {"tiny-1"}
    assert "4 images; 3 scored, 1 unreadable" in done.err


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_table_holds_the_same_rows(console, photos, tiny, tmp_path, suffix):
    options = ("--model", tiny, "--input", "crop")
    out = tmp_path / f"scores{suffix}"
    done = console("score", photos, *options, "--out", out, "--workers", 2, "--batch-size", 3)
    assert (done.code, done.out) == (0, "")
    rows = list(read_scores(out))
    printed_too = printed_rows(console("score", photos, *options).out)
    for row, printed in zip(rows, printed_too, strict=True):
        assert (row.path, str(row.outcome)) == (printed["path"], printed["outcome"])
        assert (row.score is None) == (printed["score"] == "")
        if row.score is not None:
            assert row.score == pytest.approx(float(printed["score"]), abs=1e-3)


@pytest.mark.parametrize(
    ("faces", "rows"), [("largest", ["a.png 0"]), ("all", ["a.png 0", "a.png 1"]), ("single", [])]
)
def test_photos_are_scored_by_their_landmarks(console, photos, tiny, cells, tmp_path, faces, rows):
    table = tmp_path / "landmarks.csv"
    done = console("score", photos, "--model", tiny, "--landmarks", table, "--faces", faces)
    assert done.code == 0
    scored = [row for row in printed_rows(done.out) if row["outcome"] == "scored"]
    assert [f"{row['path']} {row['face']}" for row in scored] == [*rows, "anna/b.png 0"]
    [without] = [row for row in printed_rows(done.out) if row["path"] == "c.jpg"]
    assert (without["outcome"], without["score"]) == ("no_face", "")


def test_a_run_is_resumed(console, photos, tiny, tmp_path):
    out = tmp_path / "s.csv"
    command = ("score", photos, "--model", tiny, "--input", "crop", "--out", out)
    assert console(*command).code == 0
    whole = out.read_bytes()
    again = console(*command)
    assert (again.code, out.read_bytes()) == (2, whole)
    out.write_bytes(whole[: len(whole) * 2 // 3])
    resumed = console(*command, "--resume")
    assert (resumed.code, out.read_bytes()) == (0, whole)
    done = console(*command, "--resume")
    assert (done.code, out.read_bytes()) == (0, whole)
    assert "4 in the table already" in done.err


def test_landmarks_that_fit_no_picture_are_told(console, photos, tiny, cells, tmp_path):
    table = tmp_path / "landmarks.csv"
    done = console("score", photos / "c.jpg", "--model", tiny, "--landmarks", table)
    assert done.code == 1
    assert "0 of 1 images have landmarks" in done.err


def test_odd_names_of_tables_are_printed_as_they_are(console, photos, tiny, cells, tmp_path):
    odd = tmp_path / "[odd" / "]" / "[bold" / "].csv"
    odd.parent.mkdir(parents=True)
    odd.write_bytes((tmp_path / "landmarks.csv").read_bytes())
    done = console("score", photos / "c.jpg", "--model", tiny, "--landmarks", odd)
    assert done.code == 1
    assert str(odd) in done.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["{photos}/anna/b.png", "--input", "crop"], 0, "1 scored"),
        (["{photos}/broken.jpg", "--input", "crop"], 1, "1 unreadable"),
        (["{photos}/nothing.jpg", "--input", "crop"], 1, "1 unreadable"),
        (["{photos}/a.png", "--faces", "all"], 0, "scored"),
        (["{photos}", "--input", "aligned", "--detector", "detector"], 2, "Leave the detector out"),
        (["{photos}", "--detector", "nonesuch"], 2, "nonesuch"),
        (["{photos}", "--detector", "x", "--landmarks", "{photos}/l.csv"], 2, "Give one"),
        (["{photos}", "--draw", "{photos}/drawn"], 2, "outside of it"),
        (["{photos}", "--input", "crop", "--draw", "{photos}"], 2, "something in it"),
        (["{photos}", "--input", "video"], 2, "video"),
        (["{photos}", "--input", "crop", "--model", "nonesuch"], 2, "nonesuch"),
        (["{photos}", "--input", "crop", "--model", "{photos}/a.png"], 2, "a.png"),
        (["{photos}", "--input", "crop", "--device", "tpu"], 2, "tpu"),
        (["{photos}", "--input", "crop", "--batch-size", "0"], 2, "--batch-size"),
        (["{photos}", "--input", "crop", "--workers", "0"], 2, "--workers"),
        (["{photos}", "--input", "crop", "--resume"], 2, "--out"),
        (["{photos}", "--input", "crop", "--out", "{photos}/s.txt"], 2, ".csv"),
        (["{photos}", "--input", "crop", "--out", "{photos}/a.png/s.csv"], 2, "s.csv"),
        (["{photos}", "--landmarks", "{photos}/none.csv"], 2, "none.csv"),
        (["{photos}", "--landmarks", "{photos}/a.png"], 2, "a.png"),
        (["{photos}", "--nonesuch"], 2, "--nonesuch"),
        ([], 2, "paths"),
    ],
)
def test_exit_codes(console, photos, tiny, cells, words, code, told):
    words = [word.format(photos=photos) for word in words]
    model = [] if "--model" in words else ["--model", tiny]
    done = console("score", *words, *model)
    assert done.code == code
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_folder_of_odd_files_is_scored_to_its_end(console, tiny, tmp_path, suffix):
    outcomes = make_broken_folder(tmp_path / "odd")
    out = tmp_path / f"scores{suffix}"
    done = console("score", tmp_path / "odd", "--model", tiny, "--input", "crop", "--out", out)
    assert done.code == 0
    found = {row.path: row for row in read_scores(out)}
    taken = {name for name in outcomes if name.lower().endswith(tuple(IMAGE_SUFFIXES))}
    assert set(found) == taken
    assert len(taken) > 60
    for name in taken:
        readable = found[name].outcome is not Outcome.UNREADABLE
        assert readable == (outcomes[name] == READABLE), name
        assert found[name].detail
    passed_over = len(outcomes) - len(taken)
    assert f"{len(taken)} images" in done.err
    assert f"{passed_over} files without an image suffix" in done.err


def test_archives_are_scored_where_they_are_given_by_name(tmp_path, console, tiny):
    (tmp_path / "in").mkdir()
    Image.fromarray(np.arange(4800, dtype=np.uint8).reshape(40, 40, 3)).save(tmp_path / "in/1.png")
    whole = packed(tmp_path / "in", tmp_path / "in" / "whole.zip")
    done = console("score", tmp_path / "in", "--model", tiny, "--input", "aligned")
    assert "1 archives passed over: to score one, give it by name" in done.err
    inside = console("score", whole, "--model", tiny, "--input", "aligned")
    assert (inside.code, inside.out) == (0, done.out)
    assert "1.png,0,scored" in inside.out
    assert "archives" not in inside.err


def program(*words: object, folder: Path) -> subprocess.CompletedProcess[bytes]:
    code = "from facegauge.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=folder, capture_output=True, timeout=60
    )


def test_the_program_itself_is_silent_when_piped(photos, tiny):
    done = program("score", ".", "--model", tiny, "--input", "crop", folder=photos)
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 5
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\r" not in done.stderr


def test_the_program_prints_odd_names_and_ends_with_2_on_errors(tiny, tmp_path):
    folder = os.fsencode(tmp_path) + b"/odd"
    Path(os.fsdecode(folder)).mkdir()
    try:
        Path(os.fsdecode(folder + b"/\xff.jpg")).write_bytes(b"no picture")
    except OSError:
        Path(os.fsdecode(folder + b"/x.jpg")).write_bytes(b"no picture")
    done = program("score", "odd", "--model", tiny, "--input", "crop", folder=tmp_path)
    assert done.returncode == 1
    assert b".jpg,0,unreadable" in done.stdout
    wrong = program("score", "odd", "--model", "nonesuch", folder=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(b"facegauge: ")
    assert b"Traceback" not in done.stderr + wrong.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_standard_output_is_one_line_and_exit_code_2(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    command = [sys.executable, "-c", "from facegauge.cli import main; main()", "score", tmp_path]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, "--input", "aligned"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2
    assert "the standard output took no more: No space left on device" in done.stderr
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr
