import dataclasses
import inspect
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from facegauge import cli_serve, detection, models
from facegauge.baking import bake_detector
from facegauge.conventions import CONVENTIONS
from facegauge.serve import app, running
from facegauge.serve.limits import Limits, explained
from tiny_models import bright_cells, detector_card, quality_file

ROOT = Path(__file__).parents[1]


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    """A folder in the place of the embedded models, with a detector in it."""
    folder = tmp_path / "embedded"
    folder.mkdir()
    monkeypatch.setattr(models, "_embedded_folder", lambda: folder)
    card = detector_card(name=detection.DEFAULT)
    bake_detector(bright_cells(), CONVENTIONS["unit"], card, folder / f"{detection.DEFAULT}.onnx")
    return folder


@pytest.fixture
def started(monkeypatch, embedded):
    """What the command would have run; nothing is."""
    calls = []
    monkeypatch.setattr(running, "run", lambda app, **options: calls.append((app, options)))
    create = app.create_app
    made = []

    def created(scorer, **options):
        made.append((scorer, options))
        return create(scorer, **options)

    monkeypatch.setattr(app, "create_app", created)
    yield calls, made
    logging.getLogger("facegauge.serve").setLevel(logging.NOTSET)


def test_it_serves_at_this_machine_with_the_usual_limits(console, started, tiny):
    done = console("serve", "--model", tiny)
    [(_, options)], [(scorer, made)] = started
    assert done.code == 0
    assert options == {"host": "127.0.0.1", "port": 8000, "limits": Limits()}
    assert scorer.name == "tiny-1"
    assert (made["workers"], made["api_key"]) == (None, None)
    assert "http://127.0.0.1:8000" in done.err


def test_every_limit_is_a_flag_with_the_same_default_and_words(console, started, tiny):
    parameters = inspect.signature(cli_serve.serve).parameters
    words = ["serve", "--model", tiny]
    wanted = {}
    for each in dataclasses.fields(Limits):
        assert parameters[each.name].default == each.default
        wanted[each.name] = each.default + 1
        words += [f"--{each.name.replace('_', '-')}", each.default + 1]
    done = console(*words)
    assert done.code == 0, done.err
    [(_, options)], _ = started
    assert options["limits"] == Limits(**wanted)
    assert " ".join(explained("queue").split()[:3]) in " ".join(
        console("serve", "--help").out.split()
    )


def test_limits_that_contradict_are_told(console, started, tiny):
    done = console("serve", "--model", tiny, "--file-bytes", 10**12)
    assert done.code == 2
    assert "never admits" in done.err
    assert started[0] == []


def test_other_models_of_the_package_answer_too(console, started, tiny, embedded):
    quality_file(embedded / "tiny.onnx", frame=0.5)
    console("serve", "--model", "tiny")
    console("serve", "--model", tiny)
    [(scorer, made), (_, same_name)] = started[1]
    assert scorer.model.path == embedded / "tiny.onnx"
    assert made["also"] == same_name["also"] == []


def test_further_scorers_share_the_detector(console, started, tiny, embedded, other):
    (embedded / "other.onnx").write_bytes(other.read_bytes())
    console("serve", "--model", tiny)
    [(scorer, made)] = started[1]
    [further] = made["also"]
    assert further.name == "other-1"
    assert further.detector is scorer.detector
    assert further.faces is scorer.faces


def test_a_key_comes_from_the_environment(console, started, tiny, monkeypatch):
    monkeypatch.setenv("FACEGAUGE_API_KEY", "a key of the tests")
    done = console("serve", "--model", tiny, "--host", "::")
    assert started[1][0][1]["api_key"] == "a key of the tests"
    assert "key" not in done.err


def test_an_open_service_on_a_network_is_told(console, started, tiny):
    assert "FACEGAUGE_API_KEY" in console("serve", "--model", tiny, "--host", "::").err
    assert "FACEGAUGE_API_KEY" not in console("serve", "--model", tiny).err


def test_a_missing_extra_names_the_line_that_installs_it(tmp_path):
    program = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['facegauge', 'serve'];"
        "from facegauge.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 2
    assert "pip install 'facegauge[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_container_runs_it_as_nobody_special():
    text = (ROOT / "Dockerfile").read_text()
    assert "USER facegauge" in text
    assert 'ENTRYPOINT ["facegauge", "serve"]' in text
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY")]
    for name in (each for line in copied for each in line):
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert models.DEFAULT in {path.stem for path in (ROOT / "src/facegauge/models").iterdir()}
