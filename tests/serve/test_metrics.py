import facegauge
from served import ONE, TWO, png, until


def test_health_and_metrics(service):
    assert service.client.get("/healthz").json() == {
        "status": "ok",
        "version": facegauge.__version__,
    }
    answered = 'facegauge_requests_total{method="POST",route="/v1/score",status="200"}'
    before = service.metrics()
    service.score(png(TWO), png(ONE), b"bad", faces="all", name="anna.jpg")
    until(lambda: service.metrics().get(answered, 0.0) > before.get(answered, 0.0))
    after = service.metrics()
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    assert grown['facegauge_faces_total{outcome="scored"}'] == 3
    assert grown['facegauge_faces_total{outcome="unreadable"}'] == 1
    assert grown["facegauge_batch_faces_sum"] == 3
    assert grown[answered] == 1
    assert after["facegauge_queue_files"] == after["facegauge_held_bytes"] == 0
    assert not [key for key in after if "anna" in key or "62." in key]
