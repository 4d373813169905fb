"""CR-FIQA's certainty ratio against loops over pictures and people."""

import numpy as np
import pytest

from facegauge.techniques import cr_fiqa
from facegauge.techniques.cr_fiqa import CrFiqa, CrFiqaLabels
from toy_measured import parts, people, shuffled


def cosine(a, b) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def slow(measured, who, shift=1.0) -> dict[str, float]:
    embeddings, _ = parts(measured)
    owner = [who[path] for path in measured.paths]
    found = {}
    for at, path in enumerate(measured.paths):
        own = [e for i, e in enumerate(embeddings) if owner[i] == owner[at] and i != at]
        if not own:
            continue
        centres = [
            np.mean([embeddings[i] for i, each in enumerate(owner) if each == person], axis=0)
            for person in set(owner) - {owner[at]}
        ]
        others = [cosine(embeddings[at], centre) for centre in centres]
        found[path] = cosine(embeddings[at], np.mean(own, 0)) / (max(others) + shift + 1e-9)
    return found


def labelled(measured, who, **constants) -> dict[str, float]:
    technique = CrFiqaLabels(recogniser=None, constants=CrFiqa(**constants))
    labels = technique.labels(measured, who)
    return dict(zip(labels.paths, labels.values.tolist(), strict=True))


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_against_loops(shift, monkeypatch):
    monkeypatch.setattr(cr_fiqa, "_AT_A_TIME", 16)
    measured, who = people()
    found = labelled(measured, who, shift=shift)
    assert found == pytest.approx(slow(measured, who, shift))
    assert len(found) == 40


def test_order_changes_nothing():
    measured, who = people()
    assert labelled(shuffled(measured), who) == pytest.approx(labelled(measured, who))


def test_the_only_picture_of_a_person_has_no_label():
    measured, who = people((3, 1))
    technique = CrFiqaLabels(recogniser=None)
    [left_out] = technique.labels(measured, who).left_out
    assert left_out.path == "00_1.png"
    assert "the only picture of its person" in left_out.reason
