from facegauge.scoring import Scorer
from facegauge.serve.app import create_app
from facegauge.serve.problems import Problem
from served import ONE, png, problem, served, until
from toy_detector import squares


def test_html_has_security_headers(tiny, tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "page.js").write_text("'use strict'")
    with served(create_app(Scorer(tiny, detector=squares()), page=tmp_path)) as service:
        page, script = service.client.get("/"), service.client.get("/page.js")
        problem(service.client.get("/nothing.js"), Problem.NOT_FOUND)
        problem(service.client.get("/%2e%2e/%2e%2e/etc/passwd"), Problem.NOT_FOUND)
        assert service.client.get("/healthz").status_code == 200
        assert service.assessment(png(ONE))["outcome"] == "scored"
    assert "page" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    for each in (page, script):
        assert each.headers["x-content-type-options"] == "nosniff"
        assert each.headers["cross-origin-embedder-policy"] == "require-corp"
    assert "script-src 'self'" in script.headers["content-security-policy"]  # of a worker


def test_addresses_are_not_counted_one_by_one(service):
    for number in range(5):
        service.client.get(f"/somebody/{number}")
    assert "somebody" not in service.client.get("/metrics").text


def test_the_log_tells_no_names_and_no_scores(service, caplog):
    caplog.set_level("INFO", logger="facegauge.serve")
    response = service.score(png(ONE), name="anna karenina.png", faces="single")
    records = caplog.records
    until(lambda: [each for each in records if each.name == "facegauge.serve"])
    [line] = [each.getMessage() for each in records if each.name == "facegauge.serve"]
    assert line.startswith("POST /v1/score 200 ")
    score = response.json()["results"][0]["assessments"][0]["score"]
    for told in ("anna", "single", "127.0.0.1", str(round(score))):
        assert told not in line.removeprefix("POST /v1/score 200 ")
