import pytest

from facegauge.serve.app import create_app
from facegauge.serve.problems import Problem
from served import ONE, png, problem, served


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/v1/score?faces=most", Problem.INVALID),
        ("/v1/score?explain=perhaps", Problem.INVALID),
        ("/v1/nothing", Problem.NOT_FOUND),
        ("/healthz", Problem.NOT_ALLOWED),
        ("/v1/score", Problem.NOT_MULTIPART),
    ],
)
def test_what_is_wrong_is_a_typed_problem(service, address, kind):
    detail = problem(service.client.post(address), kind)
    assert detail
    assert "most" not in detail  # values are not repeated


def test_an_error_of_ours_is_a_problem_too(scorer, monkeypatch, caplog):
    with served(create_app(scorer)) as service:
        monkeypatch.setattr(scorer.model, "predict", lambda _: 1 / 0)
        answer = service.score(png(ONE), name="anna.jpg")
        detail = problem(answer, Problem.INTERNAL)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get("connection") != "close"
        monkeypatch.undo()
        assert service.assessment(png(ONE))["outcome"] == "scored"
    assert "ZeroDivision" not in detail
    assert "ZeroDivisionError" in caplog.text
    assert "anna" not in caplog.text
