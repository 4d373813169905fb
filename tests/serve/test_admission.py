import pytest

from facegauge.serve import admission
from facegauge.serve.admission import Admission
from facegauge.serve.limits import Limits
from facegauge.serve.problems import Problem, Refused

SMALL = Limits(
    file_bytes=10, request_bytes=20, held_bytes=30, files=2, queue=3, requests=2, batch_size=1
)


def test_requests_are_counted_while_they_last():
    door = Admission(SMALL)
    with door.request(), door.request():
        assert door.requests == 2
        with pytest.raises(Refused) as refused, door.request():
            pass
        assert refused.value.problem is Problem.BUSY
    assert door.requests == 0


def test_files_join_the_queue_together_or_not_at_all():
    door = Admission(SMALL)
    with door.queued(2):
        with pytest.raises(Refused), door.queued(2):
            pass
        with door.queued(1):
            assert door.files == 3
            with pytest.raises(Refused), door.request():  # full: nothing need be sent
                pass
    assert door.files == 0


def test_bytes_are_given_back_with_the_request():
    door = Admission(SMALL)
    with door.request() as first, door.request() as second:
        first.hold(20)
        second.hold(10)
        with pytest.raises(Refused):
            second.hold(1)
        assert door.held_bytes == 30
    assert door.held_bytes == 0


def test_what_fails_is_given_back_too():
    door = Admission(SMALL)
    with pytest.raises(ZeroDivisionError), door.request() as part, door.queued(1):
        part.hold(5)
        raise ZeroDivisionError
    assert (door.requests, door.files, door.held_bytes) == (0, 0, 0)


@pytest.mark.parametrize(("usual", "asked"), [(0.01, 1), (4.5, 5), (1000.0, 60)])
def test_one_is_asked_to_come_back_when_the_queue_is_done(usual, asked, monkeypatch):
    clock = iter(range(0, 1_000_000))
    monkeypatch.setattr(admission.time, "monotonic", lambda: next(clock) * usual)
    door = Admission(SMALL)
    for _ in range(40):
        with door.queued(1):
            pass
    with pytest.raises(Refused) as refused, door.queued(4):
        pass
    assert refused.value.headers == {"retry-after": str(asked)}
