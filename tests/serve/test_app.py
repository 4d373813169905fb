import csv
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from broken_images import encoded
from facegauge.detection import Detector
from facegauge.detectors import Network
from facegauge.panel import Panel
from facegauge.scoring import Scorer
from facegauge.serve.answers import ScoreAnswer
from facegauge.serve.app import create_app
from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem
from served import ONE, TWO, png, problem, served, until
from toy_detector import scene, squares


def test_a_face_has_the_score_that_python_gives_it(service, scorer):
    [expected] = scorer.assess(ONE)
    found = service.assessment(png(ONE))
    assert found["score"] == pytest.approx(expected.score, abs=1e-3)
    assert found == expected.to_dict() | {
        key: pytest.approx(found[key]) for key in ("score", "raw")
    }


def test_answers_are_as_described(service):
    response = service.score(png(ONE), b"", png(scene()))
    answer = ScoreAnswer.model_validate(response.json())
    assert [each.file for each in answer.results] == [0, 1, 2]
    outcomes = [each.assessments[0].outcome for each in answer.results]
    assert outcomes == ["scored", "unreadable", "no_face"]
    assert answer.model == "tiny-1"
    assert response.headers["cache-control"] == "no-store"


def test_a_bad_file_keeps_no_other_from_its_score(service):
    results = service.score(b"bad", png(ONE), b"worse").json()["results"]
    assert [each["assessments"][0]["outcome"] for each in results] == [
        *("unreadable", "scored", "unreadable")
    ]
    assert results[0]["assessments"][0]["detail"] == "not an image in a supported format"


@pytest.mark.parametrize(("faces", "count"), [("largest", 1), ("all", 2), ("single", 1)])
def test_faces_are_chosen_in_the_address(service, faces, count):
    [result] = service.score(png(TWO), faces=faces).json()["results"]
    assert len(result["assessments"]) == count
    several = result["assessments"][0]["outcome"] == "several_faces"
    assert several == (faces == "single")


def test_a_model_is_chosen_in_the_address(tiny, other):
    detector = squares()
    also = [Scorer(other, detector=detector)]
    with served(create_app(Scorer(tiny, detector=detector), also=also)) as service:
        asked = {None: "tiny-1", "tiny": "tiny-1", "other": "other-1"}
        for name, expected in asked.items():
            query = {} if name is None else {"model": name}
            assert service.assessment(png(ONE), **query)["model"] == expected
        detail = problem(service.score(png(ONE), model="third"), Problem.INVALID)
        assert "other, tiny" in detail


def test_a_panel_says_what_all_its_models_say(tiny, other):
    panel = Panel([tiny, other], detector=squares())
    with served(create_app(panel)) as service:
        response = service.score(png(ONE), b"bad")
    ScoreAnswer.model_validate(response.json())
    scored, bad = (each["assessments"][0] for each in response.json()["results"])
    assert scored["further"][0]["model"] == "other-1"
    assert scored["further"][0]["measures"] == []
    assert scored["further"][0]["score"] == pytest.approx(panel.assess(ONE)[0].further[0].score)
    assert [each["outcome"] for each in bad["further"]] == ["unreadable"]


def test_reasons_are_told_when_asked_for(service, tiny):
    [expected] = Scorer(tiny, detector=squares(), explain=True).assess(ONE)
    response = service.score(png(ONE), explain="true")
    ScoreAnswer.model_validate(response.json())
    found = response.json()["results"][0]["assessments"][0]
    assert len(found["measures"]) >= 10
    assert found["measures"] == expected.to_dict()["measures"]
    without = service.assessment(png(ONE))
    assert without["measures"] == []
    assert without["score"] == pytest.approx(found["score"], abs=1e-3)


class Gate:
    """A detector that waits at a gate, to hold requests inside the service."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waiting = threading.Semaphore(0)
        usual = squares().network

        def look(picture):
            self.waiting.release()
            assert self.open.wait(20)
            return usual.look(picture)

        network = Network(name="gate-1", look=look, confidence=0.5, size=64)
        self.detector = Detector(network, None)


def test_a_full_queue_refuses_at_once_and_loses_nothing(tiny):
    gate = Gate()
    scorer = Scorer(tiny, detector=gate.detector)
    limits = Limits(queue=3, files=2)
    with (
        served(create_app(scorer, limits=limits, workers=1)) as service,
        ThreadPoolExecutor(3) as clients,
    ):
        accepted = [clients.submit(service.assessment, png(ONE)) for _ in range(2)]
        gate.waiting.acquire(timeout=10)
        until(lambda: service.metrics()["facegauge_queue_files"] == 2)
        refused = service.score(png(ONE), png(ONE))
        assert "2 files are waiting, 3 may" in problem(refused, Problem.BUSY)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        accepted.append(clients.submit(service.assessment, png(ONE)))
        until(lambda: service.metrics()["facegauge_queue_files"] == 3)
        problem(service.score(png(ONE)), Problem.BUSY)
        assert service.client.get("/healthz").status_code == 200
        gate.open.set()
        assert [each.result()["outcome"] for each in accepted] == ["scored"] * 3
        assert service.assessment(png(ONE))["outcome"] == "scored"


def test_memory_for_uploads_is_bounded_over_all_requests(tiny):
    gate = Gate()
    content = png(ONE)
    limits = Limits(
        file_bytes=len(content), request_bytes=2 * len(content) - 1, held_bytes=2 * len(content)
    )
    scorer = Scorer(tiny, detector=gate.detector)
    with served(create_app(scorer, limits=limits)) as service, ThreadPoolExecutor(1) as clients:
        first = clients.submit(service.assessment, content)
        gate.waiting.acquire(timeout=10)
        problem(service.score(content), Problem.BUSY)
        gate.open.set()
        assert first.result()["outcome"] == "scored"
        assert service.assessment(content)["outcome"] == "scored"


def test_many_clients_get_their_own_scores(service, scorer):
    photos = [scene((50 + 7 * n, 40, 60 + 5 * n), seed=n) for n in range(16)]
    expected = [scorer.assess(photo)[0].score for photo in photos]
    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(lambda photo: service.assessment(png(photo))["score"], photos))
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_service_and_the_command_line_agree(tmp_path, console):
    from skimage import data

    portrait, out = data.astronaut(), tmp_path / "scores.csv"
    for kind, options in (("JPEG", {"quality": 90}), ("PNG", {}), ("WEBP", {"quality": 80})):
        path = tmp_path / f"portrait.{kind.lower()}"
        path.write_bytes(encoded(Image.fromarray(portrait), kind, **options))
    large = Image.fromarray(portrait).resize((2400, 2400))
    (tmp_path / "large.jpeg").write_bytes(encoded(large, "JPEG"))
    assert console("score", tmp_path, "--out", out, "--faces", "all").code == 0
    rows = {
        row["path"]: float(row["score"]) for row in csv.DictReader(out.read_text().splitlines())
    }
    assert len(rows) == 4
    with served(create_app(Scorer())) as service:
        for name, score in rows.items():
            found = service.assessment((tmp_path / name).read_bytes(), faces="all")
            assert found["score"] == pytest.approx(score, abs=1e-3)
