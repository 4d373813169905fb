"""A tiny service that runs, and its scorer."""

import pytest

from browsing import browsing
from facegauge.scoring import Scorer
from facegauge.serve.app import create_app
from facegauge.serve.limits import Limits
from served import served
from toy_detector import squares


@pytest.fixture
def scorer(tiny):
    return Scorer(tiny, detector=squares())


@pytest.fixture(scope="module")
def service(tiny):
    limits = Limits(file_bytes=2_000_000, request_bytes=4_000_000, files=4, pixels=400_000)
    with served(create_app(Scorer(tiny, detector=squares()), limits=limits)) as running:
        yield running


@pytest.fixture(scope="module")  # while it is open no other test can run an event loop
def browser():
    with browsing() as opened:
        yield opened
