import pytest

from facegauge.errors import OptionError
from facegauge.scoring import Scorer
from facegauge.serve.app import create_app
from facegauge.serve.problems import Problem
from served import ONE, png, problem, served
from toy_detector import squares

KEY = "a key of the tests"


@pytest.fixture(scope="module")
def locked(tiny):
    with served(create_app(Scorer(tiny, detector=squares()), api_key=KEY)) as running:
        yield running


def test_a_key_is_asked_for(locked):
    for address in ("/v1/models", "/v1/models/utility/file", "/metrics"):
        for headers in ({}, {"authorization": "Bearer other"}, {"authorization": f"Basic {KEY}"}):
            response = locked.client.get(address, headers=headers)
            problem(response, Problem.UNAUTHORISED)
            assert response.headers["www-authenticate"] == "Bearer"
        shown = locked.client.get(address, headers={"authorization": f"Bearer {KEY}"})
        assert shown.status_code == 200
    problem(locked.score(png(ONE)), Problem.UNAUTHORISED)
    open_to_all = ("/healthz", "/docs", "/openapi.json")
    assert [locked.client.get(address).status_code for address in open_to_all] == [200] * 3


def test_a_key_opens_scoring(locked):
    locked.client.headers["authorization"] = f"Bearer {KEY}"
    assert locked.assessment(png(ONE))["outcome"] == "scored"
    del locked.client.headers["authorization"]


@pytest.mark.parametrize("key", ["", " ", "Schlüssel", "two\nlines", "end "])
def test_a_key_that_no_header_holds_is_refused(scorer, key):
    with pytest.raises(OptionError, match="printable ASCII"):
        create_app(scorer, api_key=key)
