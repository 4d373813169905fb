"""On a Ray of two workers on this machine: the same rows as one machine, whoever is killed."""

import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from facegauge import parts
from facegauge.batch import score_images
from facegauge.errors import InputError, OptionError, SourceGone
from facegauge.parts import Part, Slice
from facegauge.score_table import read_scores
from facegauge.scoring import Scorer
from facegauge.tables import read_landmarks
from facegauge.values import Outcome
from facegauge.walk import Found, find_images
from packed import packed
from test_crops import write_table

ray = pytest.importorskip("ray")

from facegauge import scale  # noqa: E402
from facegauge.scale import Asked, score_on_ray  # noqa: E402

pytestmark = pytest.mark.slow
BATCH = 2


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers, for all tests here."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=200 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Twelve pictures that take a while to read, one that cannot be read, and a text."""
    folder = tmp_path_factory.mktemp("photos") / "in"
    (folder / "sub").mkdir(parents=True)
    rng = np.random.default_rng(5)
    for at in range(12):
        small = rng.integers(0, 256, (50, 50, 3), dtype=np.uint8)
        large = np.kron(small, np.ones((30, 30, 1), np.uint8))
        Image.fromarray(large).save(folder / ("sub" if at % 2 else ".") / f"{at:02}.png")
    (folder / "05.jpg").write_bytes(b"none")
    (folder / "note.txt").touch()
    return folder


@pytest.fixture(scope="module")
def landmarks(photos, tmp_path_factory) -> Path:
    """The middle of each picture is a face, of some there are two."""
    table = tmp_path_factory.mktemp("table") / "landmarks.csv"
    names = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    write_table(table, *names, *names[::3])
    return table


@pytest.fixture(scope="module")
def alone(photos, landmarks, tiny, tmp_path_factory) -> list:
    """The rows of one machine."""
    table = tmp_path_factory.mktemp("alone") / "t.parquet"
    scorer = Scorer(tiny, faces="all")
    known = read_landmarks(landmarks)
    score_images([photos], scorer=scorer, out=table, landmarks=known, batch_size=BATCH)
    return list(read_scores(table))


def asked(tiny: Path) -> Asked:
    return Asked(model=str(tiny), faces="all", batch_size=BATCH)


def on_ray(tiny, out, *paths, **options):
    options = {"batches": 1, **options}
    return score_on_ray([str(path) for path in paths], asked=asked(tiny), out=out, **options)


def test_two_workers_give_the_rows_of_one_machine(
    cluster, photos, landmarks, alone, tiny, tmp_path
):
    steps: list[int] = []
    summary = on_ray(tiny, tmp_path / "out", photos, landmarks=landmarks, progress=steps.append)
    assert list(read_scores(tmp_path / "out")) == alone
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 7
    assert (summary.images, summary.skipped, summary.passed_over) == (13, 0, 1)
    assert summary.outcomes == Counter(row.outcome for row in alone)
    assert summary.scored == 16
    assert summary.landmarks_matched == 12
    assert sum(steps) == 13
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "part-00000003.parquet").unlink()
    again = on_ray(tiny, tmp_path / "out", photos, landmarks=landmarks, resume=True)
    assert again.skipped == 11
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    with pytest.raises(OptionError, match="other.*landmarks"):
        on_ray(tiny, tmp_path / "out", photos, resume=True)


@pytest.mark.parametrize("ending", ["tar", "tgz", "zip", "parquet"])
def test_archives_and_urls_give_the_same_rows(
    cluster, photos, landmarks, alone, tiny, tmp_path, ending
):
    path = packed(photos, tmp_path / f"p.{ending}")
    rows = [row for row in alone if ending != "parquet" or row.path != "note.txt"]
    for number, place in enumerate([path, f"file://{path}"]):
        out = tmp_path / f"out{number}"
        summary = on_ray(tiny, out, place, landmarks=landmarks, batches=2)
        found = list(read_scores(out))
        if ending == "parquet":  # every row is a picture, the text too
            assert [row.path for row in found if row.path == "note.txt"] == ["note.txt"]
            assert Counter(row.path for row in found) - Counter(row.path for row in rows) == (
                Counter(["note.txt"])
            )
        else:
            assert found == alone
            assert summary.passed_over == 1


@pytest.mark.parametrize("ending", ["tar", ""])
def test_relative_paths_are_those_of_this_process(
    cluster, photos, landmarks, alone, tiny, tmp_path, monkeypatch, ending
):
    monkeypatch.chdir(tmp_path)  # the workers stay where they are
    Path("m.onnx").write_bytes(tiny.read_bytes())
    Path("in").symlink_to(photos)
    place = packed(photos, Path("p.tar")) if ending else "in"
    on_ray(Path("m.onnx"), Path("out"), place, landmarks=landmarks)
    assert list(read_scores("out")) == alone


def test_a_folder_behind_a_url_gives_the_same_rows(
    cluster, photos, landmarks, alone, tiny, tmp_path
):
    on_ray(tiny, tmp_path / "out", f"file://{photos}", landmarks=landmarks)
    assert list(read_scores(tmp_path / "out")) == alone


