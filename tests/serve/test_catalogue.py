import pytest

from facegauge import models
from facegauge.scoring import Scorer
from facegauge.serve.answers import ModelsAnswer
from facegauge.serve.app import create_app
from facegauge.serve.problems import Problem
from served import problem, served
from tiny_models import edited, replaced
from toy_detector import squares


def test_models_are_listed(service):
    answer = ModelsAnswer.model_validate(service.client.get("/v1/models").json())
    found = {each.name: each for each in answer.models}
    assert set(found) == {"tiny"} | {card.name for card in models.available()}
    assert (found["tiny"].scores, found["tiny"].default, found["tiny"].file) == (True, True, None)
    assert found["tiny"].card["crop"]["size"] == 32
    assert not found["detector"].scores
    assert found["detector"].bytes == models.locate("detector").stat().st_size


def test_a_model_by_an_embedded_ones_name_is_not_taken_for_it(tmp_path, tiny):
    def renamed(model):
        for entry in model.metadata_props:
            entry.value = replaced(entry.value, {"name": "utility"})

    other = edited(tiny, tmp_path / "mine.onnx", renamed)
    with served(create_app(Scorer(other, detector=squares()))) as service:
        listed = {each["name"]: each for each in service.client.get("/v1/models").json()["models"]}
    assert listed["utility"]["card"]["crop"]["size"] == 32
    assert listed["utility"]["file"] is None


@pytest.mark.parametrize("name", ["utility", "detector"])
def test_model_files_are_handed_out(service, name):
    listed = {each["name"]: each for each in service.client.get("/v1/models").json()["models"]}
    response = service.client.get(listed[name]["file"])
    assert response.content == models.locate(name).read_bytes()
    assert response.headers["content-type"] == "application/octet-stream"
    tag = response.headers["etag"]
    assert tag == f'"{listed[name]["sha256"]}"'
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = service.client.get(listed[name]["file"], headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed = service.client.get(listed[name]["file"], headers={"if-none-match": '"older"'})
    assert changed.status_code == 200
    head = service.client.head(listed[name]["file"])
    assert int(head.headers["content-length"]) == listed[name]["bytes"]


@pytest.mark.parametrize("name", ["tiny", "nothing", "..", "%2e%2e%2fcli.py", "utility.onnx"])
def test_other_files_are_not(service, name):
    problem(service.client.get(f"/v1/models/{name}/file"), Problem.NOT_FOUND)
