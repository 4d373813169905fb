"""schemathesis asks what the OpenAPI description allows, and much that it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from facegauge.scoring import Scorer
from facegauge.serve.app import create_app
from facegauge.serve.limits import Limits
from served import served
from toy_detector import squares

pytest.importorskip("schemathesis")
EXAMPLES = 30


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, "a key"])
def test_every_answer_is_as_described(tiny, tmp_path, key):
    limits = Limits(files=4, file_bytes=100_000, request_bytes=400_000)
    app = create_app(Scorer(tiny, detector=squares()), limits=limits, api_key=key)
    program = Path(sys.executable).with_name("schemathesis")
    with served(app) as service:
        address = f"http://127.0.0.1:{service.port}/openapi.json"
        command = [program, "run", address, "--max-examples", str(EXAMPLES), "--seed", "1"]
        command += ["--no-color", "--generation-database", "none"]
        command += ["--header", f"Authorization: Bearer {key}"] if key else []
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
        metrics = service.client.get("/metrics", headers={"authorization": f"Bearer {key}"}).text
    assert done.returncode == 0, done.stdout
    assert 'status="500"' not in metrics