def test_a_killed_worker_loses_and_doubles_nothing(
    cluster, photos, landmarks, alone, tiny, tmp_path
):
    killed: list[int] = []
    watcher = threading.Thread(target=kill_one, args=(tmp_path / "out", killed))
    watcher.start()
    summary = on_ray(tiny, tmp_path / "out", photos, landmarks=landmarks)
    watcher.join()
    assert len(killed) == 1
    assert not Path(f"/proc/{killed[0]}").exists()
    assert list(read_scores(tmp_path / "out")) == alone
    assert (summary.images, summary.skipped) == (13, 0)
    assert summary.outcomes == Counter(row.outcome for row in alone)
    assert not list((tmp_path / "out").glob(".part*"))


def kill_one(out: Path, killed: list[int]) -> None:
    """Kill a worker of ours that is at a part when the first part is there, others are not."""
    deadline = time.monotonic() + 60
    while not killed and time.monotonic() < deadline:
        there = len(list(out.glob("part-*.parquet")))
        busy = [pid for pid in workers_at("_score") if is_ours(pid)] if there else []
        if busy and there < 6:
            os.kill(busy[0], signal.SIGKILL)
            killed.append(busy[0])
        time.sleep(0.005)


def workers_at(task: str) -> list[int]:
    """Processes that Ray has named after the task they are at."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(f"ray::{task}".encode()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def is_ours(pid: int) -> bool:
    """Whether a process descends from this one."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


def test_pictures_that_came_or_went_are_refused(cluster, photos, tiny, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("1.png", "2.png", "3.png"):
        (folder / name).write_bytes((photos / "00.png").read_bytes())
    on_ray(tiny, tmp_path / "out", folder)
    (folder / "0.png").write_bytes((photos / "00.png").read_bytes())
    with pytest.raises(OptionError, match="added or removed"):
        on_ray(tiny, tmp_path / "out", folder, resume=True)


def test_a_folder_that_disappears_ends_the_run(cluster, photos, alone, tiny, tmp_path, monkeypatch):
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(photos, folder)
    begun = scale._Run._begun

    def begun_and_gone(run, cut):
        first, *others = cut
        yield from begun(run, [first])
        folder.rename(tmp_path / "away")
        yield from begun(run, others)

    monkeypatch.setattr(scale._Run, "_begun", begun_and_gone)
    with pytest.raises(SourceGone, match=rf"{folder} is needed.*--resume"):
        on_ray(tiny, out, folder)
    monkeypatch.undo()
    (tmp_path / "away").rename(folder)
    on_ray(tiny, out, folder, resume=True)
    assert [row.path for row in read_scores(out)] == sorted({row.path for row in alone})
    assert sum(row.outcome is Outcome.UNREADABLE for row in read_scores(out)) == 1


def test_errors_of_workers_are_ours(cluster, photos, tiny, tmp_path, monkeypatch):
    path = packed(photos, tmp_path / "p.tar")
    (unit,) = find_images([path]).units
    wrong = Part(number=0, pieces=(Slice(archive=unit, start=0, stop=99),))
    monkeypatch.setattr(parts, "cut", lambda units, counts, size: iter([wrong]))
    with pytest.raises(InputError, match="as were counted, got 13"):
        on_ray(tiny, tmp_path / "out", path)


def test_a_picture_that_kills_every_worker_is_given_up(
    cluster, photos, tiny, tmp_path, monkeypatch
):
    deadly = Found(path=photos, name="deadly.jpg", content=partial(os._exit, 9))
    monkeypatch.setattr(scale, "RETRIES", 1)
    monkeypatch.setattr(scale, "_walk", lambda places: SimpleNamespace(units=iter([deadly])))
    with pytest.raises(InputError, match=r"after 1 retries.*--resume"):
        on_ray(tiny, tmp_path / "out", photos)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["run.json"]


@pytest.mark.parametrize("form", ["{}", "ray://{}"])
def test_an_address_where_nobody_answers(photos, tiny, tmp_path, monkeypatch, form):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = form.format(f"127.0.0.1:{taken.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(OptionError, match=f"{address}, got.*ray start --head"):
            on_ray(tiny, tmp_path / "out", photos, address=address)
    assert time.monotonic() - started < 30


def test_paths_and_urls_are_not_mixed(tiny, tmp_path):
    with pytest.raises(OptionError, match="got both"):
        on_ray(tiny, tmp_path / "out", tmp_path, "s3://faces")


def test_without_ray_the_command_line_says_what_to_install(console, photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "facegauge.scale")
    monkeypatch.delattr("facegauge.scale")
    done = console("score", photos, "--engine", "ray", "--out", tmp_path / "out")
    assert done.code == 2
    assert "pip install 'facegauge[scale]'" in done.err
    assert not (tmp_path / "out").exists()


def test_the_command_line_writes_a_folder_and_refuses_what_ray_does_not(
    cluster, console, photos, landmarks, tiny, tmp_path
):
    ask = ("score", photos, "--engine", "ray", "--model", tiny, "--landmarks", landmarks)
    done = console(*ask, "--out", tmp_path / "out", "--faces", "all", "--batch-size", BATCH)
    assert done.code == 0
    assert "13 images; 16 scored, 1 unreadable; 1 files without" in done.err
    assert len(list(read_scores(tmp_path / "out"))) == 17
    for wrong in ((), ("--out", tmp_path / "o", "--draw", tmp_path / "d")):
        done = console(*ask, *wrong)
        assert (done.code, done.out) == (2, "")
        assert "Pass --out DIR, and no --draw" in done.err
