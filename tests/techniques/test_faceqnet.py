"""FaceQnet's labels against loops; the reference gets no 1."""

import numpy as np
import pytest

from facegauge.techniques.faceqnet import FaceQnet, FaceQnetLabels
from facegauge.techniques.technique import Measured
from toy_measured import parts, people, shuffled


def slow(measured, who) -> dict[str, float]:
    embeddings, norms = parts(measured)
    found = {}
    for person in set(who.values()):
        own = sorted((path, at) for at, path in enumerate(measured.paths) if who[path] == person)
        if len(own) < 2:
            continue
        mean = sum(norms[at] * embeddings[at] for _, at in own)
        near = [(-float(embeddings[at] @ mean), path, at) for path, at in own]
        (_, _, best), (_, _, second) = sorted(near)[:2]
        for path, at in own:
            other = second if at == best else best
            found[path] = min(1.0, max(0.0, float(embeddings[at] @ embeddings[other])))
    return found


def labelled(measured, who, **constants) -> dict[str, float]:
    technique = FaceQnetLabels(recogniser=None, constants=FaceQnet(**constants))
    labels = technique.labels(measured, who)
    return dict(zip(labels.paths, labels.values.tolist(), strict=True))


def test_against_loops():
    measured, who = people()
    found = labelled(measured, who)
    assert found == pytest.approx(slow(measured, who))
    assert len(found) == 40
    assert max(found.values()) < 1.0


def test_order_changes_nothing():
    measured, who = people()
    assert labelled(shuffled(measured), who) == pytest.approx(labelled(measured, who))


def test_two_pictures_are_each_other_s_reference():
    measured, who = people((2, 2))
    found = labelled(measured, who)
    assert found["00_0.png"] == found["01_0.png"]


def test_labels_are_clipped():
    values = np.float32([[1, 0, 9], [-1, 0, 1], [0, 1, 1], [0, 1, 1]])
    measured = Measured(paths=tuple("abcd"), values=values)
    who = {"a": "x", "b": "x", "c": "y", "d": "y"}
    assert labelled(measured, who) == {"a": 0.0, "b": 0.0, "c": 1.0, "d": 1.0}
    assert labelled(measured, who, low=-1.0)["b"] == -1.0
